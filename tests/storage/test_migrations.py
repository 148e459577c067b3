"""What an older version wrote is there after the migration."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from imserver.storage.archive import ArchiveRow
from imserver.storage.clients import Client, Name
from imserver.storage.database import DRIVERS, Database
from imserver.storage.migration import migrate
from imserver.storage.store import Store

ANA, LUIS, TEA = "ana@example.com", "luis@example.com", "tea@example.com"
FIRST = "0001"

# Two rows a message, one for each archive: (id, owner, peer, resource, stanza).
ROWS = [
    (1, LUIS, ANA, "phone", b"one"),
    (2, ANA, LUIS, "tablet", b"one"),
    (3, ANA, TEA, "", b"two"),
    (4, ANA, ANA, "phone", b"to myself"),
    (5, LUIS, ANA, "phone", b"three"),
    (6, ANA, LUIS, "tablet", b"three"),
]


async def write_with_the_first_schema(url: str, indexed_up_to: int) -> None:
    engine = create_async_engine(make_url(url).set(drivername=DRIVERS[make_url(url).drivername]))
    async with engine.begin() as connection:
        await connection.run_sync(lambda plain: write(plain, ROWS, indexed_up_to))
    await engine.dispose()


def write(
    connection: Connection, rows: Sequence[tuple[int, str, str, str, bytes]], indexed_up_to: int
) -> None:
    migrate(connection, FIRST)
    for id, owner, peer, resource, stanza in rows:
        row = {"id": id, "owner": owner, "peer": peer, "resource": resource, "stanza": stanza}
        connection.execute(text("INSERT INTO archive VALUES (:id, :owner, :peer, :resource, :stanza)"), row)
        if id <= indexed_up_to or connection.dialect.name == "postgresql":
            connection.execute(text("INSERT INTO archive_index VALUES (:owner, :peer, :id, :resource)"), row)
    connection.execute(text("UPDATE archive_indexing SET up_to = :id"), {"id": indexed_up_to})


@pytest.mark.parametrize("indexed_up_to", [0, 3, 6])
async def test_both_archives_are_as_they_were_and_go_on(url: str, indexed_up_to: int) -> None:
    await write_with_the_first_schema(url, indexed_up_to)
    store = Store(await Database.open(url))

    async def ids(owner: str, peer: str | None = None, resource: str | None = None) -> list[int]:
        page = await store.archive.page(owner, peer=peer, resource=resource, limit=99)
        return [row.id for row in page.rows]

    assert (await store.archive.page(LUIS, limit=99)).rows == [(1, b"one"), (5, b"three")]
    assert await ids(ANA) == [2, 3, 4, 6]
    assert await ids(ANA, LUIS) == [2, 6]
    assert await ids(ANA, LUIS, "tablet") == [2, 6]
    assert await ids(ANA, LUIS, "phone") == []
    assert await ids(ANA, ANA) == [4]
    assert await ids(TEA) == []

    await store.archive.write([ArchiveRow(7, ANA, LUIS, "tablet", b"four", "phone")])

    assert await ids(ANA) == [2, 3, 4, 6, 7]
    assert await ids(LUIS) == [1, 5, 7]
    await store.accounts.remove(ANA)
    assert await ids(ANA) == []
    assert await ids(LUIS) == [1, 5, 7]
    await store.database.close()


async def test_names_of_before_were_claimed_by_the_clients_themselves(url: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername=DRIVERS[make_url(url).drivername]))
    async with engine.begin() as connection:
        await connection.run_sync(lambda plain: migrate(plain, "0004"))
        for key, name in (("k1", "Eva"), ("k2", "")):
            row = {"key": key, "name": name}
            await connection.execute(
                text("INSERT INTO desk_clients (key, name, lang) VALUES (:key, :name, 'es')"), row
            )
    await engine.dispose()
    store = Store(await Database.open(url))

    assert await store.desk.client("k1") == Client("k1", "es", names=(Name("Eva", "nick"),))
    assert await store.desk.client("k2") == Client("k2", "es")
    await store.database.close()
