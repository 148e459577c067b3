"""Clients of the desk: each has one stable key, as many aliases as it has addresses, and what it is called."""

import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from imserver.storage.database import Database
from imserver.storage.reading import Row
from imserver.storage.schema import desk_aliases, desk_clients

KEY_CHARACTERS = string.ascii_lowercase + string.digits
# 62 bits: nobody guesses the address of a client.
KEY_LENGTH = 12


class ClientUnknown(LookupError):
    """There is no client with this key."""


class AliasTaken(Exception):
    """The alias is another client's already; `key` says whose: merge the two if they are the same person."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Name:
    """How somebody is called, and who says so."""

    text: str
    #: `nick` and `form` for what clients say themselves; `profile`, `file`, `lookup`, `agent`, …
    origin: str
    #: Whether somebody other than the client answers for it.
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    key: str
    lang: str = ""
    aliases: tuple[str, ...] = ()
    #: One from each origin.
    names: tuple[Name, ...] = ()


def current_key(key: ColumnElement[str]) -> ColumnElement[str]:
    """Say which key a client has now, of whom this key may be an earlier one."""
    merged = select(desk_clients.c.merged).where(desk_clients.c.key == key).scalar_subquery()
    return func.coalesce(merged, key)


def _clients(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Read a client: a row for each alias, or one without."""
    return (
        select(desk_clients.c.key, desk_clients.c.lang, desk_clients.c.names, desk_aliases.c.alias)
        .outerjoin(desk_aliases, desk_aliases.c.client == desk_clients.c.key)
        .where(which)
        .order_by(desk_aliases.c.alias)
    )


BY_KEY = _clients(
    and_(desk_clients.c.key == current_key(bindparam("key", type_=Text)), desk_clients.c.merged.is_(None))
)
_ALIAS = desk_aliases.alias("asked")
BY_ALIAS = _clients(
    desk_clients.c.key
    == select(_ALIAS.c.client).where(_ALIAS.c.alias == bindparam("alias")).scalar_subquery()
)
KEYS = (
    select(desk_clients.c.key)
    .where(
        or_(
            desk_clients.c.key == bindparam("key"),
            desk_clients.c.merged == bindparam("key"),
        )
    )
    .order_by(desk_clients.c.key)
)
# SQLite has taken this clause over from PostgreSQL.
CLAIM = postgresql.insert(desk_aliases).on_conflict_do_nothing()


class Clients:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def client(self, key: str) -> Client | None:
        """Find a client by its key, or by one that it had before it was merged."""
        return _client(await self._database.fetch(BY_KEY, key=key))

    async def client_of(self, alias: str) -> Client | None:
        """Find whose alias this is."""
        return _client(await self._database.fetch(BY_ALIAS, alias=alias))

    async def keys_of(self, key: str) -> list[str]:
        """List the key and those of the clients that were merged into it: all that its history is kept under."""
        return [key for (key,) in await self._database.fetch(KEYS, key=key)]

    async def find_or_add(self, alias: str, lang: str = "", key: str = "") -> Client:
        """Find whose alias this is, or make a new client; who asks at the same time gets the same one.

        `key` is what the new one is to be known by: 62 bits that nobody guesses, from `new_key`.
        """
        while True:
            if (known := await self.client_of(alias)) is not None:
                return known
            added = Client(key or new_key(), lang, (alias,))
            async with self._database.writing() as connection:
                # On PostgreSQL this waits for another node that claims the same one.
                claimed = await connection.execute(CLAIM, {"alias": alias, "client": added.key})
                if claimed.rowcount:
                    await connection.execute(insert(desk_clients), _row(added))
                    return added

    async def add_alias(self, key: str, alias: str) -> None:
        """Give a client one more alias.

        Raises:
            AliasTaken: If it is somebody else's.
            ClientUnknown: If there is no such client.
        """
        async with self._database.writing() as connection:
            current = await find_current(connection, key)
            await connection.execute(CLAIM, {"alias": alias, "client": current})
            owner = await connection.scalar(
                select(desk_aliases.c.client).where(desk_aliases.c.alias == alias)
            )
        if owner != current:
            raise AliasTaken(str(owner))

    async def keep_name(self, key: str, name: Name) -> None:
        """Keep how somebody calls a client, in place of what they said before; a name without text is forgotten.

        Raises:
            ClientUnknown: If there is no such client.
        """
        async with self._database.writing() as connection:
            current = await find_current(connection, key)
            names = await names_in(connection, current)
            names.pop(name.origin, None)
            if name.text:
                names[name.origin] = name
            await put_names(connection, current, names.values())


async def names_in(connection: AsyncConnection, key: str) -> dict[str, Name]:
    """Read the names of a client, by origin."""
    kept = await connection.scalar(select(desk_clients.c.names).where(desk_clients.c.key == key))
    return {name.origin: name for name in _names(kept or {})}


async def put_names(connection: AsyncConnection, key: str, names: Iterable[Name]) -> None:
    """Write the names of a client."""
    kept = {name.origin: [name.text, name.is_verified] for name in names}
    await connection.execute(update(desk_clients).where(desk_clients.c.key == key).values(names=kept))


async def find_current(connection: AsyncConnection, key: str) -> str:
    """Say which key a client has now.

    Raises:
        ClientUnknown: If there is no such client.
    """
    known = (
        select(desk_clients.c.key)
        .where(desk_clients.c.key == current_key(literal(key, Text)))
        .with_for_update()  # two that are merged with each other wait for each other
    )
    if (current := await connection.scalar(known)) is None:
        raise ClientUnknown(key)
    return str(current)


def _client(rows: list[Row]) -> Client | None:
    if not rows:
        return None
    key, lang, names, _ = rows[0]
    return Client(key, lang, tuple(alias for *_, alias in rows if alias is not None), tuple(_names(names)))


def _names(kept: Mapping[str, tuple[str, bool]]) -> list[Name]:
    return [Name(text, origin, is_verified) for origin, (text, is_verified) in kept.items()]


def _row(client: Client) -> dict[str, Any]:
    return {"key": client.key, "lang": client.lang, "names": {}}


def new_key() -> str:
    return "".join(secrets.choice(KEY_CHARACTERS) for _ in range(KEY_LENGTH))
