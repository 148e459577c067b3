"""How much one address may ask of us before we know who it is (XEP-0205)."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver.settings import Limits

#: Addresses remembered for their failures; the oldest are forgotten first.
MOST_REMEMBERED = 10_000


class Doorkeeper:
    """Counts connections and failed logins by address."""

    def __init__(self, limits: Callable[[], Limits], now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._connections: Counter[str] = Counter()
        self._failures: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return self._connections.total()

    def admit(self, address: str) -> bool:
        """Count a connection in, or refuse it."""
        if self._connections[address] >= self._limits().connections_per_address:
            return False
        self._connections[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self._connections[address] -= 1
        if self._connections[address] <= 0:
            del self._connections[address]

    def may_log_in(self, address: str) -> bool:
        """Whether the address has not failed too often of late."""
        failures = self._failures.get(address)
        if failures is None:
            return True
        limits = self._limits()
        while failures and failures[0] < self._now() - limits.failed_login_seconds:
            failures.popleft()
        if not failures:
            del self._failures[address]
        return len(failures) < limits.failed_logins_per_address

    def login_failed(self, address: str) -> None:
        """Remember a failed login."""
        if address not in self._failures and len(self._failures) >= MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]
        failures = self._failures.setdefault(address, deque(maxlen=1000))
        failures.append(self._now())
