"""What the contact centre costs: `python -m contrib.bench.desk`.

- routing a conversation among 500 agents and 50 queues: wanted is less than 1 ms;
- 10,000 open conversations: wanted is less than 200 MB;
- a message between client and agent, beside one between two accounts: wanted is at most twice as much;
- the same with all bundled plugins: wanted is at most 30 % more.

The messages go through a server of their own, over sockets, as those of `contrib.bench.run` do.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from contrib.bench.figures import Case
from contrib.bench.peers.imserver import BUNDLED
from contrib.bench.plan import Step
from contrib.bench.run import measure
from imserver.desk.assignment import Question
from imserver.desk.conversation import Conversation
from imserver.desk.effects import Effect, HandOver, Offer
from imserver.desk.floor import Floor
from imserver.desk.settings import DeskSettings, QueueSettings
from imserver.desk.strategies import choose_agent
from imserver.xmpp.jid import JID

AGENTS, QUEUES, OPEN = 500, 50, 10_000
ROUTE_MS, MEMORY_MB, TIMES, WITH_PLUGINS = 1.0, 200.0, 2.0, 1.3
RUNS: Final = 3
#: How many clients come in a second, while conversations are routed; those who wait are told their position meanwhile.
ARRIVALS: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """One row of the table."""

    what: str
    wanted: str
    found: str
    is_met: bool


def floor_of(capacity: int) -> Floor:
    """Every agent is in five queues, and every queue has fifty agents."""
    agents = [f"agent{number:03}@localhost" for number in range(AGENTS)]
    queues = {
        f"queue{number}": QueueSettings(
            members=tuple(JID.parse(agents[(number * 10 + step) % AGENTS]) for step in range(50)),
            agent_capacity=capacity,
        )
        for number in range(QUEUES)
    }
    floor = Floor(DeskSettings(queues=queues), choose)
    for agent in agents:
        floor.agent_changed(agent, 0.0, ready=True, online=True)
    return floor


def choose(question: Question) -> Sequence[str] | None:
    return choose_agent(question.queue, question.conversation, question.candidates)


def route(rounds: int = 2_000) -> list[float]:
    """Let clients come, be offered, accepted and closed, while 2,500 others wait; return the CPU time of each in ms."""
    floor, ids, served = floor_of(capacity=2), itertools.count(1), deque[Conversation]()
    times = []
    for number in range(3_500):
        come(floor, number, ids, float(number), served)
    for number in range(3_500, 3_500 + rounds):
        now = 3_500.0 + (number - 3_500) / ARRIVALS
        busy = served.popleft()
        begun = time.process_time()
        come(floor, number, ids, now, served)
        answer(floor, floor.close(busy, "", busy.agent, now), now, served)
        times.append((time.process_time() - begun) * 1e3)
    return times


def come(
    floor: Floor, number: int, ids: itertools.count[int], now: float, served: deque[Conversation]
) -> None:
    _, effects = floor.client_wrote(
        f"client{number}@xmpp.localhost", f"queue{number % QUEUES}", now, new_id=lambda: next(ids)
    )
    answer(floor, effects, now, served)


def answer(floor: Floor, effects: Sequence[Effect], now: float, served: deque[Conversation]) -> None:
    """Have whoever is asked accept."""
    for effect in effects:
        if isinstance(effect, Offer):
            answer(floor, floor.accept(effect.conversation, effect.agent, now), now, served)
        elif isinstance(effect, HandOver):
            served.append(effect.conversation)
            floor.take_changed()


def fill() -> float:
    """Open 10,000 conversations, and return what they take, in MB."""
    tracemalloc.start()
    floor, ids = floor_of(capacity=10), itertools.count(1)
    before = tracemalloc.get_traced_memory()[0]
    for number in range(OPEN):
        come(floor, number, ids, float(number), deque())
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return taken / 1e6


PLAIN: Final = Step("plain", "between accounts", "chat", in_flight=4, servers=("imserver",))
DESK: Final = Step("desk", "through the desk", "desk", in_flight=4)


def talk(runs: int) -> list[list[float]]:
    """Let clients and agents talk; return the CPU time of a message in µs: plain, by the desk, and with the plugins."""
    cases = [Case(PLAIN, "imserver"), Case(DESK, "imserver-desk"), Case(DESK, "imserver-desk-plugins")]
    found: list[list[float]] = [[] for _ in cases]
    for _ in range(runs):  # in turns
        for case, times in zip(cases, found, strict=True):
            report = measure(case)
            if not report.correctness.is_perfect:
                raise SystemExit(f"{case}: {report.correctness}\n{report.surprise}")
            times.append(report.server_cpu_us_each)
    return found


def main() -> int:
    times, megabytes = route(), fill()
    plain, through, equipped = map(statistics.median, talk(RUNS))
    found = [
        Found(
            f"routing a conversation among {AGENTS} agents and {QUEUES} queues",
            f"< {ROUTE_MS:g} ms",
            f"{statistics.median(times):.2f} ms, p99 {sorted(times)[len(times) * 99 // 100]:.2f}",
            statistics.median(times) < ROUTE_MS,
        ),
        Found(
            f"{OPEN:,} open conversations",
            f"< {MEMORY_MB:g} MB",
            f"{megabytes:.0f} MB",
            megabytes < MEMORY_MB,
        ),
        Found(
            "a message between client and agent",
            f"≤ {TIMES:g} × one between accounts",
            f"{through / plain:.2f} × ({through:.0f} µs against {plain:.0f})",
            through / plain <= TIMES,
        ),
        Found(
            f"the same with {', '.join(BUNDLED)}",
            f"≤ {WITH_PLUGINS:g} × without",
            f"{equipped / through:.2f} × ({equipped:.0f} µs)",
            equipped / through <= WITH_PLUGINS,
        ),
    ]
    table = Table("", "wanted", "found", "met", title="the desk")
    for one in found:
        table.add_row(one.what, one.wanted, one.found, "yes" if one.is_met else "no")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
