"""As many messages a second as we say, whatever the server says: how long does each take?"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

from contrib.bench.load import Meter, Talker, check, drain, first_surprise
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.chat import pair_up
from contrib.bench.workloads.workload import Outcome, Workload

WINDOW = 8192
"""Messages of one sender that may be on their way before times are mixed up."""
PAUSE = 0.002


class SteadyRate(Workload):
    name = "rate"
    counts = "message"

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        meter = Meter()
        meter.is_answering = False
        talkers = pair_up(guests, meter, window=WINDOW)
        sending = asyncio.create_task(keep_sending(talkers, self.order.rate))
        usage = await self.watch(meter)
        sending.cancel()
        await drain(talkers)
        return Outcome(usage, meter.messages, meter.latencies, check(talkers), first_surprise(talkers))


async def keep_sending(talkers: Sequence[Talker], rate: int) -> None:
    """Let them send in turns, and catch up when the clock was late."""
    begun = time.perf_counter()
    sent = 0
    turns = itertools.cycle(talkers)
    while True:
        now = time.perf_counter()
        due = int((now - begun) * rate)
        for talker in itertools.islice(turns, due - sent):
            talker.send(1, now)
        sent = due
        await asyncio.sleep(PAUSE)
