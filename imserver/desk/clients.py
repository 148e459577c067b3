"""Who a client is: the key behind an address, and the name that agents see."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imserver.storage.clients import Client as StoredClient
    from imserver.storage.desk import DeskStore

#: How many clients are kept in memory.
MOST_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who writes to queues."""

    #: `<key>@<domain of the channel>`.
    jid: JID
    #: What agents see: the name they gave, or an address.
    name: str
    lang: str
    #: As `xmpp:luis@example.com`.
    aliases: Sequence[str]


class Clients:
    """All clients, the recent ones in memory."""

    def __init__(self, store: DeskStore) -> None:
        self._store = store
        self._by_alias: OrderedDict[tuple[JID, str], Client] = OrderedDict()
        self._by_jid: OrderedDict[JID, Client] = OrderedDict()

    async def find_or_add(self, domain: JID, alias: str, name: str = "", lang: str = "") -> Client:
        """Find whose address it is, or take in a new client."""
        known = self._by_alias.get((domain, alias))
        if known is not None and (not name or name == known.name):
            self._by_alias.move_to_end((domain, alias))
            return known
        stored = await self._store.find_or_add(alias, name, lang)
        if name and name != stored.name:
            await self._store.rename(stored.key, name)
        found = _client(domain, stored, name)
        self._remember(found)
        self._by_alias[domain, alias] = found
        if len(self._by_alias) > MOST_REMEMBERED:
            self._by_alias.popitem(last=False)
        return found

    async def find_by_alias(self, domain: JID, alias: str) -> Client | None:
        """Find whose address it is."""
        known = self._by_alias.get((domain, alias))
        if known is not None:
            return known
        stored = await self._store.client_of(alias)
        return _client(domain, stored, "") if stored is not None else None

    async def find(self, jid: JID) -> Client | None:
        """Find a client by the address that agents have."""
        known = self._by_jid.get(jid)
        if known is not None:
            return known
        stored = await self._store.client(jid.local)
        if stored is None:
            return None
        found = _client(JID.of("", jid.domain), stored, "")
        self._remember(found)
        return found

    def name_of(self, jid: JID) -> str:
        """Name a client who is remembered; else by key."""
        known = self._by_jid.get(jid)
        return known.name if known is not None else jid.local

    def _remember(self, client: Client) -> None:
        self._by_jid[client.jid] = client
        self._by_jid.move_to_end(client.jid)
        if len(self._by_jid) > MOST_REMEMBERED:
            self._by_jid.popitem(last=False)


def _client(domain: JID, stored: StoredClient, name: str) -> Client:
    shown = name or stored.name or next((_readable(alias) for alias in stored.aliases), stored.key)
    return Client(JID.of(stored.key, domain), shown, stored.lang, stored.aliases)


def _readable(alias: str) -> str:
    """Show an address without its kind, and what stands before the @ of an account."""
    return alias.partition(":")[2].partition("@")[0] or alias
