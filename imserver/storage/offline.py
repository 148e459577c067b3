"""XEP-0160: messages that wait for their reader."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql

from imserver.storage import schema
from imserver.storage.database import Database


class OfflineRow(NamedTuple):
    """A row as it is written, in the order of the table's columns."""

    owner: str
    id: int
    stanza: bytes

    @property
    def time(self) -> datetime:
        return schema.moment(self.id)


# What is there already stays as it is. SQLite has taken this clause over from PostgreSQL.
INSERT = postgresql.insert(schema.offline).on_conflict_do_nothing()

# A query needs a number where everything is wanted.
EVERYTHING = 2**62
LOAD = (
    select(schema.offline)
    .where(schema.offline.c.owner == bindparam("owner"))
    .order_by(schema.offline.c.id)
    .limit(bindparam("limit", type_=BigInteger))
)
COUNT = select(func.count()).where(schema.offline.c.owner == bindparam("owner"))


class Offline:
    """Messages by owner and id; the ids come from the archive's clock and keep the order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: OfflineRow) -> None:
        """Keep one; `Archive.write` keeps many at once, together with the archive's."""
        await self._database.write_batch((INSERT, [row]))

    async def load(self, owner: str, limit: int | None = None) -> list[OfflineRow]:
        """Read the oldest first, and leave them there until `delete`."""
        rows = await self._database.fetch(LOAD, owner=owner, limit=EVERYTHING if limit is None else limit)
        return [OfflineRow(*row) for row in rows]

    async def delete(self, owner: str, up_to_id: int) -> None:
        """Forget those that were delivered, this one included; what came in meanwhile stays."""
        table = schema.offline
        async with self._database.writing() as connection:
            await connection.execute(delete(table).where(table.c.owner == owner, table.c.id <= up_to_id))

    async def delete_these(self, owner: str, ids: Collection[int]) -> None:
        """Forget those that arrived; what came in between stays."""
        table = schema.offline
        async with self._database.writing() as connection:
            await connection.execute(delete(table).where(table.c.owner == owner, table.c.id.in_(ids)))

    async def delete_one(self, owner: str, id: int) -> bool:
        """Forget one, and say whether it was there."""
        table = schema.offline
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(table).where(table.c.owner == owner, table.c.id == id))
        return gone.rowcount > 0

    async def count(self, owner: str) -> int:
        [(count,)] = await self._database.fetch(COUNT, owner=owner)
        return int(count)
