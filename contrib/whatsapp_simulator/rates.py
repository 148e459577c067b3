"""How fast a business may write (Cloud API: Throughput)."""

from __future__ import annotations

from collections import deque

PAIR_SECONDS = 6.0
PAIR_BURST = 45


class PairRate:
    """One message in 6 s to the same person; a burst of up to 45 in 6 s is borrowed from the future."""

    def __init__(self) -> None:
        self._paid_until = 0.0
        self._burst_began = 0.0
        self._burst = 0

    def may_send(self, now: float) -> bool:
        """Whether one more goes through; if so it counts."""
        if now >= self._paid_until:
            self._burst_began, self._burst, self._paid_until = now, 0, now
        elif now >= self._burst_began + PAIR_SECONDS or self._burst >= PAIR_BURST:
            return False
        self._burst += 1
        self._paid_until += PAIR_SECONDS
        return True


class Throughput:
    """So many messages a second, in and out together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: deque[float] = deque()

    def note(self, now: float) -> None:
        """One came in: it counts, but nobody can refuse it."""
        self._forget(now)
        self._last.append(now)

    def may_send(self, now: float) -> bool:
        """Whether one more goes through; if so it counts."""
        self._forget(now)
        if len(self._last) >= self._most:
            return False
        self._last.append(now)
        return True

    def _forget(self, now: float) -> None:
        while self._last and self._last[0] <= now - 1.0:
            self._last.popleft()
