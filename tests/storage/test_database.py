import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from imserver.storage.database import Database
from imserver.storage.schema import metadata, vcards

INSERT = insert(vcards)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"include_name": is_described})
    return list(compare_metadata(context, metadata))


def is_described(name: str | None, type_: str, _parents: Any) -> bool:
    """Leave out the index of words: each database has one of its own kind."""
    others = "archive_words", "ix_archive_words_words"
    return not (name or "").startswith(others) or name == "archive_words_indexing"


async def test_the_migrations_make_exactly_the_schema(database: Database) -> None:
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_that_is_up_to_date_opens_again(url: str) -> None:
    await (await Database.open(url)).close()

    again = await Database.open(url)

    async with again.reading() as connection:
        assert await connection.run_sync(differences) == []
    await again.close()


async def test_two_that_open_it_at_once_do_not_disturb_each_other(url: str) -> None:
    both = await asyncio.gather(Database.open(url), Database.open(url))

    for database in both:
        await database.close()


async def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(vcards).values(owner="ana@example.com", element=b"<vCard/>"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()

    assert await owners(database) == []


async def test_a_batch_that_fails_leaves_nothing_behind(database: Database) -> None:
    rows = [("ana@example.com", b"<vCard/>"), ("ana@example.com", b"<vCard/>")]

    with pytest.raises(Exception, match=r"(?i)unique"):
        await database.write_batch((INSERT, rows))

    assert await owners(database) == []
    await database.write_batch((INSERT, rows[:1]))
    assert await owners(database) == ["ana@example.com"]


async def test_many_writers_wait_for_each_other(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.writing() as connection:
            await connection.execute(insert(vcards).values(owner=f"a{number}@example.com", element=b""))
        await database.write_batch((INSERT, [(f"b{number}@example.com", b"")]))

    await asyncio.gather(*(write(number) for number in range(50)))

    assert len(await owners(database)) == 100


async def test_a_writer_that_is_cancelled_lets_the_next_one_in(database: Database) -> None:
    batch = asyncio.ensure_future(
        database.write_batch((INSERT, [(f"{n}@example.com", b"") for n in range(1000)]))
    )
    await asyncio.sleep(0)
    batch.cancel()

    await database.write_batch((INSERT, [("ana@example.com", b"")]))

    assert "ana@example.com" in await owners(database)


async def test_a_commit_of_sqlite_is_on_disk(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite")

    async with database.reading() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    await database.close()


async def test_only_the_server_may_read_the_file(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/imserver.sqlite")

    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}

    assert modes == {0o600}
    await database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/imserver"])
async def test_what_is_no_place_to_keep_things_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite needs a file|not a database we know"):
        await Database.open(url)


async def owners(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list(await connection.scalars(select(vcards.c.owner)))
