"""Everybody has three devices, and each sees all that is said on the others (XEP-0280)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from contrib.bench.accounts import Account
from contrib.bench.load import (
    END_OF_MESSAGE,
    MARK,
    SURPRISE_LENGTH,
    Ledger,
    Meter,
    Talker,
    check,
    drain,
    first_surprise,
    mark_of,
    start_talking,
    wait_until,
)
from contrib.bench.report import Correctness
from contrib.bench.sign_in import Dialogue
from contrib.bench.workloads.workload import Outcome, Seat, Workload

DEVICES = ("phone", "desk", "tablet")
ENABLE = b"<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
ENABLED = re.compile(rb"<iq\s[^>]*id=['\"]carbons['\"][^>]*>")
DRAIN_SECONDS = 15.0


class Carbons(Workload):
    """The phones talk; what arrives there counts, and so does what the other devices see."""

    name = "carbons"
    counts = "copy"

    def seats(self, accounts: Sequence[Account]) -> list[Seat]:
        return [Seat(account, device) for account in accounts for device in DEVICES]

    async def drive(self, guests: Sequence[Dialogue]) -> Outcome:
        await asyncio.gather(*(guest.ask(ENABLE, ENABLED) for guest in guests))
        meter = Meter()
        talkers = self._pair_up(guests[:: len(DEVICES)], meter)
        listeners = [
            Listener(guest.transport, talkers[place // len(DEVICES)], place // len(DEVICES), meter)
            for place, guest in enumerate(guests)
            if place % len(DEVICES)
        ]
        start_talking(talkers, self.order.in_flight)
        usage = await self.watch(meter)
        meter.is_answering = False
        await drain(talkers)
        await wait_until(lambda: not any(listener.count_lost() for listener in listeners), DRAIN_SECONDS)
        return Outcome(
            usage,
            meter.messages,
            meter.latencies,
            add(check(talkers), listeners),
            first_surprise(talkers) or next((each.surprise for each in listeners if each.surprise), ""),
        )

    def _pair_up(self, phones: Sequence[Dialogue], meter: Meter) -> list[Talker]:
        talkers = [
            Talker(
                number,
                phone.transport,
                Seat(phones[number ^ 1].account, DEVICES[0]).jid,
                meter,
                window=self.order.in_flight,
            )
            for number, phone in enumerate(phones)
        ]
        for number, talker in enumerate(talkers):
            talker.partner = talkers[number ^ 1]
        return talkers


class Listener(asyncio.Protocol):
    """A device that sees both halves of the conversation on the phone."""

    def __init__(self, transport: asyncio.Transport, phone: Talker, number: int, meter: Meter) -> None:
        self.said, self.heard = Ledger(), Ledger()
        self.misdelivered = 0
        self.surprise = ""
        self.is_connected = True
        self._phone = phone
        self._meter = meter
        self._halves = [
            (re.compile(mark_of(speaker) + rb"(\d{10})").findall, ledger)
            for speaker, ledger in ((number, self.said), (number ^ 1, self.heard))
        ]
        self._rest = b""
        transport.set_protocol(self)

    def count_lost(self) -> int:
        return self.said.count_lost(self._phone.sent) + self.heard.count_lost(self._phone.partner.sent)

    def data_received(self, data: bytes) -> None:
        whole, _, self._rest = (self._rest + data).rpartition(END_OF_MESSAGE)
        expected = new = 0
        for find, ledger in self._halves:
            numbers = find(whole)
            expected += len(numbers)
            new += sum(map(ledger.receive, map(int, numbers)))
        if (strange := whole.count(MARK) - expected) and not self.surprise:
            self.surprise = whole[:SURPRISE_LENGTH].decode(errors="replace")
        self.misdelivered += strange
        if self._meter.is_measuring:
            self._meter.messages += new

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_connected = False


def add(correctness: Correctness, listeners: Sequence[Listener]) -> Correctness:
    ledgers = [ledger for listener in listeners for ledger in (listener.said, listener.heard)]
    return Correctness(
        lost=correctness.lost + sum(listener.count_lost() for listener in listeners),
        duplicated=correctness.duplicated + sum(ledger.duplicated for ledger in ledgers),
        out_of_order=correctness.out_of_order + sum(ledger.out_of_order for ledger in ledgers),
        misdelivered=correctness.misdelivered + sum(listener.misdelivered for listener in listeners),
        chat_states_lost=correctness.chat_states_lost,
        disconnected=correctness.disconnected + sum(not listener.is_connected for listener in listeners),
    )
