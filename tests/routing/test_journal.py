"""Group commit: first on disk, then told; one sender's stanzas in order."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
import structlog

from imserver.counters import Counters
from imserver.routing.journal import Journal, Origin


class Disk:
    """A disk that takes as long as we let it."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.is_full = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, rows: Sequence[Any]) -> None:
        await self.gate.wait()
        if self.is_full:
            raise OSError("no space left")
        self.groups.append(list(rows))


class Desk:
    """Where what was on record arrives."""

    def __init__(self) -> None:
        self.served: list[Any] = []
        self.failed: list[Any] = []

    def serve(self, origin: Origin, item: Any) -> Awaitable[None] | None:
        if callable(item):
            item()
        self.served.append(item)
        return None

    def fail(self, origin: Origin, item: Any) -> Awaitable[None] | None:
        self.failed.append(item)
        return None


@pytest.fixture
async def disk() -> Disk:
    return Disk()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def journal(disk: Disk, desk: Desk, counters: Counters) -> Journal:
    log = structlog.wrap_logger(None, processors=[structlog.testing.LogCapture()])
    return Journal(disk, served=desk.serve, failed=desk.fail, counters=counters, log=log)


async def test_what_needs_no_record_is_served_at_once(journal: Journal, desk: Desk) -> None:
    journal.add(Origin(), "presence")

    assert desk.served == ["presence"]


async def test_nothing_is_served_before_it_is_on_disk(journal: Journal, disk: Disk, desk: Desk) -> None:
    disk.gate.clear()
    journal.add(Origin(), "message", ["row"])
    await asyncio.sleep(0)
    assert desk.served == []

    disk.gate.set()
    await journal.settled()

    assert disk.groups == [["row"]]
    assert desk.served == ["message"]


async def test_what_one_turn_brings_is_one_group(journal: Journal, disk: Disk, counters: Counters) -> None:
    for number in range(10):
        journal.add(Origin(), number, [f"row {number}"])
    await journal.settled()

    assert len(disk.groups) == 1
    assert len(disk.groups[0]) == 10
    assert sum(counters.commit_rows.buckets) == 1


async def test_while_a_group_is_written_the_next_one_gathers(journal: Journal, disk: Disk) -> None:
    disk.gate.clear()
    journal.add(Origin(), 1, ["a"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    journal.add(Origin(), 2, ["b"])
    await asyncio.sleep(0)
    journal.add(Origin(), 3, ["c"])

    disk.gate.set()
    await journal.settled()

    assert disk.groups == [["a"], ["b", "c"]]


async def test_one_senders_stanzas_stay_in_order(journal: Journal, disk: Disk, desk: Desk) -> None:
    disk.gate.clear()
    ana, luis = Origin(), Origin()
    journal.add(ana, "message", ["row"])
    journal.add(ana, "presence")
    journal.add(luis, "another presence")
    assert desk.served == ["another presence"]
    assert (ana.backlog, luis.backlog) == (2, 0)

    disk.gate.set()
    await journal.settled()

    assert desk.served == ["another presence", "message", "presence"]
    assert ana.backlog == 0


async def test_what_cannot_be_written_is_told_and_the_next_is_tried(
    journal: Journal, disk: Disk, desk: Desk
) -> None:
    disk.is_full = True
    journal.add(Origin(), "lost", ["row"])
    await journal.settled()
    disk.is_full = False
    journal.add(Origin(), "kept", ["row"])
    await journal.settled()

    assert (desk.failed, desk.served) == (["lost"], ["kept"])


async def test_one_failure_does_not_stop_the_others(journal: Journal, desk: Desk) -> None:
    def breaks() -> None:
        raise ValueError("broken")

    first, second = Origin(), Origin()
    journal.add(first, breaks, ["row"])
    journal.add(second, "message", ["row"])
    journal.add(first, "after it", ["row"])
    await journal.settled()

    assert desk.served == ["message", "after it"]
    assert first.backlog == second.backlog == 0


async def test_a_journal_with_nothing_in_it_is_settled(journal: Journal) -> None:
    await journal.settled()
