"""Every test runs on SQLite, and on PostgreSQL too where there is one.

IMSERVER_TEST_POSTGRESQL is the address of a PostgreSQL database for tests only: each test empties it.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from imserver.storage.database import Database
from imserver.storage.store import Store

POSTGRESQL = os.environ.get("IMSERVER_TEST_POSTGRESQL", "")

BACKENDS = [pytest.param("sqlite", id="sqlite")]
if POSTGRESQL:
    BACKENDS.append(pytest.param("postgresql", id="postgresql"))


@pytest.fixture(params=BACKENDS)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/imserver.sqlite"
    await empty_postgresql()
    return POSTGRESQL


async def empty_postgresql() -> None:
    engine = create_async_engine(make_url(POSTGRESQL).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")
    await engine.dispose()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)
