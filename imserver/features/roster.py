"""RFC 6121, 2: the roster, and what clients do with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from imserver.features import contacts, subscribing
from imserver.features.contacts import Contacts
from imserver.features.subscribing import Subscribing
from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target
from imserver.routing.presences import PresenceHandler
from imserver.storage.rosters import RosterItem, RosterRemoval
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from imserver.features.contacts import Roster
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

#: How long a contact's name, or a group's, may be, in bytes.
LONGEST_NAME: Final = 1023

FEATURES: Final = (
    Element("ver", "urn:xmpp:features:rosterver"),
    Element("sub", "urn:xmpp:features:pre-approval"),
)


class Plugin:
    """Answers what clients ask about the roster, and takes care of subscriptions."""

    def __init__(self) -> None:
        self._rosters = Contacts()
        self._subscribing = Subscribing(self._rosters)

    @hookimpl
    def register_stream_features(self) -> Sequence[Element]:
        """Offer roster versions (RFC 6121, 2.6.1) and pre-approval (3.4.1)."""
        return FEATURES

    @hookimpl
    def register_iq_handlers(self, server: Server) -> list[IQHandler]:
        """Answer for one's own roster; nobody else's is anybody's business."""
        server.features[contacts.KEY] = self._rosters
        return [
            IQHandler("get", namespaces.ROSTER, "query", self._answer, Target.ACCOUNT),
            IQHandler("set", namespaces.ROSTER, "query", self._change, Target.ACCOUNT),
            IQHandler("get", namespaces.ROSTER, "query", refuse, Target.CONTACT),
            IQHandler("set", namespaces.ROSTER, "query", refuse, Target.CONTACT),
        ]

    @hookimpl
    def register_presence_handlers(self) -> list[PresenceHandler]:
        """Take what asks for presence, and what answers it."""
        return [PresenceHandler(subscribing.TYPES, self._subscribing.send, self._subscribing.take)]

    @hookimpl
    async def session_opened(self, server: Server, session: Session) -> None:
        """Have the roster at hand for as long as somebody is connected."""
        await self._rosters.attach(server, session)

    def _answer(self, server: Server, iq: IQ) -> Element | Awaitable[Element | None] | None:
        """Return the roster, or what changed since the client's version (RFC 6121, 2.1.3 and 2.6.2)."""
        session, version = asker(server, iq), iq.query.get("ver")
        roster = self._rosters.unchanging(server, session.bare)
        if roster is None or version not in ("", str(roster.version)):
            return self._compare(server, session, version)
        session.wants_roster = True
        return None if version else whole(roster)

    async def _compare(self, server: Server, session: Session, version: str) -> Element | None:
        async with self._rosters.changing(server, session.bare) as roster:
            changes = await missed(server, session.bare, version)
            session.wants_roster = True
            if changes is None:
                return whole(roster)
            # RFC 6121, 2.6.3: an empty result first; pushes of what the client misses follow.
            known, newest = int(version), roster.version
            asyncio.get_running_loop().call_soon(catch_up, server, session, changes, known, newest)
            return None

    async def _change(self, server: Server, iq: IQ) -> None:
        """Add, change or remove a contact (RFC 6121, 2.3, 2.4 and 2.5)."""
        session = asker(server, iq)
        wish = read_wish(iq.query, session.bare)
        if wish.is_removal:
            await self._subscribing.forsake(server, session.bare, wish.contact)
            return
        async with self._rosters.changing(server, session.bare) as roster:
            if not roster.has_room(server.settings.limits.roster_items, wish.contact):
                raise subscribing.too_many(server)
            before = roster.find(wish.contact)
            item = replace(before, name=wish.name, groups=wish.groups, listed=True)
            await contacts.commit(server, roster, item)
            contacts.push(server, roster, item)


def refuse(server: Server, iq: IQ) -> None:
    """Keep away from other people's rosters, whether they exist or not (RFC 6121, 2.3.3)."""
    raise StanzaError("forbidden", "This is not your roster")


def asker(server: Server, iq: IQ) -> Session:
    """Find the session that asked."""
    session = server.sessions.find(iq.sender) if iq.sender is not None else None
    if session is None:
        raise StanzaError("service-unavailable")
    return session


def whole(roster: Roster) -> Element:
    """Write down everything that clients see."""
    items = [contacts.to_element(item) for item in roster.listed]
    return Element("query", namespaces.ROSTER, {"ver": str(roster.version)}).add(*items)


async def missed(server: Server, owner: JID, version: str) -> list[RosterItem | RosterRemoval] | None:
    """Find what a client with that version misses; None: everything, or it keeps no versions."""
    if not (version.isascii() and version.isdigit()) or len(version) > 15:
        return None
    return await server.store.rosters.changes_since(owner, int(version))


def catch_up(
    server: Server, session: Session, changes: Sequence[RosterItem | RosterRemoval], known: int, version: int
) -> None:
    """Push changes; only the last one carries the new version: who hears a part of them asks again."""
    for left, change in zip(reversed(range(len(changes))), changes, strict=True):
        item = change if isinstance(change, RosterItem) else RosterItem(change.contact, listed=False)
        contacts.push_to(server, session, item, known if left else version)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants a contact to be."""

    contact: JID
    name: str = ""
    groups: tuple[str, ...] = ()
    is_removal: bool = False


def read_wish(query: Element, owner: JID) -> Wish:
    """Read a roster set.

    Raises:
        StanzaError: If RFC 6121, 2.3.3 does not allow it.
    """
    items = query.all("item")
    if len(items) != 1 or len(query.elements()) != 1:
        raise StanzaError("bad-request", "A roster set has exactly one item")
    contact = _contact(items[0], owner)
    if items[0].get("subscription") == "remove":
        return Wish(contact, is_removal=True)
    groups = [group.text for group in items[0].all("group")]
    if len(set(groups)) != len(groups):
        raise StanzaError("bad-request", "A group is named twice")
    if not all(groups):
        raise StanzaError("not-acceptable", "A group needs a name")
    name = items[0].get("name")
    if any(len(text.encode()) > LONGEST_NAME for text in (name, *groups)):
        raise StanzaError("not-acceptable", f"A name has at most {LONGEST_NAME} bytes")
    return Wish(contact, name, tuple(groups))


def _contact(item: Element, owner: JID) -> JID:
    if "jid" not in item.attributes:
        raise StanzaError("bad-request", "A contact needs an address")
    try:
        contact = JID.parse(item.get("jid")).bare
    except JIDError as error:
        raise StanzaError("jid-malformed", f"The contact's address is not a JID: {error}") from error
    if contact == owner:
        raise StanzaError("not-allowed", "Nobody is their own contact")
    return contact
