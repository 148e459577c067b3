"""XEP-0012: when somebody was last here, and what they said when they left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert

# SQLite takes at most 32,766 parameters in a statement.
MOST_OWNERS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Last:
    time: datetime
    status: str = ""


class Lasts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str) -> Last | None:
        table = schema.lasts
        query = select(table.c.time, table.c.status).where(table.c.owner == owner)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Last(*row) if row else None

    async def of(self, owners: Iterable[str]) -> dict[str, Last]:
        """Find those of many accounts at once."""
        table, wanted = schema.lasts, list(owners)
        found: dict[str, Last] = {}
        async with self._database.reading() as connection:
            for start in range(0, len(wanted), MOST_OWNERS_AT_ONCE):
                some = wanted[start : start + MOST_OWNERS_AT_ONCE]
                query = select(table.c.owner, table.c.time, table.c.status).where(table.c.owner.in_(some))
                found |= {
                    owner: Last(time, status) for owner, time, status in await connection.execute(query)
                }
        return found

    async def put(self, owner: str, last: Last) -> None:
        await self.put_many([(owner, last)])

    async def put_many(self, lasts: Iterable[tuple[str, Last]]) -> None:
        async with self._database.writing() as connection:
            for owner, last in lasts:
                values = {"owner": owner, "time": last.time, "status": last.status}
                await upsert(connection, schema.lasts, values)
