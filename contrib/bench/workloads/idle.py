"""Clients who are just there: what does each keep in memory?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from contrib.bench.measure import sample, usage_between
from contrib.bench.report import Correctness
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.workload import Outcome, Workload


class Idle(Workload):
    name = "idle"
    counts = "client"

    async def settle(self, guests: Sequence[Dialogue]) -> None:
        await super().settle(guests)
        await asyncio.sleep(self.order.warm_up)

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        begun = sample(self.order.watch)
        await asyncio.sleep(self.order.seconds)
        usage = usage_between(begun, sample(self.order.watch))
        gone = sum(guest.transport.is_closing() for guest in guests)
        return Outcome(usage, count=0, correctness=Correctness(disconnected=gone))
