"""What the runs say together: medians, spreads, and ratios where they may be trusted."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from contrib.bench.plan import Step
from contrib.bench.report import Report

SATURATED = 0.9  # of a core
NOISY = 0.15  # of a core, used by others
KEEPS_UP = 0.97  # of the rate it was asked for


@dataclass(frozen=True, slots=True)
class Case:
    """A step of the plan with one server."""

    step: Step
    server: str

    def __str__(self) -> str:
        return f"{self.step.name}, {self.server}"


Results = dict[Case, list[Report]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table; `{}` stands for what the workload counts."""

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


THROUGHPUT = Measure("throughput", "{}s/s", lambda report: report.per_second)
CPU = Measure("server CPU", "µs a {}", lambda report: report.server_cpu_us_each, 1)
P50 = Measure("p50", "ms", lambda report: report.latency.p50_ms, 1)
P99 = Measure("p99", "ms", lambda report: report.latency.p99_ms, 1)
LONGEST = Measure("max", "ms", lambda report: report.latency.max_ms, 1)
MEMORY = Measure("memory", "kB a client", lambda report: report.memory_bytes_per_client / 1e3, 1)
LOGINS = Measure("logins", "/s", lambda report: report.logins_per_second, limited=were_logins_limited)
LOGIN_CPU = Measure("server CPU", "ms a login", lambda report: report.server_cpu_ms_per_login, 2)
SERVER_SHARE = Measure("server uses", "cores", lambda report: report.server_cpu_share, 2)
GENERATOR_SHARE = Measure("load uses", "cores", lambda report: report.generator_cpu_share, 2)

MEASURES = (THROUGHPUT, CPU, P50, P99, LONGEST, MEMORY, LOGINS, LOGIN_CPU, SERVER_SHARE, GENERATOR_SHARE)
SPEED = (THROUGHPUT, CPU, P50, P99, LONGEST, SERVER_SHARE, GENERATOR_SHARE)
SHOWN = {
    "rate": (THROUGHPUT, CPU, P50, P99, LONGEST),
    "idle": (MEMORY, LOGINS, LOGIN_CPU),
    "carbons": (THROUGHPUT, CPU, P50, P99, LONGEST),
    "presence": (THROUGHPUT, CPU, LONGEST),
    "reconnect": (THROUGHPUT, CPU, P50, P99, LONGEST),
}


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


def shown(step: Step) -> Sequence[Measure]:
    return SHOWN.get(step.workload, SPEED)


def figure(measure: Measure, reports: Sequence[Report]) -> Figure:
    return Figure.of([measure.of(report) for report in reports])


def compare(ours: Case, theirs: Case, measure: Measure, results: Results) -> Figure | None:
    """Give the ratio, if it may be trusted: run by run, for two that follow each other met the same machine."""
    if ours not in results or theirs not in results:
        return None
    if reason_to_refuse(results[ours]) or reason_to_refuse(results[theirs]):
        return None
    reports = [*results[ours], *results[theirs]]
    if any(measure.of(report) <= 0 or measure.limited(report) for report in reports):
        return None
    pairs = zip(results[ours], results[theirs], strict=True)
    return Figure.of([measure.of(our) / measure.of(their) for our, their in pairs])


def refusals(results: Results) -> Iterator[str]:
    for case, reports in results.items():
        if reason := reason_to_refuse(reports):
            yield f"{case}: no ratio, {reason}."


def reason_to_refuse(reports: Iterable[Report]) -> str:
    """Say why these may not be compared with others, or nothing."""
    for report in reports:
        if not report.correctness.is_perfect:
            return f"not everything came once and in order ({report.correctness}) {report.surprise}".strip()
        if is_bottleneck(report.generator_cpu_share, report.server_cpu_share):
            return "the load generator was the bottleneck"
    return ""


def remarks(results: Results) -> Iterator[str]:
    """Say if runs met a machine that was busy otherwise."""
    busy = {case: max(map(disturbance, reports)) for case, reports in results.items()}
    noisy = [case for case in busy if busy[case] > NOISY]
    if noisy:
        worst = max(noisy, key=lambda case: busy[case])
        yield (
            f"{len(noisy)} of {len(results)} figures were taken on a machine that was busy otherwise"
            f" (up to {busy[worst]:.2f} cores, {worst}); measure again on a quiet one."
        )


def laggards(results: Results) -> Iterator[str]:
    """Say who did not keep up with a rate: what waits there waits for a server that is full."""
    for case, reports in results.items():
        found = figure(THROUGHPUT, reports).median
        if case.step.rate and found < KEEPS_UP * case.step.rate:
            yield f"{case}: it handled {found:,.0f} of {case.step.rate:,} messages/s, so its latency is a queue's."


def disturbance(report: Report) -> float:
    """Add up the cores that others on this machine, and its host, kept from the run."""
    return report.others_cpu_share + report.stolen_cpu_share
