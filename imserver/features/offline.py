"""XEP-0160: Best Practices for Handling Offline Messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from imserver.features.local_accounts import LocalAccounts
from imserver.features.worth_keeping import has_something_to_say, may_wait
from imserver.hooks import hookimpl
from imserver.iq import Target
from imserver.routing.router import with_stable_id
from imserver.storage.offline import OfflineRow
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse_message
from imserver.xmpp.stanza import Message
from imserver.xmpp.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from imserver.routing.sessions import Session
    from imserver.server import Server

#: How many messages are read from disk at a time.
AT_ONCE: Final = 50

_KEY: Final = "offline"


@dataclass(slots=True, eq=False)
class Delivery:
    """What waited for an account, on its way to one of its sessions."""

    #: Who gets it; nobody if it went away with some of it unread.
    reader: Session | None = None
    #: What the reader was sent, and may not have.
    sent: set[int] = field(default_factory=set)
    #: What it has, and what is not deleted yet.
    received: set[int] = field(default_factory=set)
    is_running: bool = False
    #: Whether something came in since the disk was last looked at.
    is_wanted_again: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be remembered."""
        return not (self.is_running or self.sent or self.received)


class Plugin:
    """Messages to accounts that nobody is signed in to, or available for."""

    def __init__(self) -> None:
        self._accounts = LocalAccounts()
        self._deliveries: dict[JID, Delivery] = {}

    # Keeping

    @hookimpl
    def account_removed(self, account: JID) -> None:
        """Forget it: nothing waits for it any more."""
        self._accounts.forget(account)

    @hookimpl
    def keep_undelivered(self, server: Server, message: Message) -> Awaitable[bool] | None:
        """Keep a message until its addressee is there."""
        waits, _ = may_wait(message)
        if message.to is None or (not waits and has_something_to_say(message)):
            return None
        return self._keep(server, message, message.to.bare, waits=waits)

    async def _keep(self, server: Server, message: Message, owner: JID, *, waits: bool) -> bool:
        if not await self._accounts.exists(server, owner):
            return False
        if not waits:
            return True  # XEP-0160, 3: chat states are not stored; nor is anybody told that they were lost
        if await server.store.offline.count(owner) >= server.settings.limits.offline_messages:
            # XEP-0160, 2.3.
            raise StanzaError("service-unavailable", "Too many messages wait for this account already")
        number = message.number or server.number()
        await server.store.offline.put(OfflineRow(owner, number, with_stable_id(message, owner).wire))
        # Somebody may have come while it was written.
        if readers := server.sessions.available(owner):
            self._offer(server, readers[0])
        return True

    # Delivering

    @hookimpl
    def presence_changed(self, server: Server, session: Session) -> None:
        """Deliver what waited as soon as a session takes messages."""
        was_ready, is_ready = (
            session.features.get(_KEY, False),
            session.is_available and session.priority >= 0,
        )
        session.features[_KEY] = is_ready
        if is_ready and not was_ready:
            self._offer(server, session)

    @hookimpl
    def session_closed(self, server: Server, session: Session) -> None:
        """Offer what it did not get to another session."""
        delivery = self._deliveries.get(session.bare)
        if delivery is None or delivery.reader is not session:
            return
        delivery.reader = None
        delivery.sent.clear()
        if readers := server.sessions.available(session.bare):
            self._offer(server, readers[0])
        self._forget_if_over(session.bare, delivery)

    def _offer(self, server: Server, session: Session) -> None:
        """Begin to deliver to this session, unless another one is at it."""
        delivery = self._deliveries.setdefault(session.bare, Delivery())
        if delivery.reader is None:
            delivery.reader = session
            session.hold_messages()
        delivery.is_wanted_again = True
        if not delivery.is_running:
            delivery.is_running = True
            server.spawn(self._deliver(server, session.bare, delivery))

    async def _deliver(self, server: Server, owner: JID, delivery: Delivery) -> None:
        """Send all that waits, in order; it stays on disk until the reader has it."""
        is_held_up = False
        try:
            while delivery.is_wanted_again and not is_held_up and (reader := delivery.reader) is not None:
                is_held_up = await self._deliver_some(server, owner, delivery, reader)
        finally:
            delivery.is_running = False
            if delivery.reader is not None and not is_held_up:
                delivery.reader.release_messages()
            if not delivery.sent:
                delivery.reader = None
            self._forget_if_over(owner, delivery)

    async def _deliver_some(self, server: Server, owner: JID, delivery: Delivery, reader: Session) -> bool:
        """Send the next few; return True if the reader has to acknowledge some before it gets more."""
        delivery.is_wanted_again = False
        known = delivery.sent | delivery.received
        room = min(AT_ONCE, max(1, reader.limit // 4))
        waiting = await server.store.offline.load(owner, limit=len(known) + room)
        rows = [row for row in waiting if row.id not in known]
        if delivery.reader is not reader:
            return False
        if rows:
            delivery.is_wanted_again = True
            await self._send(server, owner, delivery, reader, rows)
        unread = len(reader.acknowledgements.waiting) if reader.acknowledgements is not None else 0
        return bool(rows) and unread > reader.limit // 2

    async def _send(
        self, server: Server, owner: JID, delivery: Delivery, reader: Session, rows: Sequence[OfflineRow]
    ) -> None:
        ids = {row.id for row in rows}
        delivery.sent |= ids
        for row in rows:
            reader.send_first(read_waiting(row, server.domain))
        await reader.when_received(partial(self._received, server, owner, delivery, reader, ids))
        await reader.drained()

    def _received(
        self, server: Server, owner: JID, delivery: Delivery, reader: Session, ids: set[int]
    ) -> None:
        """Take note that the reader has some; only now they may be deleted."""
        is_lost = reader.acknowledgements is None and not reader.is_connected
        if delivery.reader is not reader or is_lost:
            return
        delivery.sent -= ids
        delivery.received |= ids
        server.spawn(self._delete(server, owner, delivery, ids))
        if delivery.is_wanted_again:
            self._offer(server, reader)
        elif not (delivery.sent or delivery.is_running):
            delivery.reader = None

    async def _delete(self, server: Server, owner: JID, delivery: Delivery, ids: set[int]) -> None:
        await server.store.offline.delete_these(owner, ids)
        delivery.received -= ids
        self._forget_if_over(owner, delivery)

    def _forget_if_over(self, owner: JID, delivery: Delivery) -> None:
        if delivery.is_over and self._deliveries.get(owner) is delivery:
            del self._deliveries[owner]

    @hookimpl
    def register_disco_features(self) -> list[tuple[Target, str]]:
        """XEP-0160, 4."""
        return [(Target.SERVER, "msgoffline")]


def read_waiting(row: OfflineRow, domain: JID) -> Message:
    """Make a message again of what waited, and say since when (XEP-0203)."""
    tree = parse_message(row.stanza)
    sender, to = tree.get("from"), tree.get("to")
    message = Message(
        sender=JID.parse(sender) if sender else None,
        to=JID.parse(to) if to else None,
        type=tree.get("type", "normal"),
        id=tree.get("id"),
        lang=tree.get("xml:lang"),
        payload=tree.elements(),
    )
    stamp = {"from": domain, "stamp": format_timestamp(row.time)}
    return message.add(Element("delay", namespaces.DELAY, stamp))
