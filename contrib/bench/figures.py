"""What the runs say together: medians, spreads, and ratios where they may be trusted."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from contrib.bench.load import Report

SATURATED = 0.9  # of a core
NOISY = 0.15  # of a core, used by others


@dataclass(frozen=True, slots=True)
class Case:
    """A server with or without its archive."""

    server: str
    archive: bool

    def __str__(self) -> str:
        return f"{self.server}, archive {'on' if self.archive else 'off'}"


Results = dict[Case, list[Report]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table."""

    title: str
    unit: str
    of: Callable[[Report], float]
    digits: int = 0
    limited: Callable[[Report], bool] = lambda report: False
    """Whether the load was what kept this one figure down."""


def is_bottleneck(generator_share: float, server_share: float) -> bool:
    return generator_share > SATURATED and server_share < SATURATED


def were_logins_limited(report: Report) -> bool:
    return is_bottleneck(report.login_generator_share, report.login_server_share)


# The last ones tell who was at the limit.
MEASURES = (
    Measure("messages", "/s", lambda report: report.messages_per_second),
    Measure("CPU", "µs/message", lambda report: report.server_cpu_us_per_message, 1),
    Measure("p50", "ms", lambda report: report.latency.p50_ms, 1),
    Measure("p99", "ms", lambda report: report.latency.p99_ms, 1),
    Measure("max", "ms", lambda report: report.latency.max_ms, 1),
    Measure("memory", "kB/client", lambda report: report.rss_bytes_per_connection / 1e3, 1),
    Measure("logins", "/s", lambda report: report.logins_per_second, limited=were_logins_limited),
    Measure("login CPU", "ms", lambda report: report.server_cpu_ms_per_login, 2),
    Measure("server uses", "cores", lambda report: report.server_cpu_share, 2),
    Measure("generator uses", "cores", lambda report: report.generator_cpu_share, 2),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What some runs say together."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(statistics.median(values), min(values), max(values))

    @property
    def spread(self) -> float:
        """Half the distance between the extremes, as a part of the median."""
        return (self.highest - self.lowest) / 2 / self.median if self.median else 0.0


def pairs(results: Results) -> Iterator[tuple[Case, Case]]:
    """Lay the first server beside each other one, archive off and archive on apart."""
    for theirs in results:
        ours = next(case for case in results if case.archive == theirs.archive)
        if ours != theirs:
            yield ours, theirs


def compare(results: Results) -> Iterator[tuple[Case, Case, Measure, Figure]]:
    """Give every ratio that may be trusted."""
    for ours, theirs in pairs(results):
        if reason_to_refuse(ours, results) or reason_to_refuse(theirs, results):
            continue
        for measure in MEASURES:
            reports = [*results[ours], *results[theirs]]
            if all(measure.of(report) > 0 and not measure.limited(report) for report in reports):
                yield ours, theirs, measure, ratio(measure, results[ours], results[theirs])


def refusals(results: Results) -> Iterator[str]:
    for case in results:
        if reason := reason_to_refuse(case, results):
            yield f"No ratio with {case}: {reason}."


def reason_to_refuse(case: Case, results: Results) -> str:
    """Say why a case may not be compared with others, or nothing."""
    for report in results[case]:
        if not report.correctness.is_perfect:
            return f"it did not deliver everything once and in order ({report.correctness}) {report.surprise}"
        if is_bottleneck(report.generator_cpu_share, report.server_cpu_share):
            return "the load generator was the bottleneck"
    return ""


def remarks(results: Results) -> Iterator[str]:
    """Say which cases met a machine that was busy otherwise."""
    for case, reports in results.items():
        others = Figure.of([report.others_cpu_share for report in reports])
        stolen = Figure.of([report.stolen_cpu_share for report in reports])
        if others.highest + stolen.highest > NOISY:
            yield (
                f"{case}: up to {others.highest:.2f} cores were used by others,"
                f" and {stolen.highest:.2f} by the host; measure again on a quiet machine."
            )


def figure(measure: Measure, reports: Sequence[Report]) -> Figure:
    return Figure.of([measure.of(report) for report in reports])


def ratio(measure: Measure, ours: Sequence[Report], theirs: Sequence[Report]) -> Figure:
    """Compare run by run: two that follow each other met the same machine."""
    return Figure.of([measure.of(our) / measure.of(their) for our, their in zip(ours, theirs, strict=True)])
