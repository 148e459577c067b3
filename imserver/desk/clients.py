"""Who a client is: the key behind an address, and what agents call them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from imserver.desk.names import LOOKUP, Name
from imserver.hooks import is_awaitable
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from imserver.storage.clients import Client as StoredClient
    from imserver.storage.desk import DeskStore

#: How many clients are kept in memory; those in a conversation are, whatever their number.
MOST_REMEMBERED: Final = 20_000
#: How many names are looked up before others get their turn.
AT_ONCE: Final = 100
#: After how long it is asked again for a name that could not be found because something failed, in seconds.
RETRY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who writes to queues."""

    #: `<key>@<domain of the channel>`.
    jid: JID
    #: What agents see: the name that a plugin found, or the number.
    name: str
    lang: str
    #: As `xmpp:luis@example.com`.
    aliases: Sequence[str]
    #: The address they come from, as people write it: of an XMPP client the bare JID, of a phone the number.
    number: str
    #: What they are called, by themselves and by others; one name from each origin.
    names: Sequence[Name] = ()
    #: Where the name comes from that agents see; None for the number.
    shown: Name | None = None

    @property
    def called(self) -> str:
        """How to speak to them: what is put around a name that only they vouch for is left out."""
        if self.shown is None or self.shown.is_verified:
            return self.name
        return next((name.text for name in self.names if name.origin == self.shown.origin), self.name)


class Found(NamedTuple):
    """What plugins know of a client's name."""

    name: Name | None
    #: Whether one of them, who might have known it, failed.
    has_failed: bool = False


class Lookups:
    """Finds the names that agents see; where nobody knows any, they see the number."""

    @property
    def kept_seconds(self) -> float:
        """How long a name counts, in seconds."""
        return 3_600.0

    def find(self, client: Client) -> Found | Awaitable[Found]:
        """Find how a client is called; others do not wait for it."""
        return Found(None)

    def spawn(self, work: Awaitable[None]) -> None:
        """Let something run on its own."""
        raise NotImplementedError

    def renamed(self, client: Client) -> None:
        """Show a client's new name to whoever sees them."""

    def is_needed(self, jid: JID) -> bool:
        """Tell whether a client must be kept in memory."""
        return False


class Clients:
    """All clients, the recent ones in memory."""

    def __init__(
        self, store: DeskStore, lookups: Lookups | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._lookups = lookups or Lookups()
        self._clock = clock
        self._by_alias: OrderedDict[tuple[JID, str], JID] = OrderedDict()
        self._by_jid: OrderedDict[JID, Client] = OrderedDict()
        #: When each name has to be looked up again.
        self._stale: dict[JID, float] = {}
        self._domains: set[JID] = set()
        #: For whom plugins are looking just now, and for whom they have to do it once more.
        self._looking: set[JID] = set()
        self._again: set[JID] = set()

    # Finding them

    async def find_or_add(self, domain: JID, alias: str, lang: str = "", key: str = "") -> Client:
        """Find whose address it is, or take in a new client, by that key if one is given."""
        known = self.remembered(domain, alias)
        if known is not None:
            return known
        return self._take_in(domain, await self._store.find_or_add(alias, lang, key), alias)

    async def find_by_alias(self, domain: JID, alias: str) -> Client | None:
        """Find whose address it is."""
        known = self.remembered(domain, alias)
        if known is not None:
            return known
        stored = await self._store.client_of(alias)
        return self._take_in(domain, stored, alias) if stored is not None else None

    async def find(self, jid: JID) -> Client | None:
        """Find a client by the address that agents have."""
        known = self._by_jid.get(jid)
        if known is not None:
            return known
        stored = await self._store.client(jid.local)
        if stored is None:
            return None
        # Their address may be one from before they were merged.
        return self._take_in(JID.of("", jid.domain), stored, jid=jid)

    def name_of(self, jid: JID) -> str:
        """Name a client who is remembered; else by key."""
        known = self._by_jid.get(jid)
        return known.name if known is not None else jid.local

    def get(self, jid: JID) -> Client | None:
        """Find a client who is remembered."""
        return self._by_jid.get(jid)

    def remembered(self, domain: JID, alias: str) -> Client | None:
        """Find whose address it is, if that is in memory."""
        jid = self._by_alias.get((domain, alias))
        known = self._by_jid.get(jid) if jid is not None else None
        if known is None:
            return None
        self._by_jid.move_to_end(known.jid)
        if self._clock() >= self._stale[known.jid]:
            self._look_up(known)
            return self._by_jid[known.jid]
        return known

    def _take_in(
        self, domain: JID, stored: StoredClient, alias: str = "", *, jid: JID | None = None
    ) -> Client:
        self._domains.add(domain)
        jid = jid or JID.of(stored.key, domain)
        if alias:
            self._by_alias[domain, alias] = jid
            if len(self._by_alias) > MOST_REMEMBERED:
                self._by_alias.popitem(last=False)
        number = _number(domain, stored, alias)
        # What was found the last time is shown until it is found again.
        before = next((name for name in stored.names if name.origin == LOOKUP), None)
        client = Client(
            jid,
            before.text if before is not None else number,
            stored.lang,
            stored.aliases,
            number,
            stored.names,
            before,
        )
        self._remember(client)
        self._look_up(client)
        return self._by_jid[jid]

    def _remember(self, client: Client) -> None:
        self._by_jid[client.jid] = client
        self._by_jid.move_to_end(client.jid)
        self._stale.setdefault(client.jid, self._clock() + self._lookups.kept_seconds)
        if len(self._by_jid) > MOST_REMEMBERED:
            oldest = next(iter(self._by_jid))
            if self._lookups.is_needed(oldest):
                self._by_jid.move_to_end(oldest)
            else:
                del self._by_jid[oldest], self._stale[oldest]

    # Naming them

    def call(self, jid: JID, name: Name) -> None:
        """Remember how somebody calls a client, at once in memory and then on disk; "" to forget what they said."""
        for domain in self._domains | {JID.of("", jid.domain)}:
            known = self._by_jid.get(JID.of(jid.local, domain))
            if known is not None:
                self._by_jid[known.jid] = replace(known, names=_with(known.names, name))
                self._look_up(self._by_jid[known.jid])
        self._lookups.spawn(self._keep(jid, name))

    async def _keep(self, jid: JID, name: Name) -> None:
        """Write the newest: who was renamed twice meanwhile is written twice."""
        known = self._by_jid.get(jid)
        names = known.names if known is not None else (name,)
        newest = next((one for one in names if one.origin == name.origin), replace(name, text=""))
        await self._store.keep_name(jid.local, newest)

    async def look_up_again(self, concerns: Callable[[Client], bool]) -> None:
        """Look again for the names of those who are remembered and whom a change concerns."""
        for number, jid in enumerate(list(self._by_jid)):
            client = self._by_jid.get(jid)
            if client is not None and concerns(client):
                self._look_up(client)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)  # there may be many

    def _look_up(self, client: Client) -> None:
        jid = client.jid
        if jid in self._looking:
            self._again.add(jid)
            return
        self._stale[jid] = self._clock() + self._lookups.kept_seconds
        found = self._lookups.find(client)
        if is_awaitable(found):
            self._looking.add(jid)
            self._lookups.spawn(self._look_up_later(jid, found))
        else:
            self._take_over(jid, found)

    async def _look_up_later(self, jid: JID, pending: Awaitable[Found]) -> None:
        try:
            found = await pending
        finally:
            self._looking.discard(jid)
        self._take_over(jid, found)
        if jid in self._again:
            self._again.discard(jid)
            if (known := self._by_jid.get(jid)) is not None:
                self._look_up(known)

    def _take_over(self, jid: JID, found: Found) -> None:
        """Call a client what was found, and tell whoever sees them."""
        client = self._by_jid.get(jid)
        if client is None:
            return  # forgotten meanwhile
        name = found.name
        if name is not None and name.text == client.number:
            name = None
        before = next((one for one in client.names if one.origin == LOOKUP), None)
        if found.has_failed:
            self._stale[jid] = self._clock() + min(RETRY_SECONDS, self._lookups.kept_seconds)
            name = before if before is not None and (name is None or name.origin != LOOKUP) else name
        else:
            fresh = name if name is not None and name.origin == LOOKUP else Name("", LOOKUP)
            if fresh.text != (before.text if before is not None else ""):
                client = replace(client, names=_with(client.names, fresh))
                self._lookups.spawn(self._keep(jid, fresh))
        called = replace(client, name=name.text if name is not None else client.number, shown=name)
        is_new = called.name != client.name
        self._by_jid[jid] = called
        if is_new:
            self._lookups.renamed(called)

    # Two are one

    async def merge(self, jid: JID, into: JID) -> None:
        """Let two clients be one; conversations that are open keep the address that their agents know.

        Raises:
            ClientUnknown: If there is no such client.
        """
        await self._store.merge(jid.local, into.local)
        stored = await self._store.client(into.local)
        assert stored is not None, "they were merged just now"
        for domain in self._domains:
            old, new = JID.of(jid.local, domain), JID.of(stored.key, domain)
            for one in (old, new):
                if (known := self._by_jid.get(one)) is not None:
                    now = replace(known, aliases=stored.aliases, names=stored.names)
                    self._by_jid[one] = now
                    self._look_up(now)
            if not self._lookups.is_needed(old):
                moved = [key for key, known in self._by_alias.items() if known == old]
                for key in moved:
                    del self._by_alias[key]  # it is found anew


def _with(names: Sequence[Name], name: Name) -> Sequence[Name]:
    others = [one for one in names if one.origin != name.origin]
    return (*others, name) if name.text else tuple(others)


def _number(domain: JID, stored: StoredClient, alias: str) -> str:
    """Write the address that a client comes from, without its kind; else one of this channel, or any."""
    kind = domain.partition(".")[0]
    mine = [one for one in stored.aliases if one.startswith(f"{kind}:")]
    return next((_address(one) for one in (alias, *mine, *stored.aliases) if one), stored.key)


def _address(alias: str) -> str:
    return alias.partition(":")[2] or alias
