"""XEP-0199: XMPP Ping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.hooks import hookimpl
from imserver.iq import ANYWHERE, IQHandler, iq_handler

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ


@iq_handler("get", "urn:xmpp:ping", "ping", target=ANYWHERE)
def answer_ping(server: Server, iq: IQ) -> None:
    """Say that we are here."""


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Answer pings."""
    return [answer_ping]
