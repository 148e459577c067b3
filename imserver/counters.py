"""Plain numbers about what happens, cheap to keep up; `/metrics` reads them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

#: Upper bounds of the buckets, in seconds.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ROWS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Histogram:
    """How often a value fell between two bounds; the last bucket has no bound."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.total += value


class Counters:
    """All counters of one server."""

    __slots__ = (
        "commit_rows",
        "commit_seconds",
        "connections",
        "logins",
        "refused_logins",
        "stanzas",
        "upload_bytes",
        "uploads",
    )

    def __init__(self) -> None:
        #: By direction and kind: `("in", "message")`.
        self.stanzas: Counter[tuple[str, str]] = Counter()
        self.logins: Counter[str] = Counter()
        self.refused_logins: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()
        self.uploads = 0
        self.upload_bytes = 0
        self.commit_seconds = Histogram(SECONDS)
        self.commit_rows = Histogram(ROWS)

    def committed(self, rows: int, seconds: float) -> None:
        """Count one group of records."""
        self.commit_rows.observe(rows)
        self.commit_seconds.observe(seconds)
