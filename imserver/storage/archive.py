"""XEP-0313: everybody's messages, in the order of time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.database import Database
from imserver.storage.offline import INSERT as INSERT_OFFLINE
from imserver.storage.offline import OfflineRow
from imserver.storage.schema import archive, archive_index, archive_indexing, microseconds, moment, offline

# Indexed one by one, a row dirties two pages of disk; sorted together, many rows share them. Measured with 100
# owners and groups of 200 rows: about 26 µs of CPU a row at once, 17 µs every 4,000 rows, 15 µs every 8,000.
# The price is a pause of some 65 ms while they are sorted.
ROWS_INDEXED_TOGETHER = 8_000


class ItemNotFound(LookupError):
    """XEP-0059, 2.4: the page is asked for by a message that is not in this archive."""


class ArchiveRow(NamedTuple):
    """A row as it is written, in the order of the table's columns."""

    id: int
    owner: str
    peer: str
    """The bare JID of the other side; its resource is next."""
    resource: str
    stanza: bytes

    @property
    def time(self) -> datetime:
        return moment(self.id)


class ArchiveClock:
    """Ids that are the time in microseconds since 1970, each greater than the one before."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def next(self, now_us: int) -> int:
        self._last = max(now_us, self._last + 1)
        return self._last


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[ArchiveRow]
    """Always the oldest first."""
    complete: bool
    """Nothing follows in the direction of paging."""


@dataclass(frozen=True, slots=True)
class Bounds:
    first_id: int
    last_id: int

    @property
    def first_time(self) -> datetime:
        return moment(self.first_id)

    @property
    def last_time(self) -> datetime:
        return moment(self.last_id)


_NEWEST_INDEXED = select(archive_indexing.c.up_to).scalar_subquery()
_NEWEST = select(func.max(archive.c.id)).scalar_subquery()

INSERT = insert(archive)
INSERT_INDEX = insert(archive_index)
INDEX_THE_REST = insert(archive_index).from_select(
    ["owner", "peer", "id", "resource"],
    select(archive.c.owner, archive.c.peer, archive.c.id, archive.c.resource)
    .where(archive.c.id > _NEWEST_INDEXED)
    .order_by(archive.c.owner, archive.c.peer, archive.c.id),
)
NOTE_INDEXED = update(archive_indexing).values(up_to=_NEWEST).where(archive_indexing.c.up_to < _NEWEST)

KEY = ("of_owner", "with_peer", "of_id")
FORGET_INDEXED = delete(archive_index).where(
    archive_index.c.owner == bindparam("of_owner"),
    archive_index.c.peer == bindparam("with_peer"),
    archive_index.c.id == bindparam("of_id"),
)


class Archive:
    """A journal of rows, and an index of it that may lag behind until somebody asks.

    On a database that other nodes write to as well, the index never lags.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = asyncio.Lock()
        # Whose rows the index may not know yet; None: nobody has looked since we started.
        self._unindexed: set[str] | None = set() if database.is_shared else None
        self._unindexed_rows = 0
        self._indexed_up_to = 0

    async def clock(self) -> ArchiveClock:
        """Make the clock that goes on after the newest id of all."""
        newest = select(func.max(archive.c.id)), select(func.max(offline.c.id))
        async with self._database.reading() as connection:
            return ArchiveClock(max([await connection.scalar(query) or 0 for query in newest]))

    async def write(self, rows: Sequence[ArchiveRow], waiting: Sequence[OfflineRow] = ()) -> None:
        """Write a group of rows, and those that wait for their reader, in one transaction.

        Each row has an id of its own, from the clock: a message in two archives has two.
        """
        async with self._writing:
            if self._unindexed is None or self._unindexed_rows >= ROWS_INDEXED_TOGETHER:
                await self._index_the_rest()
            await self._write(rows, waiting)

    async def _write(self, rows: Sequence[ArchiveRow], waiting: Sequence[OfflineRow]) -> None:
        # Plain text and plain tuples: for a subclass of either the driver takes 4 µs a row longer.
        journal = [
            (id, str(owner), str(peer), resource, stanza) for id, owner, peer, resource, stanza in rows
        ]
        late = [row for row in journal if self._database.is_shared or row[0] <= self._indexed_up_to]
        if self._unindexed is not None and not self._database.is_shared:
            self._unindexed.update(row[1] for row in journal)
            self._unindexed_rows += len(journal)

        steps = (
            (INSERT, journal),
            (INSERT_INDEX, [(owner, peer, id, resource) for id, owner, peer, resource, _ in late]),
            (INSERT_OFFLINE, [(str(owner), id, stanza) for owner, id, stanza in waiting]),
        )
        await self._database.write_batch(*(step for step in steps if step[1]))

    async def _index_the_rest(self) -> None:
        await self._database.write_batch((INDEX_THE_REST, None), (NOTE_INDEXED, None))
        async with self._database.reading() as connection:
            self._indexed_up_to = await connection.scalar(select(archive_indexing.c.up_to)) or 0
        self._unindexed = set()
        self._unindexed_rows = 0

    async def _index(self, owner: str) -> None:
        """Make sure that the index knows everything of an owner."""
        if self._unindexed is not None and owner not in self._unindexed:
            return
        async with self._writing:
            await self._index_the_rest()

    async def page(
        self,
        owner: str,
        *,
        peer: str | None = None,
        resource: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        after: int | None = None,
        before: int | None = None,
        after_id: int | None = None,
        before_id: int | None = None,
        ids: Sequence[int] | None = None,
        limit: int,
        backwards: bool = False,
    ) -> Page:
        """XEP-0313, 4: read one page, the oldest that match or, `backwards`, the newest.

        `peer` is a bare JID. `after` and `before` are where the page before ended (XEP-0059), `after_id` and
        `before_id` are what the query itself asks for (XEP-0313, 4.1.3); neither includes the message named.

        Raises:
            ItemNotFound: If a message named is not in this archive.
        """
        await self._index(owner)
        conditions = [archive_index.c.owner == owner]
        if peer is not None:
            conditions.append(archive_index.c.peer == peer)
        if resource is not None:
            conditions.append(archive_index.c.resource == resource)
        if start is not None:
            conditions.append(archive_index.c.id >= microseconds(start))
        if end is not None:
            conditions.append(archive_index.c.id <= microseconds(end))
        conditions += [archive_index.c.id > id for id in (after, after_id) if id is not None]
        conditions += [archive_index.c.id < id for id in (before, before_id) if id is not None]
        if ids is not None:
            conditions.append(archive_index.c.id.in_(ids))
        named = {id for id in (after, before, after_id, before_id, *(ids or ())) if id is not None}

        async with self._database.reading() as connection:
            await _refuse_unknown(connection, owner, named)
            result = await connection.execute(_page_query(conditions, limit + 1, backwards=backwards))
            rows = [ArchiveRow._make(row) for row in result]

        if len(rows) <= limit:
            return Page(rows, complete=True)
        return Page(rows[1:] if backwards else rows[:-1], complete=False)

    async def bounds(self, owner: str) -> Bounds | None:
        """XEP-0313, 5.1: name the first and the last message."""
        await self._index(owner)
        ids = select(archive_index.c.id).where(archive_index.c.owner == owner).limit(1)
        async with self._database.reading() as connection:
            first = await connection.scalar(ids.order_by(archive_index.c.id))
            last = await connection.scalar(ids.order_by(archive_index.c.id.desc()))
        return None if first is None or last is None else Bounds(first, last)

    async def expire(self, before_id: int, batch: int = 1000) -> int:
        """Delete the oldest rows, at most `batch` of them, and say how many: go on until there are none."""
        old = (
            select(archive.c.owner, archive.c.peer, archive.c.id)
            .where(archive.c.id < before_id)
            .order_by(archive.c.id)
            .limit(batch)
        )
        async with self._database.writing() as connection:
            rows = (await connection.execute(old)).all()
            if not rows:
                return 0
            await connection.execute(FORGET_INDEXED, [dict(zip(KEY, row, strict=True)) for row in rows])
            await connection.execute(delete(archive).where(archive.c.id <= rows[-1].id))
        return len(rows)


def time_to_id(time: datetime) -> int:
    """Name the id that a message of this moment would have: what `expire` wants."""
    return microseconds(time)


async def _refuse_unknown(connection: AsyncConnection, owner: str, ids: set[int]) -> None:
    if not ids:
        return
    known = await connection.scalars(
        select(archive_index.c.id).where(archive_index.c.owner == owner, archive_index.c.id.in_(ids))
    )
    unknown = ids.difference(known)
    if unknown:
        raise ItemNotFound(min(unknown))


def _page_query(
    conditions: Sequence[ColumnElement[bool]], limit: int, *, backwards: bool
) -> Select[tuple[int, str, str, str, bytes]]:
    """Let the index find the ids, already in order, and only then read the rows."""
    order = archive_index.c.id.desc() if backwards else archive_index.c.id
    ids = select(archive_index.c.id).where(*conditions).order_by(order).limit(limit)
    return select(archive).where(archive.c.id.in_(ids)).order_by(archive.c.id)
