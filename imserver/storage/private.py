"""XEP-0049: what clients keep for themselves."""

from sqlalchemy import bindparam, select

from imserver.storage.database import Database
from imserver.storage.schema import private
from imserver.storage.upsert import upsert

GET = select(private.c.element).where(
    private.c.owner == bindparam("owner"),
    private.c.namespace == bindparam("namespace"),
    private.c.name == bindparam("name"),
)
NAMES = select(private.c.namespace, private.c.name).where(private.c.owner == bindparam("owner"))


class Private:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str, namespace: str, name: str) -> bytes | None:
        rows = await self._database.fetch(GET, owner=owner, namespace=namespace, name=name)
        return rows[0][0] if rows else None

    async def names(self, owner: str) -> set[tuple[str, str]]:
        """List what an account keeps, each by its namespace and name."""
        rows = await self._database.fetch(NAMES, owner=owner)
        return {(namespace, name) for namespace, name in rows}

    async def put(self, owner: str, namespace: str, name: str, element: bytes) -> None:
        values = {"owner": owner, "namespace": namespace, "name": name, "element": element}
        async with self._database.writing() as connection:
            await upsert(connection, private, values)
