"""What `/metrics` shows of the files that came, and of those that did not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


class FileCounters(Collector):
    """One server's files."""

    def __init__(self) -> None:
        self.accepted = 0
        #: By the key of the reason.
        self.refused: Counter[str] = Counter()
        #: By verdict: clean, infected, failed.
        self.scans: Counter[str] = Counter(clean=0, infected=0, failed=0)

    def collect(self) -> Iterator[Metric]:
        """Read all numbers."""
        yield CounterMetricFamily("imserver_file_policy_accepted", "Files that came", self.accepted)
        refused = CounterMetricFamily(
            "imserver_file_policy_refused", "Files that were refused, by reason", labels=["reason"]
        )
        for key, count in self.refused.items():
            refused.add_metric([key], count)
        yield refused
        scans = CounterMetricFamily(
            "imserver_file_policy_scans", "Files that clamd was asked about, by verdict", labels=["verdict"]
        )
        for verdict, count in self.scans.items():
            scans.add_metric([verdict], count)
        yield scans
