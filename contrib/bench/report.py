"""What one run found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Correctness:
    """What went wrong; all zero when nothing did."""

    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    misdelivered: int = 0
    chat_states_lost: int = 0
    disconnected: int = 0

    @property
    def is_perfect(self) -> bool:
        return not any(asdict(self).values())

    def __str__(self) -> str:
        wrong = {what: count for what, count in asdict(self).items() if count}
        return ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in wrong.items()) or "perfect"


PERFECT = Correctness()


@dataclass(frozen=True, slots=True)
class Report:
    """A share of 1 is one core; what is counted (messages, copies, presences …) is the workload's to say."""

    clients: int
    logins_per_second: float
    server_cpu_ms_per_login: float
    login_server_share: float
    login_generator_share: float
    memory_bytes_per_client: float
    memory_bytes: int
    seconds: float
    count: int
    per_second: float
    latency: Latency
    server_cpu_us_each: float
    server_cpu_share: float
    generator_cpu_us_each: float
    generator_cpu_share: float
    others_cpu_share: float
    stolen_cpu_share: float
    correctness: Correctness
    surprise: str
    """The first thing that came to somebody it was not meant for: a refusal, as a rule."""

    @classmethod
    def from_json(cls, text: str) -> Report:
        fields = json.loads(text)
        latency = Latency(**fields.pop("latency"))
        correctness = Correctness(**fields.pop("correctness"))
        return cls(**fields, latency=latency, correctness=correctness)


def percentiles(seconds: Sequence[float]) -> Latency:
    if not seconds:
        return Latency(0.0, 0.0, 0.0)
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return Latency(*(ordered[round(last * part)] * 1e3 for part in (0.5, 0.99, 1.0)))
