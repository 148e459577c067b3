"""XEP-0191: Blocking Command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from imserver.features.contacts import roster_behind
from imserver.features.presence import show
from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.stanza import IQ, Presence

if TYPE_CHECKING:
    from collections.abc import Set

    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Stanza

NAMESPACE: Final = "urn:xmpp:blocking"
BLOCKED: Final = Element("blocked", "urn:xmpp:blocking:errors")
#: Where a session notes that it asked for the list, and so is told of changes (XEP-0191, 3.3).
KEY: Final = "blocking"

Blocklist = frozenset[str]
EMPTY: Final[Blocklist] = frozenset()


class Plugin:
    """Keeps in mind whom nobody wants to hear from."""

    def __init__(self) -> None:
        self._lists: dict[str, Blocklist] = {}
        self._locks: WeakValueDictionary[JID, asyncio.Lock] = WeakValueDictionary()

    @hookimpl
    async def server_starting(self, server: Server) -> None:
        """Read every list: each stanza asks for them."""
        self._lists = await server.store.blocklists.load_all()

    @hookimpl
    def account_removed(self, account: JID) -> None:
        """Forget its list: the next one of that name begins afresh."""
        self._lists.pop(account, None)

    @hookimpl
    def register_iq_handlers(self) -> list[IQHandler]:
        """Answer for one's own list."""
        return [
            IQHandler("get", NAMESPACE, "blocklist", self._answer, Target.ACCOUNT),
            IQHandler("set", NAMESPACE, "block", self._block, Target.ACCOUNT),
            IQHandler("set", NAMESPACE, "unblock", self._unblock, Target.ACCOUNT),
        ]

    @hookimpl
    def register_disco_features(self) -> list[tuple[Target, str]]:
        """Clients look for it at the server (XEP-0191, 3.1)."""
        return [(Target.SERVER, NAMESPACE)]

    @hookimpl
    def may_talk(self, stanza: Stanza) -> bool | None:
        """Keep away whom the addressee has blocked, and whoever writes to somebody they have blocked themselves."""
        sender, to = stanza.sender, stanza.to
        if not self._lists or sender is None or to is None or sender.bare == to.bare:
            return None
        if (own := self._lists.get(sender.bare)) is not None and is_blocked(to, own):
            raise StanzaError(
                "not-acceptable", "You have blocked this address", type="cancel", application=BLOCKED
            )
        if (theirs := self._lists.get(to.bare)) is not None and is_blocked(sender, theirs):
            return False
        return None

    def _answer(self, server: Server, iq: IQ) -> Element:
        """Return the list."""
        assert iq.sender is not None
        if (session := server.sessions.find(iq.sender)) is not None:
            session.features[KEY] = True
        return Element("blocklist", NAMESPACE).add(*_items(self._lists.get(iq.sender.bare, EMPTY)))

    async def _block(self, server: Server, iq: IQ) -> None:
        """Put addresses on the list; who is on it sees the account go (XEP-0191, 3.3)."""
        assert iq.sender is not None
        owner = iq.sender.bare
        wanted = read_addresses(iq.query)
        if not wanted:
            raise StanzaError("bad-request", "Name whom you want to block")
        if owner in wanted:
            raise StanzaError("not-allowed", "Nobody can block themselves")
        async with self._lock(owner):
            before = self._lists.get(owner, EMPTY)
            after = before | wanted
            if len(after) > (limit := server.settings.limits.roster_items):
                raise StanzaError("policy-violation", f"A list holds at most {limit} addresses")
            await server.store.blocklists.add(owner, wanted)
            _disappear(server, owner, before, after)
            self._lists[owner] = after
            _push(server, owner, Element("block", NAMESPACE).add(*_items(wanted)))

    async def _unblock(self, server: Server, iq: IQ) -> None:
        """Take addresses, or all, from the list; who was on it may see the account again (XEP-0191, 3.4)."""
        assert iq.sender is not None
        owner = iq.sender.bare
        unwanted = read_addresses(iq.query)
        async with self._lock(owner):
            before = self._lists.get(owner, EMPTY)
            after = before - unwanted if unwanted else EMPTY
            if unwanted:
                await server.store.blocklists.remove(owner, unwanted)
            else:
                await server.store.blocklists.clear(owner)
            self._lists[owner] = after
            if not after:
                del self._lists[owner]
            _reappear(server, owner, before, after)
            _push(server, owner, Element("unblock", NAMESPACE).add(*_items(unwanted)))

    def _lock(self, owner: JID) -> asyncio.Lock:
        return self._locks.setdefault(owner, asyncio.Lock())


def is_blocked(jid: JID, blocklist: Set[str]) -> bool:
    """Tell whether a list names an address, its account, its domain, or that resource of its domain (XEP-0191, 5)."""
    if not blocklist:
        return False
    if jid in blocklist or jid.bare in blocklist or jid.domain in blocklist:
        return True
    return bool(jid.local and jid.resource) and f"{jid.domain}/{jid.resource}" in blocklist


def read_addresses(command: Element) -> Blocklist:
    """Read whom a command names.

    Raises:
        StanzaError: If one of them is no address.
    """
    try:
        return frozenset(JID.parse(item.get("jid")) for item in command.all("item"))
    except JIDError as error:
        raise StanzaError("jid-malformed", f"That is not an address: {error}") from error


def _items(addresses: Blocklist) -> list[Element]:
    return [Element("item", NAMESPACE, {"jid": jid}) for jid in sorted(addresses)]


def _push(server: Server, owner: JID, command: Element) -> None:
    """Tell every client that asked for the list."""
    for session in server.sessions.of(owner):
        if KEY in session.features:
            session.send(IQ(type="set", to=session.jid, id=f"push-{server.number()}", payload=[command]))


def _disappear(server: Server, owner: JID, before: Blocklist, after: Blocklist) -> None:
    for session in server.sessions.of(owner):
        for jid in _watchers(session):
            if is_blocked(jid, after) and not is_blocked(jid, before):
                show(server, Presence(type="unavailable", sender=session.jid, to=jid))


def _reappear(server: Server, owner: JID, before: Blocklist, after: Blocklist) -> None:
    for session in server.sessions.of(owner):
        if session.presence is None:
            continue
        roster = roster_behind(session)
        for jid in roster.viewers:
            if is_blocked(jid, before) and not is_blocked(jid, after):
                show(server, session.presence.readdressed(to=jid))
        for jid in roster.viewed:
            if is_blocked(jid, before) and not is_blocked(jid, after):
                server.router.send(Presence(type="probe", sender=session.jid, to=jid))


def _watchers(session: Session) -> set[JID]:
    """Find who sees a client."""
    return session.directed.union(roster_behind(session).viewers if session.is_available else ())
