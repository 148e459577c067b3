"""The handle that plugins hold: one server, with everything it is made of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from imserver.counters import Counters
    from imserver.hooks import Hooks
    from imserver.routing.journal import Journal
    from imserver.routing.router import Router
    from imserver.routing.sessions import Sessions
    from imserver.settings import Settings
    from imserver.storage.store import Store
    from imserver.xmpp.jid import JID


@dataclass(slots=True, kw_only=True, eq=False)
class Server:
    """A running server."""

    settings: Settings
    domain: JID
    hooks: Hooks
    sessions: Sessions
    router: Router
    journal: Journal
    store: Store
    counters: Counters
    log: FilteringBoundLogger
    #: Now, in microseconds since 1970, larger at every call: what messages are numbered by.
    number: Callable[[], int]
    #: The version people are told.
    version: str
    #: Room for features, by their own key.
    features: dict[str, Any] = field(default_factory=dict)
    _running: set[asyncio.Future[Any]] = field(default_factory=set)

    def spawn(self, work: Awaitable[Any]) -> None:
        """Let something run on its own; if it fails, the log says so."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("background work failed", exc_info=error)

    async def settle(self) -> None:
        """Wait for everything that runs on its own."""
        while self._running:
            await asyncio.wait(set(self._running))
