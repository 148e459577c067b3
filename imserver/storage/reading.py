"""A few rows at the price of the driver: what every login reads."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, Self

from sqlalchemy import Dialect, Select
from sqlalchemy.ext.asyncio import AsyncEngine

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as the driver wants it, and how its values get there and back."""

    sql: str
    order: Sequence[str]
    fixed: Mapping[str, Any]
    columns: Sequence[Callable[[Any], Any] | None]

    @classmethod
    def compile(cls, statement: Select[*tuple[Any, ...]], dialect: Dialect) -> Self:
        compiled = statement.compile(dialect=dialect)
        wanted = {name for bind, name in compiled.bind_names.items() if bind.required}
        return cls(
            sql=str(compiled),
            order=compiled.positiontup or (),
            fixed={name: value for name, value in compiled.params.items() if name not in wanted},
            columns=[
                column.type.dialect_impl(dialect).result_processor(dialect, None)
                for column in statement.selected_columns
            ],
        )

    def arrange(self, values: Mapping[str, Any]) -> list[Any]:
        """Put the values in the order of the SQL."""
        known = {**self.fixed, **values}
        return [known[name] for name in self.order]

    def understand(self, row: Sequence[Any]) -> Row:
        """Make of a row what the schema says that it is."""
        return tuple(
            [
                value if process is None else process(value)
                for value, process in zip(row, self.columns, strict=True)
            ]
        )


class Reader(Protocol):
    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run one query on what is on disk now."""

    async def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Request:
    """Somebody waits for these rows."""

    sql: str
    values: Sequence[Any]
    answer: asyncio.Future[list[Row]]


class SQLiteReader:
    """A connection below SQLAlchemy, in a thread of its own.

    What is asked in one turn of the event loop, or while the thread is busy, is read in one trip. A row through
    SQLAlchemy and aiosqlite changes threads eight times and takes 1.5 ms of CPU; this one changes once.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-reader")
        self._waiting: list[Request] = []
        self._under_way: list[Request] = []
        self._is_due = False
        self._is_closed = False

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Row]:
        if self._is_closed:
            raise sqlite3.ProgrammingError("the database is closed")
        loop = asyncio.get_running_loop()
        request = Request(sql, values, loop.create_future())
        self._waiting.append(request)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._begin, loop)
        return await request.answer

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        # Who was cancelled meanwhile wants nothing any more.
        self._under_way = [request for request in self._waiting if not request.answer.done()]
        self._waiting = []
        if self._under_way:
            self._thread.submit(self._read, self._under_way, loop)
        else:
            self._is_due = False

    def _read(self, requests: Sequence[Request], loop: asyncio.AbstractEventLoop) -> None:
        """Read for everybody; in the thread."""
        outcomes = [self._read_one(request) for request in requests]
        loop.call_soon_threadsafe(self._hand_out, outcomes, loop)

    def _read_one(self, request: Request) -> list[Row] | Exception:
        try:
            return self._connection.execute(request.sql, request.values).fetchall()
        except Exception as error:
            return error

    def _hand_out(self, outcomes: Sequence[list[Row] | Exception], loop: asyncio.AbstractEventLoop) -> None:
        for request, outcome in zip(self._under_way, outcomes, strict=True):
            if request.answer.done():
                continue
            if isinstance(outcome, Exception):
                request.answer.set_exception(outcome)
            else:
                request.answer.set_result(outcome)
        self._begin(loop)

    async def close(self) -> None:
        """Serve who waits, and nobody after them."""
        self._is_closed = True
        if unanswered := [request.answer for request in (*self._under_way, *self._waiting)]:
            await asyncio.wait(unanswered)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


class PostgreSQLReader:
    """asyncpg itself, on a connection of the engine's pool: no transaction around a single query."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            rows: Sequence[Sequence[Any]] = await driver.fetch(sql, *values)
        return rows

    async def close(self) -> None:
        """Leave the engine to its owner."""
