"""RFC 6121, 2: who is in whose roster, and what changed since a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.several import in_groups, is_one_of
from imserver.storage.upsert import upsert

Subscription = Literal["none", "to", "from", "both"]

# A client that missed more removals than this downloads its whole roster again.
REMOVALS_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class RosterItem:
    contact: str
    name: str = ""
    subscription: Subscription = "none"
    ask: bool = False
    """RFC 6121, 3.1.2: we asked, and wait for the answer."""
    approved: bool = False
    """RFC 6121, 3.4: we said yes before they asked."""
    pending_in: bytes | None = None
    """RFC 6121, 3.1.3: they asked, with this stanza, and wait for our answer."""
    groups: tuple[str, ...] = ()
    listed: bool = True
    """Whether clients see it: not so when all there is to it is that they asked."""


@dataclass(frozen=True, slots=True)
class RosterRemoval:
    contact: str


@dataclass(frozen=True, slots=True)
class Roster:
    version: int
    items: tuple[RosterItem, ...]


def _worth_keeping() -> ColumnElement[bool]:
    """Tell an item from the mere memory of its removal."""
    table = schema.roster_items
    return or_(table.c.listed, table.c.pending_in.is_not(None), table.c.approved)


def _items(which: ColumnElement[bool], order: Column[Any]) -> Select[*tuple[Any, ...]]:
    """Read items, each beside the versions of the roster: one row without an item if there are none."""
    items, versions = schema.roster_items.c, schema.roster_versions.c
    one = select(bindparam("owner", type_=Text).label("owner")).subquery()
    return (
        select(
            func.coalesce(versions.version, 0),
            func.coalesce(versions.forgotten, 0),
            items.contact,
            items.name,
            items.subscription,
            items.ask,
            items.approved,
            items.pending_in,
            items.groups,
            items.listed,
        )
        .select_from(one)
        .outerjoin(schema.roster_versions, versions.owner == one.c.owner)
        .outerjoin(schema.roster_items, and_(items.owner == one.c.owner, which))
        .order_by(order)
    )


SNAPSHOT = _items(_worth_keeping(), schema.roster_items.c.contact)
CHANGES = _items(
    schema.roster_items.c.version > bindparam("known", type_=BigInteger), schema.roster_items.c.version
)
SHOWING = select(schema.roster_items.c.owner).where(
    is_one_of(schema.roster_items.c.owner),
    schema.roster_items.c.contact == bindparam("contact"),
    or_(schema.roster_items.c.subscription == "from", schema.roster_items.c.subscription == "both"),
)


class Rosters:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, owner: str) -> list[RosterItem]:
        return list((await self.snapshot(owner)).items)

    async def snapshot(self, owner: str) -> Roster:
        """Load the items together with the version they are."""
        rows = await self._database.fetch(SNAPSHOT, owner=owner)
        return Roster(rows[0][0], tuple(_item(*item) for _, _, *item in rows if item[0] is not None))

    async def version(self, owner: str) -> int:
        return (await self.snapshot(owner)).version

    async def showing_to(self, contact: str, owners: Sequence[str]) -> set[str]:
        """Find which of these owners let the contact see their presence."""
        shown: set[str] = set()
        for some in in_groups(owners):
            shown.update(owner for (owner,) in await self._database.fetch(SHOWING, contact=contact, **some))
        return shown

    async def put(self, owner: str, item: RosterItem) -> int:
        """Add or replace an item, and return the roster's version now; it grows if a client can see the change."""
        async with self._database.writing() as connection:
            known = await _find(connection, owner, item.contact)
            return await _write(connection, owner, item, known)

    async def delete(self, owner: str, contact: str) -> int:
        """Forget a contact and whatever was asked, and return the roster's version now."""
        async with self._database.writing() as connection:
            known = await _find(connection, owner, contact)
            if known is None:
                return (await _versions(connection, owner))[0]
            version = await _write(connection, owner, RosterItem(contact, listed=False), known)
            await _forget_old_removals(connection, owner)
            return version

    async def changes_since(self, owner: str, version: int) -> list[RosterItem | RosterRemoval] | None:
        """RFC 6121, 2.6: say what a client that has this version misses; None: it needs the whole roster."""
        rows = await self._database.fetch(CHANGES, owner=owner, known=version)
        newest, forgotten, *_ = rows[0]
        if not forgotten <= version <= newest:
            return None
        return [_change(_item(*item)) for _, _, *item in rows if item[0] is not None]


def _change(item: RosterItem) -> RosterItem | RosterRemoval:
    return item if item.listed else RosterRemoval(item.contact)


def _item(
    contact: str,
    name: str,
    subscription: Subscription,
    ask: bool,
    approved: bool,
    pending_in: bytes | None,
    groups: Sequence[str],
    listed: bool,
) -> RosterItem:
    return RosterItem(contact, name, subscription, ask, approved, pending_in, tuple(groups), listed)


async def _find(connection: AsyncConnection, owner: str, contact: str) -> Row[Any] | None:
    table = schema.roster_items
    found = await connection.execute(select(table).where(table.c.owner == owner, table.c.contact == contact))
    return found.one_or_none()


async def _versions(connection: AsyncConnection, owner: str) -> tuple[int, int]:
    table = schema.roster_versions
    found = await connection.execute(select(table.c.version, table.c.forgotten).where(table.c.owner == owner))
    row = found.one_or_none()
    return (row.version, row.forgotten) if row else (0, 0)


async def _write(connection: AsyncConnection, owner: str, item: RosterItem, known: Row[Any] | None) -> int:
    seen_at = known.version if known else 0
    version, _ = await _versions(connection, owner)
    if item.listed or (known is not None and known.listed):
        seen_at = version = await _next_version(connection, owner)

    values = {
        "owner": owner,
        "contact": item.contact,
        "name": item.name,
        "subscription": item.subscription,
        "ask": item.ask,
        "approved": item.approved,
        "pending_in": item.pending_in,
        "groups": list(item.groups),
        "listed": item.listed,
        "version": seen_at,
    }
    await upsert(connection, schema.roster_items, values)
    return version


async def _next_version(connection: AsyncConnection, owner: str) -> int:
    table = schema.roster_versions
    first = {"owner": owner, "version": 1, "forgotten": 0}
    await upsert(connection, table, first, instead={"version": table.c.version + 1})
    return (await _versions(connection, owner))[0]


async def _forget_old_removals(connection: AsyncConnection, owner: str) -> None:
    table, versions = schema.roster_items, schema.roster_versions
    gone = (table.c.owner == owner, ~_worth_keeping())
    oldest_kept = (
        select(table.c.version).where(*gone).order_by(table.c.version.desc()).offset(REMOVALS_REMEMBERED - 1)
    )
    limit = await connection.scalar(oldest_kept.limit(1))
    newest_forgotten = await connection.scalar(
        select(func.max(table.c.version)).where(*gone, table.c.version < (limit or 0))
    )
    await connection.execute(delete(table).where(*gone, table.c.version <= (newest_forgotten or 0)))
    if newest_forgotten:
        await connection.execute(
            update(versions).where(versions.c.owner == owner).values(forgotten=newest_forgotten)
        )
