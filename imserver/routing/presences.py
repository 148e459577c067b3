"""Who takes which presence: what a plugin says about it (RFC 6121, 3 and 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Presence

Outbound = Callable[["Server", "Session", "Presence"], Awaitable[None] | None]
Inbound = Callable[["Server", "Presence"], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class PresenceHandler:
    """What happens to presence of these types: on its way out of a session, and into an account."""

    types: frozenset[str]
    #: A session sends it.
    outbound: Outbound
    #: It arrives for a local account.
    inbound: Inbound
