"""RFC 6121, 2: who is in whose roster, and what changed since a version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert

Subscription = Literal["none", "to", "from", "both"]

# A client that missed more removals than this downloads its whole roster again.
REMOVALS_REMEMBERED = 200
# SQLite takes at most 32,766 parameters in a statement.
MOST_OWNERS_AT_ONCE = 5_000


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


class Rosters:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, owner: str) -> list[RosterItem]:
        return list((await self.snapshot(owner)).items)

    async def snapshot(self, owner: str) -> Roster:
        """Load the items together with the version they are."""
        table = schema.roster_items
        query = select(table).where(table.c.owner == owner, _worth_keeping()).order_by(table.c.contact)
        async with self._database.reading() as connection:
            version, _ = await _versions(connection, owner)
            return Roster(version, tuple(_item(row) for row in await connection.execute(query)))

    async def version(self, owner: str) -> int:
        async with self._database.reading() as connection:
            return (await _versions(connection, owner))[0]

    async def showing_to(self, contact: str, owners: Sequence[str]) -> set[str]:
        """Find which of these owners let the contact see their presence."""
        table = schema.roster_items
        shown: set[str] = set()
        async with self._database.reading() as connection:
            for start in range(0, len(owners), MOST_OWNERS_AT_ONCE):
                query = select(table.c.owner).where(
                    table.c.owner.in_(owners[start : start + MOST_OWNERS_AT_ONCE]),
                    table.c.contact == contact,
                    table.c.subscription.in_(("from", "both")),
                )
                shown.update(await connection.scalars(query))
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
        table = schema.roster_items
        query = (
            select(table).where(table.c.owner == owner, table.c.version > version).order_by(table.c.version)
        )
        async with self._database.reading() as connection:
            newest, forgotten = await _versions(connection, owner)
            if not forgotten <= version <= newest:
                return None
            return [_change(row) for row in await connection.execute(query)]


def _change(row: Row[Any]) -> RosterItem | RosterRemoval:
    return _item(row) if row.listed else RosterRemoval(row.contact)


def _item(row: Row[Any]) -> RosterItem:
    return RosterItem(
        contact=row.contact,
        name=row.name,
        subscription=row.subscription,
        ask=row.ask,
        approved=row.approved,
        pending_in=row.pending_in,
        groups=tuple(row.groups),
        listed=row.listed,
    )


def _worth_keeping() -> ColumnElement[bool]:
    """Tell an item from the mere memory of its removal."""
    table = schema.roster_items
    return or_(table.c.listed, table.c.pending_in.is_not(None), table.c.approved)


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
