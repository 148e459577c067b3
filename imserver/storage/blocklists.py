"""XEP-0191: whom nobody wants to hear from."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete, select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert


class Blocklists:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_all(self) -> dict[str, frozenset[str]]:
        """Read every list, to keep them in memory: each stanza asks for them."""
        blocked: defaultdict[str, set[str]] = defaultdict(set)
        async with self._database.reading() as connection:
            for owner, jid in await connection.execute(select(schema.blocklists)):
                blocked[owner].add(jid)
        return {owner: frozenset(jids) for owner, jids in blocked.items()}

    async def add(self, owner: str, jids: Iterable[str]) -> None:
        async with self._database.writing() as connection:
            for jid in jids:
                await upsert(connection, schema.blocklists, {"owner": owner, "jid": jid})

    async def remove(self, owner: str, jids: Iterable[str]) -> None:
        table = schema.blocklists
        async with self._database.writing() as connection:
            for jid in jids:
                await connection.execute(delete(table).where(table.c.owner == owner, table.c.jid == jid))

    async def clear(self, owner: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(schema.blocklists).where(schema.blocklists.c.owner == owner))
