"""What we want to reach, and whether we did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contrib.bench.archive_paging import Paging
from contrib.bench.figures import (
    CPU,
    LOGINS,
    MEMORY,
    P99,
    THROUGHPUT,
    Case,
    Measure,
    Results,
    compare,
    figure,
    reason_to_refuse,
)
from contrib.bench.report import Report

OURS = "imserver"
PEERS = ("prosody", "ejabberd")


@dataclass(frozen=True, slots=True)
class Verdict:
    """None: it could not be measured, or may not be compared."""

    target: str
    wanted: str
    found: str
    is_met: bool | None

    @property
    def word(self) -> str:
        return {True: "yes", False: "no", None: "not known"}[self.is_met]


@dataclass(frozen=True, slots=True)
class Absolute:
    """A figure of ours has a limit."""

    step: str
    measure: Measure
    at_most: float
    unit: str


@dataclass(frozen=True, slots=True)
class Against:
    """A figure of ours, divided by the best one of these peers, has a limit."""

    step: str
    measure: Measure
    peers: Sequence[str]
    at_least: float | None = None
    at_most: float | None = None


Target = tuple[str, Absolute | Against]

TARGETS: Sequence[Target] = (
    ("archive on: messages/s", Against("chat-on", THROUGHPUT, PEERS, at_least=8)),
    ("archive on: CPU a message", Absolute("chat-on", CPU, 50, "µs")),
    ("archive on: CPU a message", Against("chat-on", CPU, PEERS, at_most=1 / 7)),
    ("archive off: CPU a message", Absolute("chat-off", CPU, 25, "µs")),
    ("archive off: CPU a message", Against("chat-off", CPU, ["ejabberd"], at_most=1 / 2)),
    ("archive off: CPU a message", Against("chat-off", CPU, ["prosody"], at_most=1 / 4)),
    ("p99 at 1,000 messages/s, archive on", Against("rate", P99, PEERS, at_most=1)),
    ("memory of an idle TLS client", Absolute("idle", MEMORY, 35, "kB")),
    ("memory of an idle TLS client", Against("idle", MEMORY, ["prosody"], at_most=3 / 4)),
    ("logins/s, SCRAM over TLS", Against("idle", LOGINS, PEERS, at_least=2)),
)
PAGING_AT_MOST = 1.2
CONNECTIONS_AT_MOST = 1.3


def judge(results: Results, paging: Sequence[Paging]) -> list[Verdict]:
    """Hold what was found against what is wanted."""
    return [
        *(_judge(title, target, results) for title, target in TARGETS),
        _judge_paging(paging),
        _judge_connections(results),
    ]


def _judge(title: str, target: Absolute | Against, results: Results) -> Verdict:
    match target:
        case Absolute():
            return _judge_absolute(title, target, results)
        case Against():
            return _judge_against(title, target, results)


def _judge_absolute(title: str, target: Absolute, results: Results) -> Verdict:
    wanted = f"≤ {target.at_most:g} {target.unit}"
    reports = _reports(target.step, OURS, results)
    if not reports or reason_to_refuse(reports):
        return Verdict(title, wanted, "–", None)
    found = figure(target.measure, reports).median
    return Verdict(title, wanted, f"{found:.1f} {target.unit}", found <= target.at_most)


def _judge_against(title: str, target: Against, results: Results) -> Verdict:
    better = target.peers[0] if len(target.peers) == 1 else "the better peer"
    limit = (
        f"≥ {target.at_least:g} ×" if target.at_least is not None else f"≤ {_fraction(target.at_most or 0)} ×"
    )
    wanted = f"{limit} {better}"
    choose = min if target.at_least is not None else max  # the hardest one to beat
    ratios = [(found, peer) for peer in target.peers if (found := _ratio(target, peer, results)) is not None]
    if len(ratios) < len(target.peers):
        return Verdict(title, wanted, "–", None)
    ratio, peer = choose(ratios)
    is_met = ratio >= target.at_least if target.at_least is not None else ratio <= (target.at_most or 0)
    return Verdict(title, wanted, f"{_plain(ratio)} × {peer}", is_met)


def _ratio(target: Against, peer: str, results: Results) -> float | None:
    ours, theirs = _case(target.step, OURS, results), _case(target.step, peer, results)
    if ours is None or theirs is None:
        return None
    ratio = compare(ours, theirs, target.measure, results)
    return None if ratio is None else ratio.median


def _judge_paging(paging: Sequence[Paging]) -> Verdict:
    title = "last 50 with a contact, 1 M against 10 k stored"
    wanted = f"≤ {PAGING_AT_MOST} ×"
    found = {page.messages: page.median_ms for page in paging}
    if not {10_000, 1_000_000} <= set(found):
        return Verdict(title, wanted, "–", None)
    ratio = found[1_000_000] / found[10_000]
    return Verdict(title, wanted, f"{ratio:.2f} ×", ratio <= PAGING_AT_MOST)


def _judge_connections(results: Results) -> Verdict:
    title = "5,000 connections against 100: CPU a message"
    wanted = f"≤ {CONNECTIONS_AT_MOST} ×"
    many, few = (_reports(step, OURS, results) for step in ("chat-off-5000", "chat-off"))
    if not many or not few or reason_to_refuse([*many, *few]):
        return Verdict(title, wanted, "–", None)
    ratio = figure(CPU, many).median / figure(CPU, few).median
    return Verdict(title, wanted, f"{ratio:.2f} ×", ratio <= CONNECTIONS_AT_MOST)


def _case(step: str, server: str, results: Results) -> Case | None:
    return next((case for case in results if case.step.name == step and case.server == server), None)


def _reports(step: str, server: str, results: Results) -> list[Report]:
    case = _case(step, server, results)
    return results[case] if case else []


def _fraction(value: float) -> str:
    return f"1/{1 / value:g}" if value < 1 and abs(1 / value - round(1 / value)) < 1e-9 else f"{value:g}"


def _plain(ratio: float) -> str:
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 0.7 else f"{ratio:.2f}"
