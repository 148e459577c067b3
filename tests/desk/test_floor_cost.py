"""What routing costs among 500 agents and 50 queues, counted and not timed: who is looked at for an event."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from imserver.desk.conversation import State
from tests.desk.floors import Stage

AGENTS = [f"agent{number}@example.com" for number in range(500)]
QUEUES = [f"queue{number}" for number in range(50)]


def client(number: int) -> str:
    return f"client{number}@xmpp.example.com"


def stage(**queue: Any) -> Stage:
    """Everybody is a member of every queue, and there."""
    desk = Stage(**{name: {"members": AGENTS, "accept": "assign", **queue} for name in QUEUES})
    desk.comes(*AGENTS)
    return desk


@pytest.fixture(scope="module")
def busy() -> Stage:
    """A desk where all 500 agents have all they can, and 5,000 clients wait in 50 queues."""
    desk = stage(agent_capacity=1)
    for number in range(5500):
        desk.writes(client(number), QUEUES[number % 50])
    assert sum(len(desk.floor.waiting(name)) for name in QUEUES) == 5000
    return desk


def looked(desk: Stage, event: Callable[[], object]) -> int:
    before = desk.floor.looked
    event()
    return desk.floor.looked - before


def test_a_client_who_comes_when_all_are_busy_costs_no_look(busy: Stage) -> None:
    assert looked(busy, lambda: busy.writes("new@xmpp.example.com", "queue7")) == 0


def test_an_agent_who_has_room_looks_at_the_head_of_each_queue(busy: Stage) -> None:
    conversation = busy.floor.of_agent(AGENTS[0])[0]

    cost = looked(busy, lambda: busy.done(busy.floor.close(conversation, "", AGENTS[0], busy.now)))

    assert busy.floor.agents[AGENTS[0]].load == 1
    # The queue and its head, for each of 50 queues; then whom else the client suits.
    assert cost <= 3 * len(QUEUES) + 1


def test_words_cost_no_look(busy: Stage) -> None:
    conversation = busy.floor.of_agent(AGENTS[1])[0]

    assert looked(busy, lambda: busy.writes(conversation.client, conversation.entrance)) == 0
    assert looked(busy, lambda: busy.done(busy.floor.agent_wrote(conversation, AGENTS[1], busy.now))) == 0


def test_an_agent_who_goes_costs_no_look(busy: Stage) -> None:
    assert looked(busy, lambda: busy.goes(AGENTS[2])) == 0


def test_time_costs_no_look_where_nothing_is_due(busy: Stage) -> None:
    busy.passes(30)

    assert looked(busy, lambda: busy.passes(1)) == 0


def test_a_client_who_comes_when_all_are_free_costs_one_look_an_agent() -> None:
    desk = stage()

    assert looked(desk, lambda: desk.writes("new@xmpp.example.com", "queue7")) == len(AGENTS)


def test_those_whom_an_agent_does_not_suit_are_passed_over_together() -> None:
    desk = Stage(support={"members": AGENTS[:3], "skills": {"german": 1}, "accept": "assign"})
    for number in range(1000):
        desk.writes(client(number), "support")

    assert looked(desk, lambda: desk.comes(AGENTS[0])) <= 2


def test_those_who_wait_for_another_agent_are_passed_over_together() -> None:
    desk = Stage(support={"members": AGENTS[:3], "agent_capacity": 0, "agents": {AGENTS[1]: {"capacity": 9}}})
    desk.comes(AGENTS[0])
    for number in range(1000):
        desk.writes(client(number), "support", known_agent=AGENTS[0])

    assert looked(desk, lambda: desk.comes(AGENTS[1])) <= 1


def test_a_queue_that_may_serve_one_more_looks_at_its_agents_and_its_head() -> None:
    desk = Stage(support={"members": AGENTS, "accept": "assign", "capacity": 1})
    desk.comes(*AGENTS)
    for number in range(1000):
        desk.writes(client(number), "support")
    first = next(one for one in desk.floor.conversations.values() if one.state is State.ACTIVE)

    cost = looked(desk, lambda: desk.done(desk.floor.close(first, "", first.agent, desk.now)))

    assert sum(agent.load for agent in desk.floor.agents.values()) == 1
    assert cost <= 2 * len(AGENTS) + 2


def test_ten_thousand_open_conversations_fit_into_200_megabytes() -> None:
    desk = Stage(**{name: {"members": AGENTS, "accept": "assign", "agent_capacity": 10} for name in QUEUES})
    desk.comes(*AGENTS)

    tracemalloc.start()
    ids = count()
    for number in range(10_000):
        conversation, _ = desk.floor.client_wrote(
            client(number), QUEUES[number % 50], desk.now, new_id=lambda: next(ids)
        )
    desk.floor.take_changed()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(desk.floor.conversations) == 10_000
    assert conversation.state is State.WAITING
    assert size < 50_000_000
