"""Who has an account here, and the keys that prove it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage import schema
from imserver.storage.archive_words import words_table
from imserver.storage.database import Database

# SQLite takes at most 32,766 parameters in a statement.
MOST_NAMES_AT_ONCE = 5_000

FIND = select(schema.accounts).where(schema.accounts.c.owner == bindparam("owner"))
COUNT = select(func.count()).select_from(schema.accounts)
LIST = (
    select(schema.accounts)
    .where(schema.accounts.c.owner > bindparam("after"))
    .order_by(schema.accounts.c.owner)
    .limit(bindparam("limit"))
)
CREDENTIALS = (
    select(
        schema.credentials.c.mechanism,
        schema.credentials.c.salt,
        schema.credentials.c.iterations,
        schema.credentials.c.stored_key,
        schema.credentials.c.server_key,
    )
    .join(schema.accounts, schema.accounts.c.owner == schema.credentials.c.owner)
    .where(schema.credentials.c.owner == bindparam("owner"), schema.accounts.c.enabled)
    .order_by(schema.credentials.c.mechanism)
)


class AccountExists(Exception):
    """There is an account of this name already."""


class AccountUnknown(LookupError):
    """There is no account of this name."""


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """RFC 5802, 3: what the server keeps instead of a password."""

    mechanism: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class Account:
    owner: str
    enabled: bool
    created: datetime


class Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, owner: str, credentials: Iterable[StoredCredentials]) -> None:
        """Open an account.

        Raises:
            AccountExists: If there is one already; it stays as it is.
        """
        if await self.add_many([(owner, list(credentials))]):
            raise AccountExists(owner)

    async def add_many(self, batch: Sequence[tuple[str, Sequence[StoredCredentials]]]) -> list[str]:
        """Open many accounts at once, and return those that were there already, which stay as they are."""
        wanted = dict(batch)
        async with self._database.writing() as connection:
            known = await _known(connection, list(wanted))
            new = {owner: credentials for owner, credentials in wanted.items() if owner not in known}
            await _insert_accounts(connection, new)
        return [owner for owner in wanted if owner in known]

    async def set_credentials(self, owner: str, credentials: Iterable[StoredCredentials]) -> None:
        """Replace every key: this is a change of password.

        Raises:
            AccountUnknown: If there is no such account.
        """
        async with self._database.writing() as connection:
            if not await _known(connection, [owner]):
                raise AccountUnknown(owner)
            await connection.execute(delete(schema.credentials).where(schema.credentials.c.owner == owner))
            await _insert_credentials(connection, {owner: list(credentials)})

    async def credentials(self, owner: str) -> list[StoredCredentials]:
        """Find the keys of an account: none if it is unknown or disabled."""
        rows = await self._database.fetch(CREDENTIALS, owner=owner)
        return [StoredCredentials(*row) for row in rows]

    async def find(self, owner: str) -> Account | None:
        rows = await self._database.fetch(FIND, owner=owner)
        return Account(*rows[0]) if rows else None

    async def exists(self, owner: str) -> bool:
        return await self.find(owner) is not None

    async def count(self) -> int:
        [(count,)] = await self._database.fetch(COUNT)
        return int(count)

    async def list(self, after: str = "", limit: int = 100) -> "list[Account]":
        """Page through the accounts by name; go on after the last one of the page before."""
        rows = await self._database.fetch(LIST, after=after, limit=limit)
        return [Account(*row) for row in rows]

    async def enable(self, owner: str) -> None:
        """Let it sign in again.

        Raises:
            AccountUnknown: If there is no such account.
        """
        await self._set_enabled(owner, enabled=True)

    async def disable(self, owner: str) -> None:
        """Keep everything, but let nobody sign in.

        Raises:
            AccountUnknown: If there is no such account.
        """
        await self._set_enabled(owner, enabled=False)

    async def _set_enabled(self, owner: str, *, enabled: bool) -> None:
        table = schema.accounts
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(table).where(table.c.owner == owner).values(enabled=enabled)
            )
        if not changed.rowcount:
            raise AccountUnknown(owner)

    async def remove(self, owner: str) -> bool:
        """Forget an account and everything that belongs to it; say whether there was one.

        The files of its uploads are not ours: delete what `Uploads.owned_by` lists before.
        """
        async with self._database.writing() as connection:
            existed = bool(await _known(connection, [owner]))
            await _remove_archive(connection, owner)
            for table in schema.OWNED:
                await connection.execute(delete(table).where(table.c.owner == owner))
        return existed


async def _known(connection: AsyncConnection, owners: Sequence[str]) -> set[str]:
    table = schema.accounts
    known: set[str] = set()
    for start in range(0, len(owners), MOST_NAMES_AT_ONCE):
        some = owners[start : start + MOST_NAMES_AT_ONCE]
        known.update(await connection.scalars(select(table.c.owner).where(table.c.owner.in_(some))))
    return known


async def _insert_accounts(
    connection: AsyncConnection, accounts: dict[str, Sequence[StoredCredentials]]
) -> None:
    if not accounts:
        return
    now = datetime.now(UTC)
    rows = [{"owner": owner, "enabled": True, "created": now} for owner in accounts]
    await connection.execute(insert(schema.accounts), rows)
    await _insert_credentials(connection, accounts)


async def _insert_credentials(
    connection: AsyncConnection, accounts: dict[str, Sequence[StoredCredentials]]
) -> None:
    rows = [{"owner": owner, **asdict(one)} for owner, several in accounts.items() for one in several]
    if rows:
        await connection.execute(insert(schema.credentials), rows)


async def _remove_archive(connection: AsyncConnection, owner: str) -> None:
    """Take an owner's messages away; what a peer has in an archive too, stays there."""
    archive, conversations, index = schema.archive, schema.archive_conversations, schema.archive_index
    words, word_ids = words_table(connection.dialect.name)
    mine = select(conversations.c.number).where(conversations.c.owner == owner)
    indexed = select(index.c.id).where(index.c.conversation.in_(mine))
    surely_indexed = select(schema.archive_indexing.c.up_to).scalar_subquery()

    # By the index, or one by one in the journal's short end that may not have been indexed yet.
    for part in (archive.c.id.in_(indexed), archive.c.id > surely_indexed):
        is_mirrored = archive.c.mirror.is_not(None)
        theirs = {
            "owner": archive.c.peer,
            "peer": archive.c.owner,
            "resource": archive.c.mirror,
            "mirror": None,
        }
        await connection.execute(
            update(archive).where(part, archive.c.peer == owner, is_mirrored).values(mirror=None)
        )
        await connection.execute(
            update(archive).where(part, archive.c.owner == owner, is_mirrored).values(theirs)
        )
        gone = (part, archive.c.owner == owner)
        await connection.execute(delete(words).where(word_ids.in_(select(archive.c.id).where(*gone))))
        await connection.execute(delete(archive).where(*gone))
    await connection.execute(delete(index).where(index.c.conversation.in_(mine)))
