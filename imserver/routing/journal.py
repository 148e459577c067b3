"""Group commit: what must be on disk before anybody is told.

Everything that one turn of the event loop brings, on any connection, shares one transaction. While it is written
the next group gathers. A sender's stanzas stay in order: what needs no record waits for its sender's records.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

from imserver.routing.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from structlog.typing import FilteringBoundLogger

    from imserver.counters import Counters

    Item = Any
    Entry = tuple["Origin", Item]


class Origin:
    """Somebody who sends stanzas: their order is kept."""

    __slots__ = ("inbound", "outbound", "uncommitted", "undecided")

    def __init__(self) -> None:
        #: Before the record: refining.
        self.inbound = Lane()
        #: After the record: delivering, answering.
        self.outbound = Lane()
        #: How many of its stanzas wait for the disk.
        self.uncommitted = 0
        #: How many of its messages are with components that have not said yet what becomes of them.
        self.undecided = 0

    def decided(self) -> None:
        """Take note that a component is done with a message."""
        self.undecided -= 1

    @property
    def backlog(self) -> int:
        """How many of its stanzas are not served yet."""
        return self.uncommitted + len(self.inbound) + len(self.outbound)


class Records(Protocol):
    """Where a group goes."""

    async def write(self, rows: Sequence[Any]) -> None:
        """Commit all rows, or none."""


class Journal:
    """Gathers records and what follows them, and commits group after group."""

    def __init__(
        self,
        records: Records,
        *,
        served: Callable[[Origin, Item], Awaitable[None] | None],
        failed: Callable[[Origin, Item], Awaitable[None] | None],
        counters: Counters,
        log: FilteringBoundLogger,
    ) -> None:
        self._records = records
        self._served = served
        self._failed = failed
        self._counters = counters
        self._log = log
        self._rows: list[Any] = []
        self._entries: list[Entry] = []
        self._writer: asyncio.Task[None] | None = None

    def add(self, origin: Origin, item: Item, rows: Sequence[Any] = ()) -> None:
        """Serve the item once its rows, and all earlier ones of its origin, are on disk."""
        if not rows and not origin.uncommitted:
            origin.outbound.run(self._served, origin, item)
            return
        self._rows.extend(rows)
        self._entries.append((origin, item))
        origin.uncommitted += 1
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        # One turn of the loop passes before this runs: whatever it brings joins the group.
        try:
            while self._entries:
                rows, self._rows = self._rows, []
                entries, self._entries = self._entries, []
                finish = await self._commit(rows)
                for origin, item in entries:
                    origin.uncommitted -= 1
                    try:
                        origin.outbound.run(finish, origin, item)
                    except Exception as error:  # the rest of the group has nothing to do with it
                        self._log.error("something on record could not be served", exc_info=error)
        finally:
            self._writer = None

    async def _commit(self, rows: list[Any]) -> Callable[[Origin, Item], Awaitable[None] | None]:
        if not rows:
            return self._served
        began = time.perf_counter()
        try:
            await self._records.write(rows)
        except Exception as error:
            self._log.error("nothing could be written; the senders are told", rows=len(rows), exc_info=error)
            return self._failed
        self._counters.committed(len(rows), time.perf_counter() - began)
        return self._served

    async def settled(self) -> None:
        """Wait until everything added so far is on disk."""
        while self._writer is not None:
            await asyncio.wait([self._writer])
