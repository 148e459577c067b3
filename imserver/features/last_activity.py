"""XEP-0012: Last Activity."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imserver.features.contacts import find_roster
from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target
from imserver.storage.lasts import Last
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import IQ, Presence

NAMESPACE: Final = "jabber:iq:last"


class Plugin:
    """Remembers when people left, and tells those who see their presence."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        #: Who has left and is not yet on disk.
        self._leaving: dict[JID, Last] = {}
        self._is_writing = False

    @hookimpl
    def register_iq_handlers(self) -> list[IQHandler]:
        """Answer for the server and for accounts; a client answers for itself."""
        return [
            IQHandler("get", NAMESPACE, "query", self._answer_uptime, Target.SERVER),
            IQHandler("get", NAMESPACE, "query", self._answer, Target.ACCOUNT | Target.CONTACT),
        ]

    @hookimpl
    def presence_changed(self, server: Server, session: Session, presence: Presence) -> None:
        """Note when the last client of an account is gone, and what it said."""
        if presence.type != "unavailable" or is_online(server, session.bare):
            return
        self._leaving[session.bare] = Last(datetime.now(UTC), presence.status)
        if not self._is_writing:
            self._is_writing = True
            server.spawn(self._write(server))

    async def _write(self, server: Server) -> None:
        """Write everybody who leaves at the same time together."""
        try:
            while self._leaving:
                leaving = self._leaving.copy()
                await server.store.lasts.put_many(leaving.items())
                for account, last in leaving.items():
                    if self._leaving[account] is last:
                        del self._leaving[account]
        finally:
            self._is_writing = False

    def _answer_uptime(self, server: Server, iq: IQ) -> Element:
        """Say how long the server is up (XEP-0012, 5)."""
        return seconds(time.monotonic() - self._started)

    async def _answer(self, server: Server, iq: IQ) -> Element:
        """Say when an account was last here (XEP-0012, 4)."""
        assert iq.sender is not None
        account = iq.to.bare if iq.to is not None else iq.sender.bare
        roster = await find_roster(server, account)
        # XEP-0012, 8: only to those who see the account's presence, the same whether it exists or not.
        if account != iq.sender.bare and not roster.is_shown_to(iq.sender.bare):
            raise StanzaError("forbidden", "Only those who see somebody's presence may ask that")
        if is_online(server, account):
            return seconds(0)
        last = self._leaving.get(account) or await server.store.lasts.get(account)
        if last is None:
            raise StanzaError("item-not-found", "Nobody has been here yet")
        return seconds((datetime.now(UTC) - last.time).total_seconds(), last.status)


def is_online(server: Server, account: JID) -> bool:
    """Tell whether a client of the account is available."""
    return any(session.is_available for session in server.sessions.of(account))


def seconds(number: float, status: str = "") -> Element:
    """Write the answer."""
    return Element("query", NAMESPACE, {"seconds": str(max(0, int(number)))}, text=status)
