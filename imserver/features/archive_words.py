"""XEP-0431: the index of words grows when there is time for it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from imserver.storage.archive_words import BITE

if TYPE_CHECKING:
    from imserver.server import Server

#: How often it is looked whether there is something to index, in seconds.
LOOK_SECONDS: Final = 2.0
#: While so many messages come in a second, there is no time: one bite at each look, so that it goes on at all.
BUSY: Final = 200
#: How much of the time indexing may take at most.
SHARE: Final = 0.1


class WordIndexing:
    """Indexes in the background, in bites."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, server: Server) -> None:
        """Begin to look for what is not indexed."""
        self._task = asyncio.create_task(self._index_for_ever(server))

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _index_for_ever(self, server: Server) -> None:
        written = server.counters.commit_rows.total
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            is_busy = server.counters.commit_rows.total - written > BUSY * LOOK_SECONDS
            written = server.counters.commit_rows.total
            try:
                await _index(server, bites=1 if is_busy else 50)
            except Exception as error:
                server.log.error("words of messages could not be indexed; it is tried again", exc_info=error)


async def _index(server: Server, bites: int) -> None:
    for _ in range(bites):
        began = time.monotonic()
        if await server.store.archive.words.index_some(time.time_ns() // 1000, BITE) < BITE:
            return
        await asyncio.sleep((time.monotonic() - began) / SHARE)
