"""Two people each talk to one another: whoever receives a message answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from contrib.bench.load import Meter, Talker, check, drain, first_surprise, start_talking
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.workload import Outcome, Workload


class Chat(Workload):
    name = "chat"
    counts = "message"
    states: ClassVar[int] = 0
    """Notifications before each message."""

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        meter = Meter()
        talkers = pair_up(guests, meter, window=self.order.in_flight, states=self.states)
        start_talking(talkers, self.order.in_flight)
        usage = await self.watch(meter)
        meter.is_answering = False
        await drain(talkers)
        count = meter.messages * (self.states + 1)
        return Outcome(usage, count, meter.latencies, check(talkers), first_surprise(talkers))


def pair_up(guests: Sequence[Dialogue], meter: Meter, *, window: int, states: int = 0) -> list[Talker]:
    """Let the first talk to the second, the third to the fourth …"""
    talkers = [
        Talker(
            number,
            guest.transport,
            guests[number ^ 1].account.jid,
            meter,
            window=window,
            states=states,
        )
        for number, guest in enumerate(guests)
    ]
    for number, talker in enumerate(talkers):
        talker.partner = talkers[number ^ 1]
    return talkers
