"""Steps of one sender, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from imserver.routing.lane import Lane


class Steps:
    """Steps that note when they are done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gate = asyncio.Event()

    def quick(self, name: str) -> None:
        self.done.append(name)

    async def slow(self, name: str) -> None:
        await self.gate.wait()
        self.done.append(name)

    async def broken(self, name: str) -> None:
        await self.gate.wait()
        self.done.append(name)
        raise ValueError(name)

    def broken_at_once(self, name: str) -> None:
        self.done.append(name)
        raise ValueError(name)


@pytest.fixture
async def steps() -> Steps:
    return Steps()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0)


async def test_a_step_that_need_not_wait_is_done_at_once(steps: Steps) -> None:
    lane = Lane()

    lane.run(steps.quick, "one")
    lane.run(steps.quick, "two")

    assert steps.done == ["one", "two"]
    assert lane.is_idle
    assert len(lane) == 0


async def test_behind_a_step_that_waits_all_others_wait(steps: Steps) -> None:
    lane = Lane()

    lane.run(steps.slow, "one")
    lane.run(steps.quick, "two")
    lane.run(steps.slow, "three")
    lane.run(steps.quick, "four")
    await asyncio.sleep(0)
    assert steps.done == []
    assert len(lane) == 3
    steps.gate.set()
    await until(lambda: lane.is_idle)

    assert steps.done == ["one", "two", "three", "four"]


async def test_lanes_do_not_wait_for_each_other(steps: Steps) -> None:
    blocked, free = Lane(), Lane()

    blocked.run(steps.slow, "one")
    free.run(steps.quick, "two")

    assert steps.done == ["two"]
    steps.gate.set()
    await until(lambda: blocked.is_idle)


async def test_what_a_step_adds_comes_last(steps: Steps) -> None:
    lane = Lane()

    def adds(name: str) -> None:
        steps.quick(name)
        lane.run(steps.quick, f"{name} again")

    lane.run(steps.slow, "one")
    lane.run(adds, "two")
    lane.run(steps.quick, "three")
    steps.gate.set()
    await until(lambda: lane.is_idle)

    assert steps.done == ["one", "two", "three", "two again"]


@pytest.mark.parametrize("kind", ["broken", "broken_at_once"])
async def test_nothing_is_lost_behind_a_failure(steps: Steps, kind: str) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failures.append(context))
    breaks: Callable[[str], Awaitable[None] | None] = getattr(steps, kind)
    lane = Lane()

    lane.run(steps.slow, "one")
    for name in ("two", "three", "four"):
        lane.run(breaks, name)
    lane.run(steps.quick, "five")
    steps.gate.set()
    await until(lambda: lane.is_idle)

    assert steps.done == ["one", "two", "three", "four", "five"]
