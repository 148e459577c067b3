"""What time it is for the simulator, and what it has still to do."""

from __future__ import annotations

import asyncio
import heapq
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[], Awaitable[None] | None]

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(ABC):
    """Tells the time, and does things when their time has come."""

    def __init__(self) -> None:
        self._agenda: list[tuple[float, int, Step]] = []
        self._order = count()
        self._working: set[asyncio.Task[None]] = set()

    @abstractmethod
    def now(self) -> float:
        """Seconds since 1970."""

    @abstractmethod
    async def passes(self, seconds: float) -> None:
        """Let so much time go by, with all that happens in it."""

    @abstractmethod
    def _arm(self) -> None:
        """Look at the agenda: it has changed."""

    def after(self, seconds: float, step: Step) -> None:
        """Do this in so many seconds; at once if there are none."""
        if seconds <= 0:
            self._do(step)
            return
        heapq.heappush(self._agenda, (self.now() + seconds, next(self._order), step))
        self._arm()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        if seconds > 0:
            over = asyncio.get_running_loop().create_future()
            self.after(seconds, lambda: None if over.done() else over.set_result(None))
            await over

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin to do this, and know when all is done."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def settled(self) -> None:
        """Wait until nothing that has begun is left to do."""
        while self._working:
            await asyncio.wait(self._working)

    async def close(self) -> None:
        """Forget the rest."""
        self._agenda.clear()
        self._arm()
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def _do(self, step: Step) -> None:
        work = step()
        if work is not None:
            self.spawn(_awaited(work))

    def _do_next(self) -> float:
        """Do what is next, and say for when it was."""
        when, _, step = heapq.heappop(self._agenda)
        self._do(step)
        return when


class VirtualClock(Clock):
    """Stands still until it is told how much time passes: for tests."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        super().__init__()
        self._now = start

    def now(self) -> float:
        return self._now

    async def passes(self, seconds: float) -> None:
        """Let so much time go by; each thing that is due happens at its own second."""
        end = self._now + seconds
        await self.settled()
        while self._agenda and self._agenda[0][0] <= end:
            self._now = self._agenda[0][0]
            self._do_next()
            await self.settled()
        self._now = end

    def _arm(self) -> None:
        """Nothing rings by itself here."""


class RunningClock(Clock):
    """Goes like any clock, and can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return time.time() + self._ahead

    async def passes(self, seconds: float) -> None:
        """Put the clock forward, and do what is due by then."""
        self._ahead += seconds
        self._ring()
        await asyncio.sleep(0)

    def _ring(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.now():
            self._do_next()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._agenda:
            wait = max(0.0, self._agenda[0][0] - self.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self._ring)


async def _awaited(work: Awaitable[None]) -> None:
    await work
