"""Waiting until something is true, instead of sleeping and hoping."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

# Generous: it is only ever spent by a test that fails.
PATIENCE = 60.0


class Notice:
    """Tells those who wait that they may look again."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def changed(self) -> None:
        self._changed.set()

    async def until(
        self, question: Callable[[], Answer | None], story: Callable[[], str], within: float = PATIENCE
    ) -> Answer:
        """Ask again after every change, until there is an answer.

        Raises:
            AssertionError: If none comes in time; it tells the story so far.
        """
        try:
            async with asyncio.timeout(within):
                while not (answer := question()):
                    self._changed.clear()
                    await self._changed.wait()
                return answer
        except TimeoutError:
            raise AssertionError(story()) from None
