"""XEP-0441: what of whose messages is archived."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class ArchivePreferences:
    default: Literal["always", "never", "roster"] = "always"
    always: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


class Preferences:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_all(self) -> dict[str, ArchivePreferences]:
        """Read everybody's, to keep them in memory; who never chose is not among them."""
        async with self._database.reading() as connection:
            return {
                row.owner: ArchivePreferences(row.default, frozenset(row.always), frozenset(row.never))
                for row in await connection.execute(select(schema.preferences))
            }

    async def put(self, owner: str, preferences: ArchivePreferences) -> None:
        values = {
            "owner": owner,
            "default": preferences.default,
            "always": sorted(preferences.always),
            "never": sorted(preferences.never),
        }
        async with self._database.writing() as connection:
            await upsert(connection, schema.preferences, values)
