"""XEP-0012: when somebody was last here, and what they said when they left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.several import in_groups, is_one_of

NEW = postgresql.insert(schema.lasts)
# SQLite has taken this clause over from PostgreSQL.
PUT = NEW.on_conflict_do_update(
    index_elements=["owner"], set_={"time": NEW.excluded.time, "status": NEW.excluded.status}
)
GET = select(schema.lasts.c.time, schema.lasts.c.status).where(schema.lasts.c.owner == bindparam("owner"))
OF = select(schema.lasts.c.owner, schema.lasts.c.time, schema.lasts.c.status).where(
    is_one_of(schema.lasts.c.owner)
)


@dataclass(frozen=True, slots=True)
class Last:
    time: datetime
    status: str = ""


class Lasts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner: str) -> Last | None:
        rows = await self._database.fetch(GET, owner=owner)
        return Last(*rows[0]) if rows else None

    async def of(self, owners: Iterable[str]) -> dict[str, Last]:
        """Find those of many accounts at once."""
        found: dict[str, Last] = {}
        for some in in_groups(list(owners)):
            rows = await self._database.fetch(OF, **some)
            found |= {owner: Last(time, status) for owner, time, status in rows}
        return found

    async def put(self, owner: str, last: Last) -> None:
        await self.put_many([(owner, last)])

    async def put_many(self, lasts: Iterable[tuple[str, Last]]) -> None:
        rows = [(str(owner), schema.microseconds(last.time), last.status) for owner, last in lasts]
        if rows:
            await self._database.write_batch((PUT, rows))
