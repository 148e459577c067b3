"""What the floor decides is stored, and then done.

Everything that one turn of the event loop brings is stored in one transaction. Nobody is told, asked or answered
before it is on disk, so that a server that is killed goes on where everybody thinks it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from imserver.desk.effects import Effect, Happened, Returned
from imserver.storage.conversations import AgentRow, ConversationRow
from imserver.storage.happenings import EventRow
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from imserver.desk.floor import Floor
    from imserver.server import Server

    Staged = Effect | Returned

#: How long that somebody wrote may be known in memory only, in seconds; where a client stands never is.
LAZY_SECONDS: Final = 5.0
#: How long to wait before a failed write is tried again, in seconds.
RETRY_SECONDS: Final = 1.0
#: How long a timer runs at most, in seconds: clocks are put right now and then.
LONGEST_WAIT: Final = 3_600.0


class Keeper:
    """Stores what has changed, then has done what follows from it; and has done what is due."""

    def __init__(
        self,
        server: Server,
        floor: Floor,
        clock: Callable[[], float],
        carry_out: Callable[[Staged], Awaitable[None]],
        *,
        note: Callable[[Staged], None],
    ) -> None:
        self._server = server
        self._floor = floor
        self._clock = clock
        self._carry_out = carry_out
        #: Told at once: what comes before an effect is carried out may have to wait behind it.
        self._note = note
        #: Held by whoever writes down how conversations are: the newest is written last.
        self.storing = asyncio.Lock()
        self._staged: deque[Staged] = deque()
        # What could not be stored yet.
        self._events: list[EventRow] = []
        self._conversations: dict[int, ConversationRow] = {}
        self._agents: dict[str, AgentRow] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._lazy: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._is_stopped = False
        self._has_given_up = False

    def stage(self, effects: Iterable[Staged]) -> None:
        """Have what an event brought stored, and then done."""
        staged = list(effects)
        if staged:
            for effect in staged:
                self._note(effect)
            self._staged.extend(staged)
            self._wake()
        elif self._lazy is None and not self._is_stopped:
            self._lazy = asyncio.get_running_loop().call_later(LAZY_SECONDS, self._wake)
        self._set_timer()

    async def kept(self) -> None:
        """Wait until everything staged so far is on disk, and done.

        Raises:
            StanzaError: If the server stops before.
        """
        if self._has_given_up:
            raise _stopping()
        if self._task is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def stop(self) -> None:
        """Store what is only in memory, and do nothing more."""
        self._is_stopped = True
        for handle in (self._lazy, self._timer):
            if handle is not None:
                handle.cancel()
        self._wake()
        with suppress(StanzaError):
            await self.kept()

    # Storing

    def _wake(self) -> None:
        if self._lazy is not None:
            self._lazy.cancel()
            self._lazy = None
        if self._task is None:
            self._has_given_up = False
            self._task = asyncio.create_task(self._keep())
            self._server.spawn(self._task)  # the server's end waits for it: until then people leave

    async def _keep(self) -> None:
        try:
            while True:
                staged, self._staged = list(self._staged), deque()
                waiters, self._waiters = self._waiters, []
                self._has_given_up = not await self._save(staged)
                if self._has_given_up:
                    self._refuse([*waiters, *self._waiters])
                    return
                for effect in staged:
                    await self._carry_out(effect)
                for waiter in waiters:
                    if not waiter.done():
                        waiter.set_result(None)
                if not self._staged and not self._waiters:
                    return
        finally:
            self._task = None

    def _refuse(self, waiters: Iterable[asyncio.Future[None]]) -> None:
        self._waiters = []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(_stopping())

    async def _save(self, staged: Sequence[Staged]) -> bool:
        self._events += [_row(effect) for effect in staged if isinstance(effect, Happened)]
        async with self.storing:
            self._conversations |= {
                one.id: ConversationRow(**one.to_row()) for one in self._floor.take_changed()
            }
            self._agents |= {one.jid: AgentRow(**one.to_row()) for one in self._floor.take_changed_agents()}
            rows = list(self._conversations.values()), self._events, list(self._agents.values())
            if not any(rows):
                return True
            is_stored = await self.write(lambda: self._server.store.desk.save(*rows))
            if is_stored:
                self._events, self._conversations, self._agents = [], {}, {}
            return is_stored

    async def write(self, write: Callable[[], Awaitable[None]]) -> bool:
        """Write something to disk, however long that takes; False: the server stops before."""
        while True:
            try:
                await write()
            except Exception as error:
                self._server.log.error("the desk could not be stored; it tries again", exc_info=error)
                if self._is_stopped:
                    return False
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return True

    # What is due

    def _set_timer(self) -> None:
        at = self._floor.next_deadline()
        if at is None or self._is_stopped:
            return
        if self._timer is not None:
            if self._timer_at <= at:
                return  # it finds nothing to do then, and is set anew
            self._timer.cancel()
        self._timer_at = at
        wait = max(at - self._clock(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(min(wait, LONGEST_WAIT), self.tick)

    def tick(self) -> None:
        """Do what is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.stage(self._floor.tick(self._clock()))


def _row(effect: Happened) -> EventRow:
    return EventRow(
        effect.conversation_id, effect.queue, effect.agent, effect.kind, effect.at, effect.seconds
    )


def _stopping() -> StanzaError:
    """Nothing is acknowledged that is not on disk."""
    return StanzaError("resource-constraint", "The server stops; try again later")
