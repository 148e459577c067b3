"""XEP-0054: everybody's card."""

from sqlalchemy import bindparam, select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert

GET = select(schema.vcards.c.element).where(schema.vcards.c.owner == bindparam("owner"))


class VCards:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str) -> bytes | None:
        rows = await self._database.fetch(GET, owner=owner)
        return rows[0][0] if rows else None

    async def put(self, owner: str, element: bytes) -> None:
        async with self._database.writing() as connection:
            await upsert(connection, schema.vcards, {"owner": owner, "element": element})
