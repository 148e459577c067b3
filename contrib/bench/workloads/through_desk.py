"""Clients talk with their agents: each writes to the queue, and is given to one who answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from contrib.bench.load import Meter, Talker, check, drain, first_surprise, start_talking
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.workload import Outcome, Workload

QUEUE = "support@desk.localhost"
GREETING = f"<message type='chat' to='{QUEUE}'><body>hello</body></message>".encode()
#: The client comes to the agent as a contact, whose name is the address.
INTRODUCED = re.compile(rb"<presence from='([^/']+)/xmpp'[^>]*>.*?<nick[^>]*>([^<]+)</nick>", re.DOTALL)
#: How long welcomes and hand-overs take at most, in seconds.
PATIENCE = 30.0


class ThroughDesk(Workload):
    """Every second one who signs in is an agent: see the server's desk.toml."""

    name = "desk"
    counts = "message"

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        meter = Meter()
        talkers = await self._pair_up(guests[::2], guests[1::2], meter)
        start_talking(talkers, self.order.in_flight)
        usage = await self.watch(meter)
        meter.is_answering = False
        await drain(talkers)
        return Outcome(usage, meter.messages, meter.latencies, check(talkers), first_surprise(talkers))

    async def _pair_up(
        self, agents: Sequence[Dialogue], clients: Sequence[Dialogue], meter: Meter
    ) -> list[Talker]:
        """Let everybody write to the queue, and see to which agent they get."""
        introductions = [asyncio.ensure_future(agent.ask(b"", INTRODUCED)) for agent in agents]
        await asyncio.sleep(0)
        for client in clients:
            client.transport.write(GREETING)
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.gather(*introductions)
        await self.quiet()
        by_address = {client.account.jid: client for client in clients}
        talkers: list[Talker] = []
        for number, (agent, introduced) in enumerate(zip(agents, found, strict=True)):
            contact, address = introduced[1].decode(), introduced[2].decode()
            first = self._talker(2 * number, agent, contact, meter)
            second = self._talker(2 * number + 1, by_address[address], QUEUE, meter)
            first.partner, second.partner = second, first
            talkers += [first, second]
        return talkers

    def _talker(self, number: int, guest: Dialogue, to: str, meter: Meter) -> Talker:
        return Talker(number, guest.transport, to, meter, window=self.order.in_flight)
