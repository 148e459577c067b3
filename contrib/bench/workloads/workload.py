"""What all workloads have in common."""

from __future__ import annotations

import asyncio
import gc
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from contrib.bench.accounts import Account
from contrib.bench.load import PRESENCE, SETTLE_SECONDS, Meter
from contrib.bench.measure import Usage, sample, usage_between
from contrib.bench.orders import Order
from contrib.bench.report import PERFECT, Correctness
from contrib.bench.sign_in import Dialogue

SIGN_INS_AT_ONCE = 32
SLOWEST_SIGN_INS = 25.0
"""A second: a server that is slower is given up."""

QUIET = 0.1
"""Cores that a server uses when it has nothing to do."""
QUIET_DEADLINE = 30.0

AskedT = TypeVar("AskedT")
AnsweredT = TypeVar("AnsweredT")


@dataclass(frozen=True, slots=True)
class Seat:
    """Who signs in, and on which device."""

    account: Account
    resource: str = "bench"

    @property
    def jid(self) -> str:
        return f"{self.account.jid}/{self.resource}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was counted between two moments."""

    usage: Usage
    count: int
    latencies: Sequence[float] = field(default=(), repr=False)
    correctness: Correctness = PERFECT
    surprise: str = ""


class Workload(ABC):
    name: ClassVar[str]
    counts: ClassVar[str]
    """What is counted, in the singular."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def seats(self, accounts: Sequence[Account]) -> list[Seat]:
        """Say who signs in."""
        return [Seat(account) for account in accounts]

    async def settle(self, guests: Sequence[Dialogue]) -> None:
        """Make everybody available; afterwards memory is measured."""
        for guest in guests:
            guest.transport.write(PRESENCE)
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until the server has nothing left to do."""
        deadline = time.monotonic() + QUIET_DEADLINE
        while time.monotonic() < deadline:
            begun = sample(self.order.watch)
            await asyncio.sleep(SETTLE_SECONDS)
            if usage_between(begun, sample(self.order.watch)).server_share < QUIET:
                return

    @abstractmethod
    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        """Do it, and count; the guests are in the order of the seats."""

    async def watch(self, meter: Meter) -> Usage:
        """Let what goes on warm up, then measure it."""
        with without_garbage_collection():
            await asyncio.sleep(self.order.warm_up)
            meter.is_measuring = True
            begun = sample(self.order.watch)
            await asyncio.sleep(self.order.seconds)
            ended = sample(self.order.watch)
            meter.is_measuring = False
        return usage_between(begun, ended)


async def at_once(
    do: Callable[[AskedT], Awaitable[AnsweredT]], asked: Sequence[AskedT], most: int
) -> list[AnsweredT]:
    """Do it for all of them, no more than so many at a time."""
    turnstile = asyncio.Semaphore(most)

    async def enter(one: AskedT) -> AnsweredT:
        async with turnstile:
            return await do(one)

    async with asyncio.timeout(20 + len(asked) / SLOWEST_SIGN_INS):
        return await asyncio.gather(*map(enter, asked))


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
