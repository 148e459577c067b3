import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import bindparam, column, insert, select, table

from imserver.storage import schema
from imserver.storage.database import Database
from imserver.storage.schema import vcards

FIND = select(vcards.c.element).where(vcards.c.owner == bindparam("owner"))
BROKEN = select(table("nowhere", column("element")))


async def keep(database: Database, owner: str, element: bytes) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(vcards).values(owner=owner, element=element))


async def test_what_was_written_is_read(database: Database) -> None:
    for number in range(20):
        await keep(database, f"{number}@example.com", b"one by one")
        await database.write_batch((insert(vcards), [(f"batch-{number}@example.com", b"together")]))

        assert await database.fetch(FIND, owner=f"{number}@example.com") == [(b"one by one",)]
        assert await database.fetch(FIND, owner=f"batch-{number}@example.com") == [(b"together",)]


async def test_what_is_not_committed_is_not_read(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(vcards).values(owner="ana@example.com", element=b"<vCard/>"))

        assert await database.fetch(FIND, owner="ana@example.com") == []


async def test_everybody_gets_their_own_rows(database: Database) -> None:
    owners = [f"{number}@example.com" for number in range(100)]
    await database.write_batch((insert(vcards), [(owner, owner.encode()) for owner in owners]))

    found = await asyncio.gather(*(database.fetch(FIND, owner=owner) for owner in owners))

    assert found == [[(owner.encode(),)] for owner in owners]


async def test_values_come_as_the_schema_says(database: Database) -> None:
    accounts, items = schema.accounts, schema.roster_items
    now = datetime(2026, 7, 1, 8, 30, 0, 123456, tzinfo=UTC)
    item = {
        "owner": "ana@example.com",
        "contact": "luis@example.com",
        "name": "Luis",
        "subscription": "both",
        "ask": False,
        "approved": True,
        "groups": ["Friends"],
        "listed": True,
        "version": 1,
    }
    async with database.writing() as connection:
        await connection.execute(insert(accounts).values(owner="ana@example.com", enabled=False, created=now))
        await connection.execute(insert(items).values(item))

    assert await database.fetch(select(accounts)) == [("ana@example.com", False, now)]
    chosen = select(items.c.ask, items.c.approved, items.c.groups, items.c.pending_in)
    assert await database.fetch(chosen) == [(False, True, ["Friends"], None)]


async def test_an_error_reaches_exactly_who_caused_it(database: Database) -> None:
    await keep(database, "ana@example.com", b"<vCard/>")

    before, wrong, after = await asyncio.gather(
        database.fetch(FIND, owner="ana@example.com"),
        database.fetch(BROKEN),
        database.fetch(FIND, owner="ana@example.com"),
        return_exceptions=True,
    )

    assert before == after == [(b"<vCard/>",)]
    assert isinstance(wrong, Exception)
    assert await database.fetch(FIND, owner="ana@example.com") == [(b"<vCard/>",)]


async def test_a_value_that_is_missing_is_noticed(database: Database) -> None:
    with pytest.raises(KeyError, match="owner"):
        await database.fetch(FIND)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_who_is_cancelled_takes_nobody_along(database: Database, turns: int) -> None:
    await keep(database, "ana@example.com", b"<vCard/>")
    reads = [asyncio.create_task(database.fetch(FIND, owner="ana@example.com")) for _ in range(10)]
    for _ in range(turns):
        await asyncio.sleep(0)

    for read in reads[::2]:
        read.cancel()

    assert await asyncio.gather(*reads[1::2]) == [[(b"<vCard/>",)]] * 5
    assert await database.fetch(FIND, owner="ana@example.com") == [(b"<vCard/>",)]


async def test_all_are_cancelled_and_the_next_one_is_served(database: Database) -> None:
    await keep(database, "ana@example.com", b"<vCard/>")
    reads = [asyncio.create_task(database.fetch(FIND, owner="ana@example.com")) for _ in range(3)]
    await asyncio.sleep(0)
    for read in reads:
        read.cancel()
    await asyncio.wait(reads)

    assert await database.fetch(FIND, owner="ana@example.com") == [(b"<vCard/>",)]


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_who_waits_while_it_closes_is_served(tmp_path: Path, turns: int) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite")
    await keep(database, "ana@example.com", b"<vCard/>")
    first = asyncio.create_task(database.fetch(FIND, owner="ana@example.com"))
    for _ in range(turns):
        await asyncio.sleep(0)
    second = asyncio.create_task(database.fetch(FIND, owner="ana@example.com"))
    await asyncio.sleep(0)

    await database.close()

    assert await first == await second == [(b"<vCard/>",)]


async def test_a_closed_database_answers_nobody(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite")
    await database.close()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await database.fetch(FIND, owner="ana@example.com")


async def test_another_process_is_heard(tmp_path: Path) -> None:
    here, there = [await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite") for _ in range(2)]
    assert await here.fetch(FIND, owner="ana@example.com") == []

    await keep(there, "ana@example.com", b"<vCard/>")

    assert await here.fetch(FIND, owner="ana@example.com") == [(b"<vCard/>",)]
    await here.close()
    await there.close()
