"""Everybody loses the connection at once, comes back and goes on where they were (XEP-0198, 5)."""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from collections.abc import Sequence

from contrib.bench.load import MARK, PRESENCE, SETTLE_SECONDS, Ledger, mark_of, prepare_message, wait_until
from contrib.bench.measure import sample, usage_between
from contrib.bench.report import Correctness
from contrib.bench.sign_in import Dialogue, authenticated, context_for_loopback
from contrib.bench.workloads.workload import SIGN_INS_AT_ONCE, Outcome, Workload, at_once

MESSAGES = 2
"""To each before the connection is lost, and as many while it is."""
DEADLINE = 15.0
FRIEND = 99_999
"""The number of the one who writes, in what it writes."""

ENABLE = b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
ENABLED = re.compile(rb"<enabled\s[^>]*?\bid=['\"]([^'\"]+)['\"][^>]*>")
RESUME = b"<resume xmlns='urn:xmpp:sm:3' h='%d' previd='%b'/>"
RESUMED = re.compile(rb"<resumed\s[^>]*>")
STANZA = re.compile(rb"<(?:message|presence|iq)[\s/>]")


class ReconnectStorm(Workload):
    """The last client stays, and writes to all the others."""

    name = "reconnect"
    counts = "resumption"

    async def settle(self, guests: Sequence[Dialogue]) -> None:
        """Have the server count from the first presence on."""
        self._tokens = [(await guest.ask(ENABLE, ENABLED))[1] for guest in guests]
        self._survivors = [Survivor(guest, token) for guest, token in zip(guests, self._tokens, strict=True)]
        for guest in guests:
            guest.transport.write(PRESENCE)
        await self.quiet()

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        *survivors, friend = self._survivors
        write_to_all(friend, survivors, 0)
        await wait_until(lambda: all(each.has_received(MESSAGES) for each in survivors), DEADLINE)
        await asyncio.sleep(SETTLE_SECONDS)
        for survivor in survivors:
            survivor.guest.transport.abort()
        await asyncio.sleep(SETTLE_SECONDS)
        write_to_all(friend, survivors, MESSAGES)
        await asyncio.sleep(self.order.warm_up)

        latencies = array("d")
        begun = sample(self.order.watch)
        await self._bring_back(survivors, latencies)
        ended = sample(self.order.watch)

        await wait_until(lambda: all(each.has_received(2 * MESSAGES) for each in survivors), DEADLINE)
        await asyncio.sleep(SETTLE_SECONDS)
        correctness = check(survivors)
        for survivor in survivors:
            survivor.guest.leave()
        return Outcome(usage_between(begun, ended), len(survivors), latencies, correctness)

    async def _bring_back(self, survivors: Sequence[Survivor], latencies: array[float]) -> None:
        context = context_for_loopback()

        async def bring_back(survivor: Survivor) -> None:
            begun = time.perf_counter()
            guest = await authenticated(survivor.guest.account, self.order.address, context)
            await guest.ask(RESUME % (survivor.handled, survivor.token), RESUMED)
            latencies.append(time.perf_counter() - begun)
            survivor.come_back(guest)

        await at_once(bring_back, survivors, SIGN_INS_AT_ONCE)


class Survivor(asyncio.Protocol):
    """A client who counts stanzas, as XEP-0198 wants it."""

    def __init__(self, guest: Dialogue, token: bytes) -> None:
        self.guest = guest
        self.token = token
        self.is_connected = True
        self._heard = guest.rest
        guest.transport.set_protocol(self)

    @property
    def handled(self) -> int:
        return len(STANZA.findall(self._heard))

    def come_back(self, guest: Dialogue) -> None:
        self.guest = guest
        self.is_connected = True
        self._heard += guest.rest
        guest.transport.set_protocol(self)

    def has_received(self, count: int) -> bool:
        return self._heard.count(MARK) >= count

    def numbers(self, sender: int) -> list[int]:
        return [int(number) for number in re.findall(mark_of(sender) + rb"(\d{10})", self._heard)]

    def data_received(self, data: bytes) -> None:
        self._heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_connected = False


def write_to_all(friend: Survivor, survivors: Sequence[Survivor], first: int) -> None:
    for survivor in survivors:
        message = prepare_message(FRIEND, f"{survivor.guest.account.jid}/bench")
        for number in range(first, first + MESSAGES):
            friend.guest.transport.write(message % (number, number))


def check(survivors: Sequence[Survivor]) -> Correctness:
    ledgers = []
    for survivor in survivors:
        ledger = Ledger()
        for number in survivor.numbers(FRIEND):
            ledger.receive(number)
        ledgers.append(ledger)
    return Correctness(
        lost=sum(ledger.count_lost(2 * MESSAGES) for ledger in ledgers),
        duplicated=sum(ledger.duplicated for ledger in ledgers),
        out_of_order=sum(ledger.out_of_order for ledger in ledgers),
        disconnected=sum(not survivor.is_connected for survivor in survivors),
    )
