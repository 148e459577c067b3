"""XEP-0313, 4: what fits in one archive, or in several as if they were one."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.archive_words import ArchiveWords, Wanted, holds
from imserver.storage.schema import archive, archive_conversations, archive_index, moment

# The peer of the conversation that an owner has with all peers.
EVERYBODY = ""
# How many messages that the index of words does not know are read in one go.
LOOKED_THROUGH_AT_ONCE = 500


class ArchivedMessage(NamedTuple):
    """A message as it is read."""

    id: int
    stanza: bytes

    @property
    def time(self) -> datetime:
        return moment(self.id)


def conversation(owner: str, peer: str | None = None) -> ScalarSelect[int]:
    return (
        select(archive_conversations.c.number)
        .where(archive_conversations.c.owner == owner, archive_conversations.c.peer == (peer or EVERYBODY))
        .scalar_subquery()
    )


class Search:
    """Reads what fits out of one archive, or of several as if they were one: a message in two of them is read once."""

    def __init__(
        self,
        connection: AsyncConnection,
        sources: Sequence[tuple[str, str | None]],
        conditions: Sequence[ColumnElement[bool]],
        *,
        backwards: bool,
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._conditions = conditions
        self._backwards = backwards

    async def read(self, limit: int, *more: ColumnElement[bool]) -> list[ArchivedMessage]:
        """Read so many, the oldest of them first."""
        return await self._read([more for _ in self._sources], limit)

    async def find(self, index: ArchiveWords, wanted: Sequence[Wanted], limit: int) -> list[ArchivedMessage]:
        """Read so many that hold the words: those that the index knows, and of the newer ones those that fit."""
        up_to = await index.up_to(self._connection)
        found: list[ArchivedMessage] = []
        if self._backwards:
            found = await self._look_through(up_to, wanted, limit)
        if len(found) < limit:
            found = self._join(found, await self._look_up(index, up_to, wanted, limit - len(found)))
        if not self._backwards and len(found) < limit:
            found += await self._look_through(up_to, wanted, limit - len(found))
        return found

    async def _look_up(
        self, index: ArchiveWords, up_to: int, wanted: Sequence[Wanted], limit: int
    ) -> list[ArchivedMessage]:
        conditions = [
            (
                archive_index.c.id <= up_to,
                archive_index.c.id.in_(index.matching(owner, wanted, f"words_{number}")),
            )
            for number, (owner, _) in enumerate(self._sources)
        ]
        return await self._read(conditions, limit)

    async def _look_through(self, up_to: int, wanted: Sequence[Wanted], limit: int) -> list[ArchivedMessage]:
        found: list[ArchivedMessage] = []
        border = archive_index.c.id > up_to
        while len(found) < limit:
            some = await self.read(LOOKED_THROUGH_AT_ONCE, archive_index.c.id > up_to, border)
            fitting = [row for row in some if holds(row.stanza, wanted)]
            found = self._join(found, fitting)
            if len(some) < LOOKED_THROUGH_AT_ONCE:
                break
            border = archive_index.c.id < some[0].id if self._backwards else archive_index.c.id > some[-1].id
        return found[-limit:] if self._backwards else found[:limit]

    def _join(self, nearer: list[ArchivedMessage], further: list[ArchivedMessage]) -> list[ArchivedMessage]:
        return further + nearer if self._backwards else nearer + further

    async def _read(self, more: Sequence[Sequence[ColumnElement[bool]]], limit: int) -> list[ArchivedMessage]:
        """Let the index find the ids, already in order, and only then read the messages."""
        order = archive_index.c.id.desc() if self._backwards else archive_index.c.id
        each = [
            select(archive_index.c.id)
            .where(archive_index.c.conversation == conversation(owner, peer), *self._conditions, *its)
            .order_by(order)
            .limit(limit)
            for (owner, peer), its in zip(self._sources, more, strict=True)
        ]
        ids: Select[tuple[int]] = each[0]
        if len(each) > 1:
            all_of_them = union(*[select(one.subquery().c.id) for one in each]).subquery()
            last = all_of_them.c.id.desc() if self._backwards else all_of_them.c.id
            ids = select(all_of_them.c.id).order_by(last).limit(limit)
        messages = select(archive.c.id, archive.c.stanza).where(archive.c.id.in_(ids)).order_by(archive.c.id)
        return [ArchivedMessage._make(row) for row in await self._connection.execute(messages)]
