"""XEP-0012: when somebody was last here, and what they said when they left."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert


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

    async def put(self, owner: str, last: Last) -> None:
        async with self._database.writing() as connection:
            await upsert(connection, schema.lasts, {"owner": owner, "time": last.time, "status": last.status})
