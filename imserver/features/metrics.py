"""What `/metrics` shows: read when somebody asks, so that it costs nothing otherwise."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from imserver.counters import Histogram
    from imserver.server import Server


class ServerCollector(Collector):
    """One server's numbers."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        """Read all numbers."""
        yield from self._gauges()
        yield from self._counters()
        counters = self._server.counters
        yield _histogram(
            "imserver_commit_seconds", "How long a group of records took", counters.commit_seconds
        )
        yield _histogram("imserver_commit_rows", "How many rows a group of records had", counters.commit_rows)

    def _gauges(self) -> Iterator[Metric]:
        sessions = list(self._server.sessions)
        connected = sum(session.is_connected for session in sessions)
        shown = GaugeMetricFamily(
            "imserver_sessions",
            "Sessions by whether a client is connected, or may come back",
            labels=["state"],
        )
        shown.add_metric(["connected"], connected)
        shown.add_metric(["detached"], len(sessions) - connected)
        yield shown
        available = sum(session.is_available for session in sessions)
        yield GaugeMetricFamily("imserver_sessions_available", "Sessions that sent presence", available)
        waiting = [len(one.acknowledgements.waiting) for one in sessions if one.acknowledgements is not None]
        yield GaugeMetricFamily(
            "imserver_unacknowledged_stanzas", "Stanzas that clients have not acknowledged", sum(waiting)
        )
        yield GaugeMetricFamily(
            "imserver_unacknowledged_stanzas_max", "The most of them in one session", max(waiting, default=0)
        )
        held = sum(len(session.held) for session in sessions)
        yield GaugeMetricFamily("imserver_held_stanzas", "Stanzas kept until somebody looks (XEP-0352)", held)
        uncommitted = sum(session.uncommitted for session in sessions)
        yield GaugeMetricFamily("imserver_uncommitted_stanzas", "Stanzas that wait for the disk", uncommitted)
        backlog = sum(session.backlog for session in sessions)
        yield GaugeMetricFamily("imserver_unserved_stanzas", "Stanzas that are not served yet", backlog)
        about = GaugeMetricFamily("imserver_info", "About the server", labels=["version", "domain"])
        about.add_metric([self._server.version, self._server.domain], 1)
        yield about

    def _counters(self) -> Iterator[Metric]:
        counters = self._server.counters
        stanzas = CounterMetricFamily(
            "imserver_stanzas", "Stanzas of clients by direction and kind", labels=["direction", "kind"]
        )
        for labels, count in counters.stanzas.items():
            stanzas.add_metric(list(labels), count)
        yield stanzas
        yield _by("imserver_connections", "Connections that were let in", "transport", counters.connections)
        yield _by("imserver_logins", "Logins", "mechanism", counters.logins)
        yield _by("imserver_refused_logins", "Logins that were refused", "condition", counters.refused_logins)
        yield CounterMetricFamily("imserver_uploads", "Files that were uploaded", counters.uploads)
        yield CounterMetricFamily("imserver_upload_bytes", "Bytes of these files", counters.upload_bytes)


def _by(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    metric = CounterMetricFamily(name, text, labels=[label])
    for key, count in counts.items():
        metric.add_metric([key], count)
    return metric


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.buckets), strict=True))
    return HistogramMetricFamily(name, text, buckets, histogram.total)
