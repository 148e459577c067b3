"""Accounts in our own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.hooks import hookimpl
from imserver.stream.scram import ScramCredentials
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from imserver.server import Server


@hookimpl
async def find_credentials(server: Server, username: str) -> list[ScramCredentials] | None:
    """Find the keys of an account of ours that may log in."""
    stored = await server.store.accounts.credentials(JID.of(username, server.domain))
    return [
        ScramCredentials(one.mechanism, one.salt, one.iterations, one.stored_key, one.server_key)
        for one in stored
    ] or None
