"""XEP-0313: everybody's messages, in the order of time."""

import asyncio
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.archive_backlog import BITE_OF_ONE, Backlog, Conversation, conversations_of
from imserver.storage.archive_search import EVERYBODY, Search, conversation
from imserver.storage.archive_search import ArchivedMessage as ArchivedMessage
from imserver.storage.archive_words import ArchiveWords, Wanted, go_back, words_table
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
from imserver.xmpp.element import escape_attribute

Step = tuple[Insert | Update, Sequence[tuple[Any, ...]] | None]


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


class Erased(NamedTuple):
    """How much was deleted."""

    messages: int
    """From the archives; one that was in two of them counts once."""
    waiting: int
    """That were to be delivered."""


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
        self.words = ArchiveWords(database)

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
            steps += go_back(map(itemgetter(0), rows), time.time_ns() // 1000)
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
        words: Sequence[Wanted] = (),
        together_with: Sequence[str] = (),
        also_known_at: Collection[str] = (),
        limit: int,
        backwards: bool = False,
    ) -> Page:
        """XEP-0313, 4: read one page, the oldest that match or, `backwards`, the newest.

        `peer` is a bare JID. `after` and `before` are where the page before ended (XEP-0059), `after_id` and
        `before_id` are what the query itself asks for (XEP-0313, 4.1.3); neither includes the message named.
        `words` are looked for (XEP-0431). What the owners `together_with` have in their archives counts as well.

        Raises:
            ItemNotFound: If a message named is not in this archive, nor in one at the domains `also_known_at`.
        """
        sources = [(owner, peer), *((other, None) for other in together_with)]
        for whose, _ in sources:
            await self._index(whose)
        conditions: list[ColumnElement[bool]] = []
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
            await _refuse_unknown(connection, (owner, *together_with), named, also_known_at)
            search = Search(connection, sources, conditions, backwards=backwards)
            if words:
                rows = await search.find(self.words, words, limit + 1)
            else:
                rows = await search.read(limit + 1)

        if len(rows) <= limit:
            return Page(rows, complete=True)
        return Page(rows[1:] if backwards else rows[:-1], complete=False)

    async def held_by(self, owner: str, ids: Collection[int]) -> set[int]:
        """Say which of these messages an owner has."""
        await self._index(owner)
        async with self._database.reading() as connection:
            return set(
                await connection.scalars(
                    select(archive_index.c.id).where(
                        archive_index.c.conversation == conversation(owner), archive_index.c.id.in_(ids)
                    )
                )
            )

    async def bounds(self, owner: str) -> Bounds | None:
        """XEP-0313, 5.1: name the first and the last message."""
        await self._index(owner)
        ids = select(archive_index.c.id).where(archive_index.c.conversation == conversation(owner)).limit(1)
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
            await _forget(connection, rows)
        return len(rows)

    async def addresses_of(self, keys: Sequence[str]) -> list[str]:
        """List who has an archive here and is called by one of these keys before the @."""
        await self._index_all()
        owners = archive_conversations.c.owner
        # "A" comes right behind "@".
        named = or_(*(and_(owners > f"{key}@", owners < f"{key}A") for key in keys))
        async with self._database.reading() as connection:
            found = await connection.scalars(select(owners).where(named).distinct().order_by(owners))
            return list(found)

    async def erase(self, addresses: Sequence[str], batch: int = 500) -> Erased:
        """Delete what these addresses wrote and were written, from everybody's archive, and what waits for a reader.

        It is gone from the index of words, too.
        """
        await self._index_all()
        of_them = or_(
            archive_conversations.c.owner.in_(addresses), archive_conversations.c.peer.in_(addresses)
        )
        theirs = select(archive_conversations.c.number).where(of_them)
        ids = select(archive_index.c.id).where(archive_index.c.conversation.in_(theirs)).limit(batch)
        some = select(archive.c.id, archive.c.owner, archive.c.peer, archive.c.mirror).where(
            archive.c.id.in_(ids)
        )
        messages = 0
        while True:
            async with self._database.writing() as connection:
                if self._database.is_shared:
                    await connection.execute(LET_NOBODY_ADD)
                rows = (await connection.execute(some)).all()
                await _forget(connection, rows)
                if not rows:
                    # What leads to messages that are gone.
                    await connection.execute(
                        delete(archive_index).where(archive_index.c.conversation.in_(theirs))
                    )
                    await connection.execute(delete(archive_conversations).where(of_them))
                    break
            messages += len(rows)
        waiting = await self._erase_waiting(addresses)
        await self.words.purge()
        return Erased(messages, waiting)

    async def _erase_waiting(self, addresses: Sequence[str]) -> int:
        erased = 0
        async with self._database.writing() as connection:
            dialect = connection.dialect.name
            for address in addresses:
                which = or_(*(_contains(offline.c.stanza, mark, dialect) for mark in _marks(address)))
                gone = await connection.execute(delete(offline).where(or_(offline.c.owner == address, which)))
                erased += gone.rowcount
        return erased

    async def _index_all(self) -> None:
        """Make sure that the index knows everything, whatever another process may hold in memory."""
        if not self._database.is_shared:
            async with self._writing:
                await self._index_the_rest()


async def _forget(connection: AsyncConnection, rows: Sequence[Any]) -> None:
    """Delete messages, and what leads to them."""
    if not rows:
        return
    entries = [(row.owner, row.peer, row.id) for row in rows]
    entries += [(row.peer, row.owner, row.id) for row in rows if row.mirror is not None]
    conversations = {(owner, name) for owner, peer, _ in entries for name in (peer, EVERYBODY)}
    await connection.execute(
        FORGET_INDEXED, [{"of_owner": o, "with_peer": p, "of_id": id} for o, p, id in entries]
    )
    await connection.execute(
        FORGET_EMPTY, [{"of_owner": owner, "with_peer": peer} for owner, peer in conversations]
    )
    words, word_ids = words_table(connection.dialect.name)
    ids = [row.id for row in rows]
    await connection.execute(delete(words).where(word_ids.in_(ids)))
    await connection.execute(delete(archive).where(archive.c.id.in_(ids)))


def _marks(address: str) -> list[bytes]:
    """Write how a message from an address begins to say so, with a resource or without."""
    return [f" from='{escape_attribute(address)}{end}".encode() for end in ("'", "/")]


def _contains(stanza: ColumnElement[bytes], part: bytes, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return func.instr(stanza, literal(part)) > 0
    return func.position(literal(part).op("IN")(stanza)) > 0


def time_to_id(time: datetime) -> int:
    """Name the id that a message of this moment would have: what `expire` wants."""
    return microseconds(time)


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


async def _refuse_unknown(
    connection: AsyncConnection, owners: Sequence[str], ids: set[int], domains: Collection[str]
) -> None:
    if not ids:
        return
    known = await connection.scalars(
        select(archive_index.c.id).where(
            archive_index.c.conversation.in_([conversation(owner) for owner in owners]),
            archive_index.c.id.in_(ids),
        )
    )
    unknown = ids.difference(known)
    if unknown and domains:
        others = await connection.execute(
            select(archive.c.id, archive.c.owner, archive.c.peer).where(archive.c.id.in_(unknown))
        )
        unknown.difference_update(
            row.id for row in others if {_domain(row.owner), _domain(row.peer)}.intersection(domains)
        )
    if unknown:
        raise ItemNotFound(min(unknown))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
