"""XEP-0054: everybody's card."""

from sqlalchemy import select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert


class VCards:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str) -> bytes | None:
        table = schema.vcards
        async with self._database.reading() as connection:
            element: bytes | None = await connection.scalar(
                select(table.c.element).where(table.c.owner == owner)
            )
        return element

    async def put(self, owner: str, element: bytes) -> None:
        async with self._database.writing() as connection:
            await upsert(connection, schema.vcards, {"owner": owner, "element": element})
