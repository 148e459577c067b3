"""How much visitors may ask of us: by themselves, and all that come from one address together (XEP-0205)."""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

#: Addresses that are remembered; of those that have been quiet for longest, the first is forgotten.
MOST_REMEMBERED: Final = 10_000


@lru_cache(maxsize=4_096)
def network_of(address: str) -> str:
    """Name who is behind an address: with IPv6 a household has a whole network (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Bucket:
    """So much at once, and so much a second after that."""

    __slots__ = ("_left", "_then")

    def __init__(self, now: float, size: float) -> None:
        self._left = size
        self._then = now

    def take(self, now: float, rate: float, size: float, amount: float = 1) -> bool:
        """Take so much, if there is as much."""
        self._left = min(size, self._left + (now - self._then) * rate)
        self._then = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class Buckets:
    """A bucket for each address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, address: str, rate: float, size: float, amount: float = 1) -> bool:
        """Take so much from the address's bucket, if there is as much."""
        now, bucket = self._clock(), self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(now, size)
            if len(self._buckets) > MOST_REMEMBERED:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
        return bucket.take(now, rate, size, amount)


class Sessions:
    """How many sessions each address has."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def __getitem__(self, address: str) -> int:
        return self._open.get(address, 0)

    def opened(self, address: str) -> None:
        """Count one in."""
        self._open[address] += 1

    def closed(self, address: str) -> None:
        """Count one out."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]
