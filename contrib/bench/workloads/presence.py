"""Everybody comes online at once: how long until all know of all their contacts?"""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from collections.abc import Sequence

from contrib.bench.load import PRESENCE, wait_until
from contrib.bench.measure import sample, usage_between
from contrib.bench.report import Correctness
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.workload import Outcome, Workload, without_garbage_collection

DEADLINE = 60.0
# By the name of the account: user00042@…
SENDERS = re.compile(rb"<presence\s[^>]*?from=['\"]user(\d+)@[^>]*>")


class PresenceStorm(Workload):
    """The same presence may come twice, to a probe and by itself (RFC 6121, 4.2 and 4.3): it counts once."""

    name = "presence"
    counts = "presence"

    async def settle(self, guests: Sequence[Dialogue]) -> None:
        """Stay unavailable."""

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        expected = len(guests) * self.order.contacts
        with without_garbage_collection():
            begun = sample(self.order.watch)
            arrivals = array("d")
            watchers = [Watcher(number, guest, arrivals) for number, guest in enumerate(guests)]
            for guest in guests:
                guest.transport.write(PRESENCE)
            await wait_until(lambda: len(arrivals) >= expected, DEADLINE)
            ended = sample(self.order.watch)
        await asyncio.sleep(0)
        correctness = Correctness(
            lost=max(expected - len(arrivals), 0),
            misdelivered=max(len(arrivals) - expected, 0),
            disconnected=sum(not watcher.is_connected for watcher in watchers),
        )
        latencies = [arrival - begun.at for arrival in arrivals]
        return Outcome(usage_between(begun, ended), len(arrivals), latencies, correctness)


class Watcher(asyncio.Protocol):
    """A client who notes when it first sees each contact."""

    def __init__(self, number: int, guest: Dialogue, arrivals: array[float]) -> None:
        self.is_connected = True
        self._seen = {number}
        self._arrivals = arrivals
        self._rest = b""
        guest.transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        whole, end, self._rest = (self._rest + data).rpartition(b">")
        now = time.perf_counter()
        new = set(map(int, SENDERS.findall(whole + end))) - self._seen
        self._seen |= new
        self._arrivals.extend([now] * len(new))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_connected = False
