"""Many rows in one transaction and one trip to the database: the hot path."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

# SQL as the driver wants it, and either the rows to run it for or None to run it once.
Step = tuple[str, Sequence[tuple[Any, ...]] | None]

INSERT_ONE = re.compile(r"(INSERT .* VALUES )(\(\?(?:, \?)*\))(.*)", re.DOTALL)
# Of each power of two one statement is prepared, and kept by the driver.
MOST_ROWS_A_STATEMENT = 512


class BatchWriter(Protocol):
    async def write(self, steps: Sequence[Step]) -> None:
        """Run the steps as one transaction; it is on disk when this returns."""

    async def close(self) -> None: ...


class SQLiteBatchWriter:
    """A connection below SQLAlchemy, in a thread of its own.

    A transaction of one row through SQLAlchemy and aiosqlite changes threads again and again and takes 1.7 ms of
    CPU; this one changes once and takes 0.3 ms.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-batch")

    async def write(self, steps: Sequence[Step]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, steps)

    def _write(self, steps: Sequence[Step]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for sql, rows in steps:
                if rows is None:
                    connection.execute(sql)
                else:
                    _run_for_all(connection, sql, rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


def _run_for_all(connection: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows by few statements.

    The driver lets go of Python's lock at each statement, and while the event loop is busy, waits long for it.
    """
    if len(rows) == 1 or _insert_many(sql, 1) is None:
        connection.executemany(sql, rows)
        return
    first = 0
    while left := len(rows) - first:
        count = min(1 << (left.bit_length() - 1), MOST_ROWS_A_STATEMENT)
        values = list(chain.from_iterable(rows[first : first + count]))
        connection.execute(_insert_many(sql, count) or sql, values)
        first += count


@lru_cache
def _insert_many(sql: str, count: int) -> str | None:
    """Write the statement that inserts so many rows, if it is one that inserts plain values."""
    one = INSERT_ONE.fullmatch(sql)
    if one is None:
        return None
    start, row, end = one.groups()
    return start + ", ".join([row] * count) + end


class EngineBatchWriter:
    """The same through SQLAlchemy, for databases whose driver is asynchronous."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(self, steps: Sequence[Step]) -> None:
        async with self._engine.begin() as connection:
            for sql, rows in steps:
                await connection.exec_driver_sql(sql, None if rows is None else list(rows))

    async def close(self) -> None:
        """Leave the engine to its owner."""
