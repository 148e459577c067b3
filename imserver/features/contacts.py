"""Whose contact is who: the rosters of those who are online, in memory (RFC 6121, 2)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from imserver.storage.rosters import RosterItem
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ, Presence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Stanza

#: Where a session holds the roster that all sessions of its account share.
KEY: Final = "roster"


class Roster:
    """One account's contacts, as they are on disk."""

    def __init__(self, owner: JID, version: int, items: Iterable[RosterItem]) -> None:
        self.owner = owner
        self.version = version
        self._items = {JID.parse(item.contact): item for item in items}

    @property
    def listed(self) -> list[RosterItem]:
        """What clients see."""
        return [item for item in self._items.values() if item.listed]

    @property
    def viewers(self) -> list[JID]:
        """Who sees the owner's presence."""
        return [jid for jid, item in self._items.items() if item.subscription in ("from", "both")]

    @property
    def viewed(self) -> list[JID]:
        """Whose presence the owner sees."""
        return [jid for jid, item in self._items.items() if item.subscription in ("to", "both")]

    @property
    def requests(self) -> list[tuple[JID, bytes]]:
        """Who asked to see the owner's presence, with which stanza, and has no answer yet."""
        return [(jid, item.pending_in) for jid, item in self._items.items() if item.pending_in is not None]

    def find(self, contact: JID) -> RosterItem:
        """Find a contact; a stranger is one of whom nothing is known."""
        return self._items.get(contact) or RosterItem(contact, listed=False)

    def is_shown_to(self, contact: JID) -> bool:
        """Tell whether that account sees the owner's presence."""
        return self.find(contact).subscription in ("from", "both")

    def has_room(self, limit: int, contact: JID) -> bool:
        """Tell whether one more contact fits in."""
        return contact in self._items or len(self._items) < limit

    def adopt(self, item: RosterItem, version: int) -> None:
        """Take over what is on disk now."""
        self.version = version
        if is_worth_keeping(item):
            self._items[JID.parse(item.contact)] = item
        else:
            self._items.pop(JID.parse(item.contact), None)


class Contacts:
    """Changes rosters: those of one account one after the other."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[JID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def changing(self, server: Server, owner: JID) -> AsyncIterator[Roster]:
        """Hold a roster to oneself."""
        lock = self._locks.setdefault(owner, asyncio.Lock())
        async with lock:
            yield await find_roster(server, owner)

    def unchanging(self, server: Server, owner: JID) -> Roster | None:
        """Find the roster of an account that is connected, if nobody is at it."""
        lock = self._locks.get(owner)
        return None if lock is not None and lock.locked() else roster_of(server, owner)

    async def attach(self, server: Server, session: Session) -> None:
        """Let a new session have the roster of its account."""
        async with self.changing(server, session.bare) as roster:
            session.features[KEY] = roster


def contacts_of(server: Server) -> Contacts:
    """Find who changes the rosters of a server: there is one."""
    found: Contacts = server.features[KEY]
    return found


def roster_of(server: Server, account: JID) -> Roster | None:
    """Find the roster of an account that is connected."""
    for session in server.sessions.of(account):
        if (roster := session.features.get(KEY)) is not None:
            return roster  # type: ignore[no-any-return]
    return None


async def find_roster(server: Server, account: JID) -> Roster:
    """Find the roster of any account; that of an unknown one is empty."""
    if (known := roster_of(server, account)) is not None:
        return known
    snapshot = await server.store.rosters.snapshot(account)
    return Roster(account, snapshot.version, snapshot.items)


def roster_behind(session: Session) -> Roster:
    """Find the roster of a session, even while it ends."""
    return session.features.get(KEY) or Roster(session.bare, 0, ())


async def commit(server: Server, roster: Roster, item: RosterItem) -> None:
    """Put a change on disk; then it counts."""
    if is_worth_keeping(item):
        version = await server.store.rosters.put(roster.owner, item)
    else:
        version = await server.store.rosters.delete(roster.owner, item.contact)
    roster.adopt(item, version)


def is_worth_keeping(item: RosterItem) -> bool:
    """Tell a contact from a stranger."""
    return item.listed or item.approved or item.pending_in is not None


def push(server: Server, roster: Roster, item: RosterItem) -> None:
    """Tell every client that asked for the roster about a change (RFC 6121, 2.1.6)."""
    for session in server.sessions.of(roster.owner):
        if session.wants_roster:
            push_to(server, session, item, roster.version)


def push_to(server: Server, session: Session, item: RosterItem, version: int) -> None:
    """Tell one client about a change."""
    query = Element("query", namespaces.ROSTER, {"ver": str(version)}).add(to_element(item))
    session.send(IQ(type="set", to=session.jid, id=f"push-{server.number()}", payload=[query]))


def to_element(item: RosterItem) -> Element:
    """Write an item the way clients see it (RFC 6121, 2.1.2)."""
    if not item.listed:
        attributes = {"jid": item.contact, "subscription": "remove"}
        return Element("item", namespaces.ROSTER, attributes)
    attributes = {"jid": item.contact, "subscription": item.subscription}
    if item.name:
        attributes["name"] = item.name
    if item.ask:
        attributes["ask"] = "subscribe"
    if item.approved:
        attributes["approved"] = "true"
    groups = [Element("group", namespaces.ROSTER, text=group) for group in item.groups]
    return Element("item", namespaces.ROSTER, attributes).add(*groups)


def reaches(server: Server, stanza: Stanza) -> bool:
    """Ask whether nobody has blocked anybody; who has is not told."""
    try:
        return server.router.may_talk(stanza)
    except StanzaError:
        return False


async def tell(server: Server, presence: Presence) -> None:
    """Send presence in an account's name, and wait until it is there; nobody waits for errors."""
    with suppress(StanzaError):
        pending = server.router.deliver(presence)
        if pending is not None:
            await pending
