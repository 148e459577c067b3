"""Steps that belong to one sender, one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

Step = Callable[..., Awaitable[None] | None]


class Lane:
    """Runs steps in order: at once while they are synchronous, behind the first one that has to wait otherwise."""

    __slots__ = ("_task", "_waiting")

    def __init__(self) -> None:
        # The event loop keeps only weak references to its tasks.
        self._task: asyncio.Future[None] | None = None
        self._waiting: deque[tuple[Step, tuple[Any, ...]]] | None = None

    def __len__(self) -> int:
        return len(self._waiting) if self._waiting is not None else 0

    @property
    def is_idle(self) -> bool:
        """Whether the next step would run at once."""
        return self._waiting is None

    def run(self, step: Step, *arguments: Any) -> None:
        """Run a step when all earlier ones are done."""
        if self._waiting is not None:
            self._waiting.append((step, arguments))
            return
        pending = step(*arguments)
        if pending is None:
            return
        self._waiting = deque()
        self._go_on(pending)

    def _go_on(self, pending: Awaitable[None] | None) -> None:
        self._task = asyncio.ensure_future(self._drain(pending))

    async def _drain(self, pending: Awaitable[None] | None) -> None:
        assert self._waiting is not None
        try:
            if pending is not None:
                await pending
            while self._waiting:
                step, arguments = self._waiting.popleft()
                later = step(*arguments)
                if later is not None:
                    await later
        finally:
            if self._waiting:  # only after a failure: nothing may be lost behind it
                self._go_on(None)
            else:
                self._waiting = self._task = None
