"""Clients, agents, time and crashes, in any order, at a real server: no word is lost, doubled, or goes astray.

`DESK_MACHINE_EXAMPLES=5000 pytest tests/scenes/desk/test_machine.py` goes on for longer, and each time with other
examples.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.scenes.desk.conftest import on_stage
from tests.scenes.desk.play import AGENTS, CLIENTS, QUEUES, Burst, DeskTables, Step, played

EXAMPLES = int(os.environ.get("DESK_MACHINE_EXAMPLES", "0"))

agents = st.sampled_from(AGENTS)
clients = st.sampled_from(CLIENTS)
queues = st.sampled_from(QUEUES)
everybody = st.sampled_from([*AGENTS, *CLIENTS])

queue_settings: dict[str, st.SearchStrategy[Any]] = {
    "members": st.lists(agents.map(lambda name: f"{name}@localhost"), unique=True, min_size=2),
    "strategy": st.sampled_from(["longest-idle", "all-at-once", "least-busy", "round-robin"]),
    "capacity": st.sampled_from([0, 0, 0, 2]),
    "agent_capacity": st.sampled_from([1, 2, 5]),
    "misses_before_pause": st.sampled_from([0, 2]),
    "delay_seconds": st.sampled_from([0, 0, 0, 15]),
    "wrap_up_seconds": st.sampled_from([0, 20]),
    "overflow_after_seconds": st.sampled_from([50, 5000]),
    "silent_warning_seconds": st.sampled_from([0, 300]),
    "lost_agent_grace_seconds": st.sampled_from([0, 60]),
    "reopen_seconds": st.sampled_from([0, 900]),
    "wrap_up_codes": st.just(["solved"]),
}


@st.composite
def desk_tables(draw: st.DrawFn) -> DeskTables:
    desk = {name: draw(st.fixed_dictionaries(queue_settings)) for name in (*QUEUES, "second")}
    desk["sales"]["accept"] = "assign"
    desk["support"]["overflow_queue"] = draw(st.sampled_from(["", "second"]))
    return desk


def commands() -> st.SearchStrategy[str]:
    """What agents type to clients; no client may see any of it."""
    whom = st.sampled_from([*AGENTS, *QUEUES])
    return st.one_of(
        st.sampled_from(
            ["!close solved", "!close solved", "!note secret", "!nto secret", "!who", "!history"]
        ),
        whom.map(lambda to: f"!transfer {to} secret"),
        agents.map(lambda agent: f"!invite {agent}"),
    )


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), *arguments)


nth = st.integers(0, 5)
pairs = st.one_of(nth, nth, nth, st.tuples(agents, clients))
answers = step(
    "agent_answers",
    nth,
    st.sampled_from(["accept", "accept", "accept", "decline"]),
    st.sampled_from(["text", "button", "menu", "command"]),
)
times = st.sampled_from([1, 1, 3])
steps: st.SearchStrategy[Step] = st.one_of(
    step("client_writes", clients, queues, times),
    step("client_writes", clients, queues, times),
    step("client_writes", clients, queues, times),
    step("agent_writes", pairs, times),
    step("agent_writes", pairs, times),
    answers,
    answers,
    step("client_corrects", clients, queues),
    step("client_types", clients, queues),
    step("agent_types", pairs),
    step("agent_commands", pairs, commands()),
    step("agent_commands", pairs, commands()),
    step("agent_rests", agents, st.sampled_from(["ready", "pause"])),
    step("shows_as", agents, st.sampled_from(["", "away"])),
    step("goes", everybody),
    step("comes", everybody),
    step("time_passes", st.sampled_from([1.0, 16.0, 31.0, 61.0, 130.0, 1000.0])),
    step("reloads", nth),
    step("crashes", st.one_of(st.just("answered"), st.integers(0, 30))),
)

bursts: st.SearchStrategy[Burst] = st.lists(steps, max_size=4)


@pytest.mark.timeout(60 + 10 * EXAMPLES)
@settings(
    max_examples=EXAMPLES or 5,
    derandomize=not EXAMPLES,
    database=None,
    # How long the disk takes is different each time: what went wrong may not do so again.
    phases=[Phase.generate] if EXAMPLES else tuple(Phase),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(
    desks=st.lists(desk_tables(), min_size=1, max_size=3), trace=st.lists(bursts, min_size=15, max_size=40)
)
def test_no_word_is_lost_doubled_or_goes_astray(desks: Sequence[DeskTables], trace: Sequence[Burst]) -> None:
    asyncio.run(play(desks, trace))


async def play(desks: Sequence[DeskTables], trace: Sequence[Burst]) -> None:
    first_start = await _first_start()
    with TemporaryDirectory(prefix="imserver-play-") as folder:
        async with played(Path(folder), first_start, desks) as one:
            for burst in trace:
                await one.plays(burst)
            await one.last_act()


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="imserver-first-start-")


async def _first_start() -> Path:
    """Make what a server with everybody's accounts has on disk, once."""
    folder = Path(_folder().name)
    if not any(folder.iterdir()):
        (folder / "desk.toml").write_text("[queues.support]")
        async with on_stage(folder, folder / "desk.toml") as stage:
            for name in (*AGENTS, *CLIENTS):
                await stage.account(name)
    return folder
