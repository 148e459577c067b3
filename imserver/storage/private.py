"""XEP-0049: what clients keep for themselves."""

from sqlalchemy import select

from imserver.storage.database import Database
from imserver.storage.schema import private
from imserver.storage.upsert import upsert


class Private:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str, namespace: str, name: str) -> bytes | None:
        query = select(private.c.element).where(
            private.c.owner == owner, private.c.namespace == namespace, private.c.name == name
        )
        async with self._database.reading() as connection:
            element: bytes | None = await connection.scalar(query)
        return element

    async def names(self, owner: str) -> set[tuple[str, str]]:
        """List what an account keeps, each by its namespace and name."""
        query = select(private.c.namespace, private.c.name).where(private.c.owner == owner)
        async with self._database.reading() as connection:
            return {(row.namespace, row.name) for row in await connection.execute(query)}

    async def put(self, owner: str, namespace: str, name: str, element: bytes) -> None:
        values = {"owner": owner, "namespace": namespace, "name": name, "element": element}
        async with self._database.writing() as connection:
            await upsert(connection, private, values)
