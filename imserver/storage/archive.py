"""XEP-0313: everybody's messages, in the order of time."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Insert,
    ScalarSelect,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.archive_backlog import BITE_OF_ONE, Backlog, Conversation, conversations_of
from imserver.storage.database import Database
from imserver.storage.offline import INSERT as INSERT_OFFLINE
from imserver.storage.offline import OfflineRow
from imserver.storage.schema import (
    archive,
    archive_conversations,
    archive_index,
    archive_indexing,
    microseconds,
    moment,
    offline,
)

Step = tuple[Insert | Update, Sequence[tuple[Any, ...]] | None]

# The peer of the conversation that an owner has with all peers.
EVERYBODY = ""


class ItemNotFound(LookupError):
    """XEP-0059, 2.4: the page is asked for by a message that is not in this archive."""


class ArchiveRow(NamedTuple):
    """A message as it is written, in the order of the table's columns.

    Let addresses be plain text: for a subclass of it the driver takes 4 µs a row longer.
    """

    id: int
    owner: str
    """Who exchanged it with `resource` of the peer, and has it in the archive."""
    peer: str
    """The bare JID of the other side."""
    resource: str
    stanza: bytes
    mirror: str | None = None
    """If the peer has it in the archive as well: the resource of the owner."""


class ArchivedMessage(NamedTuple):
    """A message as it is read."""

    id: int
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
    rows: list[ArchivedMessage]
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


INSERT = insert(archive)
NOTE_INDEXED = update(archive_indexing).values(up_to=bindparam("newest"))


def _insert_conversations(query: str) -> postgresql.Insert:
    found = text(query).columns(archive_conversations.c.owner, archive_conversations.c.peer)
    return (
        postgresql.insert(archive_conversations)
        .from_select(["owner", "peer"], found)
        # SQLite has taken this clause over from PostgreSQL.
        .on_conflict_do_nothing()
    )


def _insert_index(query: str) -> postgresql.Insert:
    found = text(query).columns(archive_index.c.conversation, archive_index.c.id)
    return (
        postgresql.insert(archive_index).from_select(["conversation", "id"], found).on_conflict_do_nothing()
    )


# Of all that the journal has beyond what is indexed for sure. Used by SQLite only.
INDEX_THE_REST = (
    _insert_conversations("""
        WITH fresh AS (SELECT * FROM archive WHERE id > (SELECT up_to FROM archive_indexing)),
        sides (owner, peer) AS (
            SELECT owner, peer FROM fresh UNION SELECT peer, owner FROM fresh WHERE mirror IS NOT NULL
        )
        SELECT owner, peer FROM sides UNION SELECT owner, '' FROM sides WHERE true
    """),
    _insert_index("""
        WITH fresh AS (SELECT * FROM archive WHERE id > (SELECT up_to FROM archive_indexing))
        SELECT c.number, fresh.id FROM fresh
        JOIN archive_conversations c ON c.owner = fresh.owner AND c.peer IN (fresh.peer, '')
        UNION ALL
        SELECT c.number, fresh.id FROM fresh
        JOIN archive_conversations c ON c.owner = fresh.peer AND c.peer IN (fresh.owner, '')
        WHERE fresh.mirror IS NOT NULL
        ORDER BY 1, 2
    """),
    update(archive_indexing)
    .values(up_to=select(func.max(archive.c.id)).scalar_subquery())
    .where(archive_indexing.c.up_to < select(func.max(archive.c.id)).scalar_subquery()),
)

# Of the conversations given, as JSON: [["owner", "peer", [id, …]], …]. One statement for all of them, since the
# driver lets go of Python's lock at each. The journal has the last word: since the ids were noted, messages may have
# expired, or gone with the owner's account. Where the first of a conversation is left, they all are.
INDEX_ON_SQLITE = (
    _insert_conversations("""
        SELECT given.value ->> 0, side.value FROM json_each(:conversations) given
        CROSS JOIN json_each(json_array(given.value ->> 1, '')) side
        WHERE NOT EXISTS (
            SELECT 1 FROM archive_conversations WHERE owner = given.value ->> 0 AND peer = side.value
        ) AND EXISTS (
            SELECT 1 FROM archive
            WHERE id = given.value ->> '$[2][#-1]' AND (owner = given.value ->> 0 OR mirror IS NOT NULL)
        )
    """),
    _insert_index("""
        WITH given AS MATERIALIZED (
            SELECT value ->> 0 AS owner, value ->> 1 AS peer, value -> '$[2]' AS ids, EXISTS (
                SELECT 1 FROM archive
                WHERE id = value ->> '$[2][0]' AND (owner = value ->> 0 OR mirror IS NOT NULL)
            ) AS is_whole
            FROM json_each(:conversations)
        )
        SELECT c.number, id.value FROM given
        CROSS JOIN archive_conversations c ON c.owner = given.owner AND c.peer IN (given.peer, '')
        CROSS JOIN json_each(given.ids) id
        WHERE given.is_whole OR EXISTS (
            SELECT 1 FROM archive
            WHERE archive.id = id.value AND (archive.owner = given.owner OR archive.mirror IS NOT NULL)
        )
    """),
)

# The same where it happens at once. In order, so that nodes that add the same conversations don't lock each other out.
INDEX_ON_POSTGRESQL = (
    _insert_conversations("""
        SELECT DISTINCT given.value ->> 0, which.peer
        FROM jsonb_array_elements(CAST(CAST(:conversations AS text) AS jsonb)) AS given (value)
        CROSS JOIN LATERAL (VALUES (given.value ->> 1), ('')) AS which (peer)
        WHERE NOT EXISTS (
            SELECT FROM archive_conversations c WHERE c.owner = given.value ->> 0 AND c.peer = which.peer
        )
        ORDER BY 1, 2
    """),
    _insert_index("""
        SELECT c.number, CAST(id.value AS bigint)
        FROM jsonb_array_elements(CAST(CAST(:conversations AS text) AS jsonb)) AS given (value)
        JOIN archive_conversations c ON c.owner = given.value ->> 0 AND c.peer IN (given.value ->> 1, '')
        CROSS JOIN LATERAL jsonb_array_elements_text(given.value -> 2) AS id (value)
    """),
)

FORGET_INDEXED = delete(archive_index).where(
    archive_index.c.id == bindparam("of_id"),
    archive_index.c.conversation.in_(
        select(archive_conversations.c.number).where(
            archive_conversations.c.owner == bindparam("of_owner"),
            archive_conversations.c.peer.in_([bindparam("with_peer"), EVERYBODY]),
        )
    ),
)
FORGET_EMPTY = delete(archive_conversations).where(
    archive_conversations.c.owner == bindparam("of_owner"),
    archive_conversations.c.peer == bindparam("with_peer"),
    ~select(archive_index.c.id)
    .where(archive_index.c.conversation == archive_conversations.c.number)
    .exists(),
)
# A conversation that is empty now must not be forgotten while another node adds to it.
LET_NOBODY_ADD = text("LOCK TABLE archive_conversations IN SHARE ROW EXCLUSIVE MODE")


class Archive:
    """A journal of messages, and an index of it that lags behind, but for who reads.

    On a database that other nodes write to as well, the index never lags.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = asyncio.Lock()
        self._index_conversations = INDEX_ON_POSTGRESQL if database.is_shared else INDEX_ON_SQLITE
        # What the index does not know; None: nobody has looked since we started, or since a failure.
        self._backlog: Backlog | None = None

    async def clock(self) -> ArchiveClock:
        """Make the clock that goes on after the newest id of all."""
        newest = select(func.max(archive.c.id)), select(func.max(offline.c.id))
        async with self._database.reading() as connection:
            return ArchiveClock(max([await connection.scalar(query) or 0 for query in newest]))

    async def write(
        self,
        rows: Sequence[ArchiveRow],
        waiting: Sequence[OfflineRow] = (),
        *,
        also: Sequence[Step] = (),
    ) -> None:
        """Write a group of messages, those that wait for their reader, and what else belongs to it, in one transaction.

        Each message has an id of its own, from the clock.
        """
        steps: list[Step] = list(also)
        if rows:
            steps.append((INSERT, rows))
        if waiting:
            steps.append((INSERT_OFFLINE, [(str(owner), id, stanza) for owner, id, stanza in waiting]))
        if self._database.is_shared:
            await self._database.write_batch(*steps, *self._learn(conversations_of(rows)))
            return
        async with self._writing:
            backlog = self._backlog or await self._index_the_rest()
            await self._write(backlog, backlog.add(rows), *steps)

    async def _index(self, owner: str) -> None:
        """Make sure that the index knows everything of an owner."""
        if self._database.is_shared or (self._backlog is not None and not self._backlog.concerns(owner)):
            return
        async with self._writing:
            backlog = self._backlog or await self._index_the_rest()
            left = backlog.count(owner)
        # What comes in from now on, nobody was told of yet. In bites: others write in between.
        while left > 0 and backlog is self._backlog:
            async with self._writing:
                if backlog is self._backlog:
                    await self._write(backlog, backlog.take_owner(owner, min(left, BITE_OF_ONE)))
            left -= BITE_OF_ONE
        if backlog is not self._backlog:  # a group failed meanwhile
            await self._index(owner)

    async def _write(self, backlog: Backlog, conversations: Sequence[Conversation], *steps: Step) -> None:
        """Write the steps, and what the index has to learn, in one transaction."""
        if conversations:
            steps = (*steps, *self._learn(conversations), (NOTE_INDEXED, [(backlog.up_to,)]))
        try:
            await self._database.write_batch(*steps)
        except BaseException:
            # Whether it was committed or not, the journal will tell.
            self._backlog = None
            raise
        backlog.done()

    def _learn(self, conversations: Sequence[Conversation]) -> list[Step]:
        if not conversations:
            return []
        given = json.dumps(conversations)
        return [(statement, [(given,)]) for statement in self._index_conversations]

    async def _index_the_rest(self) -> Backlog:
        await self._database.write_batch(*((statement, None) for statement in INDEX_THE_REST))
        async with self._database.reading() as connection:
            self._backlog = Backlog(await connection.scalar(select(archive_indexing.c.up_to)) or 0)
        return self._backlog

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
        conditions = [archive_index.c.conversation == _conversation(owner, peer)]
        if resource is not None:
            conditions.append(_is_with(owner, resource))
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
            rows = [ArchivedMessage._make(row) for row in result]

        if len(rows) <= limit:
            return Page(rows, complete=True)
        return Page(rows[1:] if backwards else rows[:-1], complete=False)

    async def bounds(self, owner: str) -> Bounds | None:
        """XEP-0313, 5.1: name the first and the last message."""
        await self._index(owner)
        ids = select(archive_index.c.id).where(archive_index.c.conversation == _conversation(owner)).limit(1)
        async with self._database.reading() as connection:
            first = await connection.scalar(ids.order_by(archive_index.c.id))
            last = await connection.scalar(ids.order_by(archive_index.c.id.desc()))
        return None if first is None or last is None else Bounds(first, last)

    async def expire(self, before_id: int, batch: int = 1000) -> int:
        """Delete the oldest messages, at most `batch` of them, and say how many: go on until there are none."""
        old = (
            select(archive.c.id, archive.c.owner, archive.c.peer, archive.c.mirror)
            .where(archive.c.id < before_id)
            .order_by(archive.c.id)
            .limit(batch)
        )
        async with self._database.writing() as connection:
            if self._database.is_shared:
                await connection.execute(LET_NOBODY_ADD)
            rows = (await connection.execute(old)).all()
            if not rows:
                return 0
            entries = [(row.owner, row.peer, row.id) for row in rows]
            entries += [(row.peer, row.owner, row.id) for row in rows if row.mirror is not None]
            conversations = {(owner, name) for owner, peer, _ in entries for name in (peer, EVERYBODY)}
            await connection.execute(
                FORGET_INDEXED, [{"of_owner": o, "with_peer": p, "of_id": id} for o, p, id in entries]
            )
            await connection.execute(
                FORGET_EMPTY, [{"of_owner": owner, "with_peer": peer} for owner, peer in conversations]
            )
            await connection.execute(delete(archive).where(archive.c.id <= rows[-1].id))
        return len(rows)


def time_to_id(time: datetime) -> int:
    """Name the id that a message of this moment would have: what `expire` wants."""
    return microseconds(time)


def _conversation(owner: str, peer: str | None = None) -> ScalarSelect[int]:
    return (
        select(archive_conversations.c.number)
        .where(archive_conversations.c.owner == owner, archive_conversations.c.peer == (peer or EVERYBODY))
        .scalar_subquery()
    )


def _is_with(owner: str, resource: str) -> ColumnElement[bool]:
    """Tell whether an owner's message is with this resource of the peer; the journal knows, the index does not."""
    message = archive.alias()
    return (
        select(message.c.id)
        .where(
            message.c.id == archive_index.c.id,
            or_(
                and_(message.c.owner == owner, message.c.resource == resource),
                and_(message.c.peer == owner, message.c.mirror == resource),
            ),
        )
        .exists()
    )


async def _refuse_unknown(connection: AsyncConnection, owner: str, ids: set[int]) -> None:
    if not ids:
        return
    known = await connection.scalars(
        select(archive_index.c.id).where(
            archive_index.c.conversation == _conversation(owner), archive_index.c.id.in_(ids)
        )
    )
    unknown = ids.difference(known)
    if unknown:
        raise ItemNotFound(min(unknown))


def _page_query(
    conditions: Sequence[ColumnElement[bool]], limit: int, *, backwards: bool
) -> Select[tuple[int, bytes]]:
    """Let the index find the ids, already in order, and only then read the messages."""
    order = archive_index.c.id.desc() if backwards else archive_index.c.id
    ids = select(archive_index.c.id).where(*conditions).order_by(order).limit(limit)
    return select(archive.c.id, archive.c.stanza).where(archive.c.id.in_(ids)).order_by(archive.c.id)
