"""When to look at what next: one deadline for each key."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", int, str)


class Timers(Generic[KeyT]):
    """Deadlines in order. One that is put off stays in the heap where it was, and is put right when it comes up."""

    __slots__ = ("_due", "_heap", "_scheduled")

    def __init__(self) -> None:
        self._due: dict[KeyT, float] = {}
        self._scheduled: dict[KeyT, float] = {}
        self._heap: list[tuple[float, KeyT]] = []

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: KeyT, at: float | None) -> None:
        """Have the key come up at a time, and at no other; None has it never come up."""
        if at is None:
            self._due.pop(key, None)
            return
        self._due[key] = at
        scheduled = self._scheduled.get(key)
        if scheduled is None or at < scheduled:
            self._scheduled[key] = at
            heappush(self._heap, (at, key))
            if len(self._heap) > 64 + 2 * len(self._due):
                self._tidy()

    def next(self) -> float | None:
        """Tell when the first key is due."""
        while self._heap:
            at, key = self._heap[0]
            if self._scheduled.get(key) == self._due.get(key) == at:
                return at
            self._put_right()
        return None

    def take(self, now: float) -> list[KeyT]:
        """Take out the keys that are due, the earliest first."""
        taken: list[KeyT] = []
        while (at := self.next()) is not None and at <= now:
            _, key = heappop(self._heap)
            del self._due[key], self._scheduled[key]
            taken.append(key)
        return taken

    def _put_right(self) -> None:
        at, key = heappop(self._heap)
        if self._scheduled.get(key) != at:
            return  # it was moved forward: another entry stands for it
        due = self._due.get(key)
        if due is None:
            del self._scheduled[key]
            return
        self._scheduled[key] = due
        heappush(self._heap, (due, key))

    def _tidy(self) -> None:
        self._scheduled = dict(self._due)
        self._heap = [(at, key) for key, at in self._due.items()]
        heapify(self._heap)
