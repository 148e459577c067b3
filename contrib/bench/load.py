"""The load: clients chat in pairs, and each counts what it receives.

It stays light, so that the server is what is measured: every message is prepared
beforehand but for its number, and received bytes are searched, never parsed.
"""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from collections.abc import Callable, Sequence

from contrib.bench.report import Correctness

SETTLE_SECONDS = 0.5
DRAIN_SECONDS = 15.0

PRESENCE = b"<presence/>"
END_OF_MESSAGE = b"</message>"
CHAT_STATE = b"http://jabber.org/protocol/chatstates"
MARK = b"imb:"
BODY_LENGTH = 60
SURPRISE_LENGTH = 1000


class Ledger:
    """What arrived from one sender: nothing lost, nothing twice, in order."""

    def __init__(self) -> None:
        self.expected = 0
        self.missing: set[int] = set()
        self.duplicated = 0
        self.out_of_order = 0

    def receive(self, number: int) -> bool:
        """Note one number, and say whether it is new."""
        if number == self.expected:
            self.expected += 1
            return True
        if number > self.expected:
            self.missing.update(range(self.expected, number))
            self.expected = number + 1
            return True
        if number in self.missing:
            self.missing.remove(number)
            self.out_of_order += 1
            return True
        self.duplicated += 1
        return False

    def count_lost(self, sent: int) -> int:
        return len(self.missing) + max(sent - self.expected, 0)


class Meter:
    """What all clients of a run share."""

    def __init__(self) -> None:
        self.is_answering = True
        self.is_measuring = False
        self.messages = 0
        self.latencies = array("d")


class Talker(asyncio.Protocol):
    """A client who answers each message of its partner with one of its own."""

    partner: Talker

    def __init__(
        self,
        number: int,
        transport: asyncio.Transport,
        to: str,
        meter: Meter,
        *,
        window: int,
        states: int = 0,
    ) -> None:
        self.ledger = Ledger()
        self.sent = 0
        # The one who answers a message has seen it, so no more than a window is on its way.
        self.sent_at = [0.0] * window
        self.misdelivered = 0
        self.surprise = ""
        self.chat_states_lost = 0
        self.is_connected = True
        self._transport = transport
        self._meter = meter
        self._message = prepare_states(to, states) + prepare_message(number, to)
        self._states_each = states + 1
        self._search = re.compile(mark_of(number ^ 1) + rb"(\d{10})").findall
        self._rest = b""
        transport.set_protocol(self)

    def send(self, count: int, now: float) -> None:
        if not count:
            return
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        for number in numbers:
            self.sent_at[number % len(self.sent_at)] = now
        self._transport.write(b"".join([self._message % (number, number) for number in numbers]))

    def data_received(self, data: bytes) -> None:
        whole, _, self._rest = (self._rest + data).rpartition(END_OF_MESSAGE)
        if not whole:
            return
        now = time.perf_counter()
        numbers = self._search(whole)
        messages = whole.count(MARK)
        if messages != len(numbers):
            self._wonder(whole, messages - len(numbers))
        self.chat_states_lost += messages * self._states_each - whole.count(CHAT_STATE)
        new = [number for number in map(int, numbers) if self.ledger.receive(number)]
        if self._meter.is_measuring:
            self._record(new, now)
        if self._meter.is_answering:
            self.send(len(new), now)

    def _wonder(self, received: bytes, misdelivered: int) -> None:
        self.misdelivered += misdelivered
        if not self.surprise:
            self.surprise = received[:SURPRISE_LENGTH].decode(errors="replace")

    def _record(self, numbers: list[int], now: float) -> None:
        self._meter.messages += len(numbers)
        sent_at = self.partner.sent_at
        for number in numbers:
            self._meter.latencies.append(now - sent_at[number % len(sent_at)])

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_connected = False


def mark_of(number: int) -> bytes:
    return MARK + b"%05d:" % number


def prepare_message(number: int, to: str) -> bytes:
    """Return a template that wants the message's number twice."""
    padding = b" the quick brown fox jumps over the lazy dog"
    body = (mark_of(number) + b"%010d" + padding)[: BODY_LENGTH - len(b"0" * 10) + len(b"%010d")]
    return (
        b"<message type='chat' to='%b' id='c%05d-%%010d'><body>%b</body>"
        b"<active xmlns='http://jabber.org/protocol/chatstates'/></message>" % (to.encode(), number, body)
    )


def prepare_states(to: str, count: int) -> bytes:
    """Return notifications of somebody who types, pauses, types …"""
    return b"".join(
        b"<message type='chat' to='%b'><%b xmlns='%b'/></message>"
        % (to.encode(), (b"composing", b"paused")[number % 2], CHAT_STATE)
        for number in range(count)
    )


def start_talking(talkers: Sequence[Talker], in_flight: int) -> None:
    """Let each pair have its messages in flight, half of them from either side."""
    now = time.perf_counter()
    for first, second in zip(talkers[::2], talkers[1::2], strict=True):
        first.send(in_flight - in_flight // 2, now)
        second.send(in_flight // 2, now)


async def drain(talkers: Sequence[Talker]) -> None:
    """Wait until everything sent has arrived, and a little longer for what comes twice."""
    await wait_until(lambda: not any(t.ledger.count_lost(t.partner.sent) for t in talkers), DRAIN_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)


async def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look often, but not for ever; say whether it has come true."""
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def check(talkers: Sequence[Talker]) -> Correctness:
    return Correctness(
        lost=sum(talker.ledger.count_lost(talker.partner.sent) for talker in talkers),
        duplicated=sum(talker.ledger.duplicated for talker in talkers),
        out_of_order=sum(talker.ledger.out_of_order for talker in talkers),
        misdelivered=sum(talker.misdelivered for talker in talkers),
        chat_states_lost=sum(talker.chat_states_lost for talker in talkers),
        disconnected=sum(not talker.is_connected for talker in talkers),
    )


def first_surprise(talkers: Sequence[Talker]) -> str:
    return next((talker.surprise for talker in talkers if talker.surprise), "")
