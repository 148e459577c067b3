"""XEP-0431: which messages hold a word.

The index of words lags behind the journal, and grows when there is time for it. Whoever searches looks at the rest
of their own messages one by one, so that what was committed a moment ago is found all the same.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2s
from html import unescape
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    bindparam,
    column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import TableClause

from imserver.storage.database import Database
from imserver.storage.schema import archive, archive_words_indexing

# How many messages are indexed in one go: some 10 ms.
BITE = 500
# What is younger is left for later, in microseconds: a message may be committed a little after one with a higher id.
LAG = 10_000_000
# An id that is older than this is behind the index, or may be soon.
LATE = LAG // 2
# In characters: nobody looks for what is longer, and PostgreSQL takes no word of more than 2 kB.
LONGEST_WORD = 64
MOST_WORDS = 2_000

# Of Chinese and Japanese, where nothing stands between words, every character counts as one.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    r"|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_ASCII_WORD = re.compile("[a-z0-9]+")
# As we write stanzas, and take them in: `<` is always the beginning of a tag.
_BODY = re.compile(rb"<body(?: [^>]*)?>([^<]+)</body>")


class Wanted(NamedTuple):
    """A word that is looked for."""

    word: str
    is_prefix: bool = False


def read_query(query: str) -> list[Wanted]:
    """Read what somebody looks for: all these words, in any order; `hel*` is any word that begins so."""
    wanted: dict[Wanted, None] = {}
    for piece in query.split():
        words = words_of(piece)
        wanted |= {Wanted(word): None for word in words[:-1]}
        if words:
            wanted[Wanted(words[-1], piece.endswith("*"))] = None
    return list(wanted)


def words_of(text: str) -> list[str]:
    """List the words of a text, whatever their case and accents, in letters that all databases sort alike."""
    folded = text.casefold()
    if folded.isascii():
        return [word[:LONGEST_WORD] for word in _ASCII_WORD.findall(folded)]
    plain = "".join(one for one in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(one))
    return [_in_ascii(word[:LONGEST_WORD]) for word in _WORD.findall(plain)]


def _in_ascii(word: str) -> str:
    return word if word.isascii() else f"_u{word.encode().hex()}"


def text_of(stanza: bytes) -> str:
    """Find what people read in a stanza, without building its tree."""
    return " ".join(unescape(found.decode()) for found in _BODY.findall(stanza))


def holds(stanza: bytes, wanted: Iterable[Wanted]) -> bool:
    """Tell whether all words are in a message."""
    words = set(words_of(text_of(stanza)))
    return all(
        any(word.startswith(one.word) for word in words) if one.is_prefix else one.word in words
        for one in wanted
    )


def _whose(owner: str) -> str:
    """Name an owner in the index: with it, only their messages are looked through."""
    return f"_o{blake2s(owner.encode(), digest_size=6).hexdigest()}"


_INDEX_ON_SQLITE = text("""
    INSERT OR REPLACE INTO archive_words (rowid, words)
    SELECT value ->> 0, value ->> 1 FROM json_each(:messages)
    WHERE EXISTS (SELECT 1 FROM archive WHERE id = value ->> 0)
""")
# A message that is just being deleted is waited for, and not there then.
_INDEX_ON_POSTGRESQL = text("""
    INSERT INTO archive_words (id, words)
    SELECT archive.id, array_to_tsvector(string_to_array(given.value ->> 1, ' '))
    FROM jsonb_array_elements(CAST(CAST(:messages AS text) AS jsonb)) AS given (value)
    JOIN archive ON archive.id = CAST(given.value ->> 0 AS bigint)
    ORDER BY 1 FOR KEY SHARE OF archive
    ON CONFLICT (id) DO UPDATE SET words = excluded.words
""")
_UP_TO = select(archive_words_indexing.c.up_to)
_ON_SQLITE = table("archive_words", column("rowid"), column("words"))
_ON_POSTGRESQL = table("archive_words", column("id"), column("words"))

GO_BACK = (
    update(archive_words_indexing)
    .values(up_to=bindparam("before"))
    .where(archive_words_indexing.c.up_to > bindparam("beyond"))
)


def go_back(ids: Iterable[int], now_us: int) -> list[tuple[Update, Sequence[tuple[int, int]]]]:
    """Say what has to happen together with writing messages: those from long ago must be indexed, too."""
    oldest = min(ids)
    return [(GO_BACK, [(oldest - 1, oldest - 1)])] if oldest < now_us - LATE else []


class ArchiveWords:
    """The index of words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def index_some(self, now_us: int, count: int = BITE) -> int:
        """Index the next messages, and say how many: as many as asked for, if there may be more."""
        async with self._database.reading() as connection:
            up_to = await connection.scalar(_UP_TO) or 0
            fresh = await connection.execute(
                select(archive.c.id, archive.c.owner, archive.c.peer, archive.c.mirror, archive.c.stanza)
                .where(archive.c.id > up_to, archive.c.id <= now_us - LAG)
                .order_by(archive.c.id)
                .limit(count)
            )
            rows = fresh.all()
        if not rows:
            return 0
        messages = [(row.id, words) for row in rows if (words := _written(row))]
        async with self._database.writing() as connection:
            if messages:
                index = _INDEX_ON_POSTGRESQL if self._database.is_shared else _INDEX_ON_SQLITE
                await connection.execute(index, {"messages": json.dumps(messages)})
            # Unless somebody has put it back meanwhile.
            await connection.execute(
                update(archive_words_indexing)
                .where(archive_words_indexing.c.up_to == up_to)
                .values(up_to=rows[-1].id)
            )
        return len(rows)

    async def left(self, now_us: int) -> bool:
        """Tell whether there is something to index."""
        newer = select(archive.c.id).where(
            archive.c.id > _UP_TO.scalar_subquery(), archive.c.id <= now_us - LAG
        )
        async with self._database.reading() as connection:
            return await connection.scalar(newer.limit(1)) is not None

    async def up_to(self, connection: AsyncConnection) -> int:
        """Say which messages are indexed: all up to this id."""
        return await connection.scalar(_UP_TO) or 0

    def matching(self, owner: str, wanted: Sequence[Wanted], name: str) -> Select[Any]:
        """Select the ids of the messages of an owner that hold all words; `name` is free in the query."""
        if self._database.is_shared:
            terms = [f"'{_whose(owner)}'", *(f"'{one.word}'{':*' * one.is_prefix}" for one in wanted)]
            condition = text(f"words @@ CAST(CAST(:{name} AS text) AS tsquery)").bindparams(
                **{name: " & ".join(terms)}
            )
            return select(_ON_POSTGRESQL.c.id).where(condition)
        terms = [f'"{_whose(owner)}"', *(f'"{one.word}"{"*" * one.is_prefix}' for one in wanted)]
        condition = text(f"archive_words MATCH :{name}").bindparams(**{name: " AND ".join(terms)})
        return select(_ON_SQLITE.c.rowid).where(condition)

    async def purge(self) -> None:
        """Leave nothing of what was deleted, in no corner of the index: takes time by its size."""
        if not self._database.is_shared:
            async with self._database.writing() as connection:
                await connection.execute(
                    text("INSERT INTO archive_words (archive_words) VALUES ('optimize')")
                )


def _written(row: Any) -> str:
    words = words_of(text_of(row.stanza))
    if not words:
        return ""
    owners = [row.owner] if row.mirror is None else [row.owner, row.peer]
    return " ".join(dict.fromkeys([*map(_whose, owners), *words[:MOST_WORDS]]))


def words_table(dialect: str) -> tuple[TableClause, ColumnElement[int]]:
    """Name the index and its column of ids, to delete from it what goes from the journal."""
    if dialect == "sqlite":
        return _ON_SQLITE, _ON_SQLITE.c.rowid
    return _ON_POSTGRESQL, _ON_POSTGRESQL.c.id
