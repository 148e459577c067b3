"""Where everything is kept: one SQLite file, or PostgreSQL for many nodes."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Delete, Insert, Select, Update, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from imserver.storage.batch import BatchWriter, EngineBatchWriter, SQLiteBatchWriter, Step
from imserver.storage.migration import migrate
from imserver.storage.reading import PostgreSQLReader, Query, Reader, Row, SQLiteReader

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}

#: How long we wait while another process, such as the command line, is writing.
BUSY_SECONDS: Final = 10

PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit that returned survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8192",  # KiB a connection
)

Rows = Sequence[tuple[Any, ...]]


class Database:
    def __init__(
        self,
        engine: AsyncEngine,
        reader: Reader,
        batches: BatchWriter,
        alone: AbstractAsyncContextManager[object],
    ) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._reader = reader
        self._batches = batches
        # SQLite has one writer at a time: they queue up here, in order, and never see SQLITE_BUSY.
        self._alone = alone
        self._compiled: dict[Insert | Update | Delete, str] = {}
        self._queries: dict[Select[*tuple[Any, ...]], Query] = {}

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect, and bring the schema up to date: `sqlite:///file.sqlite` or `postgresql://host/name`."""
        address = _understand(url)
        if address.get_backend_name() == "sqlite":
            return await cls._open_sqlite(address)

        engine = create_async_engine(address, pool_pre_ping=True)
        await _migrate(engine)
        return cls(engine, PostgreSQLReader(engine), EngineBatchWriter(engine), nullcontext())

    @classmethod
    async def _open_sqlite(cls, address: URL) -> Self:
        file = str(address.database)
        _create_privately(file)
        await _use_wal(file)
        engine = create_async_engine(address)
        event.listen(engine.sync_engine, "connect", _prepare_connection)
        event.listen(engine.sync_engine, "begin", _begin)
        await _migrate(engine)

        reader = SQLiteReader(_connect(file, *PRAGMAS, "PRAGMA query_only = ON"))
        return cls(engine, reader, SQLiteBatchWriter(_connect(file, *PRAGMAS)), asyncio.Lock())

    @property
    def is_shared(self) -> bool:
        """Whether other nodes write to it too."""
        return self._engine.dialect.name != "sqlite"

    async def fetch(self, statement: Select[*tuple[Any, ...]], **values: Any) -> list[Row]:
        """Read a few rows by one query, as fast as the driver can; what was committed before is there.

        Statements are compiled once: keep them as constants, with a `bindparam` for each value.
        """
        query = self._queries.get(statement)
        if query is None:
            query = self._queries[statement] = Query.compile(statement, self._engine.dialect)
        rows = await self._reader.fetch(query.sql, query.arrange(values))
        return [query.understand(row) for row in rows]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Look at one moment of the database: for several queries, or many rows."""
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Change it in one transaction, which is on disk when the block has ended."""
        async with self._alone, self._writing_engine.begin() as connection:
            yield connection

    async def write_batch(self, *steps: tuple[Insert | Update | Delete, Rows | None]) -> None:
        """Write many rows in one transaction, as fast as the driver can.

        Each row is a tuple in the order of the table's columns. Statements are compiled once: keep them as
        constants.
        """
        compiled: list[Step] = [(self._compile(statement), rows) for statement, rows in steps]
        async with self._alone:
            await self._batches.write(compiled)

    def _compile(self, statement: Insert | Update | Delete) -> str:
        if statement not in self._compiled:
            self._compiled[statement] = str(statement.compile(dialect=self._engine.dialect))
        return self._compiled[statement]

    async def close(self) -> None:
        await self._reader.close()
        await self._batches.close()
        await self._engine.dispose()


def _understand(url: str) -> URL:
    address = make_url(url)
    if address.drivername not in DRIVERS:
        raise ValueError(f"{address.drivername} is not a database we know: use sqlite or postgresql")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file: sqlite:////var/lib/imserver/imserver.sqlite")
    return address.set(drivername=DRIVERS[address.drivername])


def _create_privately(file: str) -> None:
    # SQLite gives its other files (-wal, -shm) the same permissions.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


async def _use_wal(file: str) -> None:
    """Switch a new file to WAL, which it stays in.

    Of several who do so at once, such as the server and the command line, SQLite refuses all but one without
    waiting for its `busy_timeout`.
    """
    for _ in range(BUSY_SECONDS * 100):
        if _is_wal(file):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"another process holds {file}")


def _is_wal(file: str) -> bool:
    with closing(sqlite3.connect(file, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
    return True


def _connect(file: str, *pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in pragmas:
        connection.execute(pragma)
    return connection


async def _migrate(engine: AsyncEngine) -> None:
    try:
        async with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            await connection.run_sync(migrate)
    except BaseException:
        await engine.dispose()
        raise


def _prepare_connection(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver would begin late, at the first write; we begin ourselves, see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
