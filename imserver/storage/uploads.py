"""XEP-0363: the files that were promised and the files that came; their bytes are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.database import Database
from imserver.storage.schema import accounts, uploads


class QuotaExceeded(Exception):
    """The account would keep more than it may."""


@dataclass(frozen=True, slots=True)
class Upload:
    token: str
    owner: str
    name: str
    size: int
    type: str
    expires: datetime
    stored: bool = False


class Uploads:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, upload: Upload, *, quota: int | None = None) -> None:
        """Promise room for a file until it expires.

        Raises:
            QuotaExceeded: If the owner's files, promised ones included, would be more than `quota` bytes.
        """
        async with self._database.writing() as connection:
            await _lock_account(connection, upload.owner)
            if quota is not None and await _used(connection, upload.owner) + upload.size > quota:
                raise QuotaExceeded(upload.owner)
            await connection.execute(
                insert(uploads).values(
                    token=upload.token,
                    owner=upload.owner,
                    name=upload.name,
                    size=upload.size,
                    type=upload.type,
                    expires=upload.expires,
                    stored=upload.stored,
                )
            )

    async def find(self, token: str) -> Upload | None:
        return next(iter(await self._select(uploads.c.token == token)), None)

    async def mark_stored(self, token: str, expires: datetime) -> bool:
        """Keep the file that came until a later date; False if there is no such promise or it was kept before."""
        async with self._database.writing() as connection:
            marked = await connection.execute(
                update(uploads)
                .where(uploads.c.token == token, ~uploads.c.stored)
                .values(stored=True, expires=expires)
            )
        return marked.rowcount > 0

    async def owned_by(self, owner: str) -> list[Upload]:
        return await self._select(uploads.c.owner == owner)

    async def expired(self, now: datetime, limit: int = 1000) -> list[Upload]:
        """List what may be deleted, the oldest first."""
        return await self._select(uploads.c.expires <= now, limit)

    async def delete(self, tokens: Sequence[str]) -> None:
        async with self._database.writing() as connection:
            for token in tokens:
                await connection.execute(delete(uploads).where(uploads.c.token == token))

    async def _select(self, which: ColumnElement[bool], limit: int | None = None) -> list[Upload]:
        query = select(uploads).where(which).order_by(uploads.c.expires).limit(limit)
        async with self._database.reading() as connection:
            return [Upload(**row._mapping) for row in await connection.execute(query)]


async def _used(connection: AsyncConnection, owner: str) -> int:
    used = await connection.scalar(select(func.sum(uploads.c.size)).where(uploads.c.owner == owner))
    return int(used or 0)


async def _lock_account(connection: AsyncConnection, owner: str) -> None:
    # Two nodes that promise at once would both see the room; SQLite has one writer anyway.
    await connection.execute(select(accounts.c.owner).where(accounts.c.owner == owner).with_for_update())
