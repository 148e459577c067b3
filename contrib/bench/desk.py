"""What the contact centre costs: `python -m contrib.bench.desk`.

- routing a conversation among 500 agents and 50 queues: wanted is less than 1 ms;
- 10,000 open conversations: wanted is less than 200 MB;
- a message between client and agent, beside one between two accounts: wanted is at most twice as much.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from rich.console import Console
from rich.table import Table

from contrib.bench.accounts import make_accounts
from contrib.bench.load import prepare_message
from contrib.bench.road import Arrivals, Road, enter, make_credentials, pace, running_quietly, settings, walk
from imserver.desk.assignment import Question
from imserver.desk.conversation import Conversation
from imserver.desk.effects import Effect, HandOver, Offer
from imserver.desk.floor import Floor
from imserver.desk.plugin import find_desk
from imserver.desk.settings import DeskSettings, QueueSettings
from imserver.desk.strategies import choose_agent
from imserver.xmpp.jid import JID

AGENTS, QUEUES, OPEN = 500, 50, 10_000
ROUTE_MS, MEMORY_MB, TIMES = 1.0, 200.0, 2.0


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
        now = float(number)
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


async def attend(pairs: int = 50) -> Road:
    """Have clients and agents talk through the desk."""
    accounts = make_accounts(2 * pairs)
    agents, clients = accounts[:pairs], accounts[pairs:]
    members = ", ".join(f'"{agent.jid}"' for agent in agents)
    with TemporaryDirectory(prefix="imserver-desk-") as name:
        file = Path(name) / "desk.toml"
        file.write_text(f'[queues.support]\nmembers = [{members}]\naccept = "assign"\nagent_capacity = 1\n')
        wanted = settings(Path(name), (), archive=True, desk={"file": str(file)})
        async with running_quietly(wanted) as one:
            await make_credentials(one, accounts)
            arrivals = Arrivals()
            wires = [await enter(one, account, arrivals) for account in accounts]
            for wire in wires[pairs:]:
                wire.protocol.data_received(prepare_message(0, "support@desk.localhost") % (0, 0))
            desk = find_desk(one.server)
            while len(attended := [one for one in desk.floor.conversations.values() if one.agent]) < pairs:
                await asyncio.sleep(0.05)
            await desk.kept()
            await asyncio.sleep(0.5)
            arrivals.forget()
            client_of = {conversation.agent: conversation.client for conversation in attended}
            to = [client_of[agent.jid] for agent in agents] + ["support@desk.localhost"] * len(clients)
            speeches = [prepare_message(number, jid) for number, jid in enumerate(to)]
            return await pace(wires, speeches, arrivals, runs=20)


def main() -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        plain = runner.run(walk(archive=True, plugins=(), runs=20))
        through = runner.run(attend())
    times, megabytes, more = route(), fill(), through.ratio / plain.ratio
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
            f"{more:.2f} × ({statistics.median(through.message_us):.0f} µs)",
            more <= TIMES,
        ),
    ]
    table = Table("", "wanted", "found", "met", title="the desk")
    for one in found:
        table.add_row(one.what, one.wanted, one.found, "yes" if one.is_met else "no")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
