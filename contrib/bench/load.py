"""The load: clients chat in pairs, and each counts what it receives.

It stays light, so that the server is what is measured: every message is prepared
beforehand but for its number, and received bytes are searched, never parsed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import resource
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from contrib.bench.accounts import Account, read_accounts
from contrib.bench.measure import Sample, sample, usage_between
from contrib.bench.sign_in import Address, Security, context_for_loopback, sign_in

SIGN_INS_AT_ONCE = 32
SIGN_IN_DEADLINE = 60.0
SETTLE_SECONDS = 0.5
DRAIN_SECONDS = 10.0

PRESENCE = b"<presence/>"
FAREWELL = b"</stream:stream>"
END_OF_MESSAGE = b"</message>"
CHAT_STATE = b"http://jabber.org/protocol/chatstates"
MARK = b"imb:"
BODY_LENGTH = 60
SURPRISE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    accounts: Sequence[Account]
    address: Address
    in_flight: int
    warm_up: float
    seconds: float
    watch: Sequence[int]


@dataclass(frozen=True, slots=True)
class Latency:
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Correctness:
    """What went wrong; all zero when nothing did."""

    lost: int
    duplicated: int
    out_of_order: int
    misdelivered: int
    chat_states_lost: int
    disconnected: int

    @property
    def is_perfect(self) -> bool:
        return not any(asdict(self).values())


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found; a share of 1 is one core."""

    clients: int
    in_flight: int
    security: str
    logins_per_second: float
    server_cpu_ms_per_login: float
    login_server_share: float
    login_generator_share: float
    rss_bytes_per_connection: float
    rss_bytes: int
    seconds: float
    messages: int
    messages_per_second: float
    latency: Latency
    server_cpu_us_per_message: float
    server_cpu_share: float
    generator_cpu_us_per_message: float
    generator_cpu_share: float
    others_cpu_share: float
    stolen_cpu_share: float
    correctness: Correctness
    surprise: str
    """The first thing that came to somebody it was not meant for: a refusal, as a rule."""

    @classmethod
    def from_json(cls, text: str) -> Report:
        fields = json.loads(text)
        latency = Latency(**fields.pop("latency"))
        correctness = Correctness(**fields.pop("correctness"))
        return cls(**fields, latency=latency, correctness=correctness)


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
        self, number: int, transport: asyncio.Transport, to: Account, meter: Meter, window: int
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
        self._message = prepare_message(number, to.jid)
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
        self.chat_states_lost += messages - whole.count(CHAT_STATE)
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

    def leave(self) -> None:
        self._transport.write(FAREWELL)
        self._transport.close()


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


async def run(plan: Plan) -> Report:
    """Sign in, warm up, measure, drain, and check."""
    before = sample(plan.watch)
    await rehearse(plan)
    entering = sample(plan.watch)
    meter = Meter()
    talkers = await gather_talkers(plan, meter)
    signed_in = sample(plan.watch)
    await asyncio.sleep(SETTLE_SECONDS)
    idle = sample(plan.watch)

    start_talking(talkers, plan.in_flight)
    with without_garbage_collection():
        await asyncio.sleep(plan.warm_up)
        meter.is_measuring = True
        begun = sample(plan.watch)
        await asyncio.sleep(plan.seconds)
        ended = sample(plan.watch)
        meter.is_measuring = False

    meter.is_answering = False
    await drain(talkers)
    correctness = check(talkers)
    for talker in talkers:
        talker.leave()
    surprise = next((talker.surprise for talker in talkers if talker.surprise), "")
    return report(plan, meter, correctness, surprise, [before, entering, signed_in, idle, begun, ended])


async def rehearse(plan: Plan) -> None:
    """Sign everybody in and out, so that no key has to be derived while logins are measured."""
    for transport in await sign_all_in(plan):
        transport.write(FAREWELL)
        transport.close()
    await asyncio.sleep(SETTLE_SECONDS)


async def sign_all_in(plan: Plan) -> list[asyncio.Transport]:
    context = context_for_loopback()
    turnstile = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async def enter(account: Account) -> asyncio.Transport:
        async with turnstile:
            return await sign_in(account, plan.address, context)

    async with asyncio.timeout(SIGN_IN_DEADLINE):
        return await asyncio.gather(*map(enter, plan.accounts))


async def gather_talkers(plan: Plan, meter: Meter) -> list[Talker]:
    transports = await sign_all_in(plan)
    talkers = [
        Talker(number, transport, plan.accounts[number ^ 1], meter, plan.in_flight)
        for number, transport in enumerate(transports)
    ]
    for number, talker in enumerate(talkers):
        talker.partner = talkers[number ^ 1]
    for transport in transports:
        transport.write(PRESENCE)
    return talkers


def start_talking(talkers: list[Talker], in_flight: int) -> None:
    """Let each pair have its messages in flight, half of them from either side."""
    now = time.perf_counter()
    for first, second in zip(talkers[::2], talkers[1::2], strict=True):
        first.send(in_flight - in_flight // 2, now)
        second.send(in_flight // 2, now)


async def drain(talkers: list[Talker]) -> None:
    """Wait until everything sent has arrived, and a little longer for what comes twice."""
    deadline = time.perf_counter() + DRAIN_SECONDS
    while time.perf_counter() < deadline and any(t.ledger.count_lost(t.partner.sent) for t in talkers):
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_SECONDS)


def check(talkers: list[Talker]) -> Correctness:
    return Correctness(
        lost=sum(talker.ledger.count_lost(talker.partner.sent) for talker in talkers),
        duplicated=sum(talker.ledger.duplicated for talker in talkers),
        out_of_order=sum(talker.ledger.out_of_order for talker in talkers),
        misdelivered=sum(talker.misdelivered for talker in talkers),
        chat_states_lost=sum(talker.chat_states_lost for talker in talkers),
        disconnected=sum(not talker.is_connected for talker in talkers),
    )


def report(
    plan: Plan, meter: Meter, correctness: Correctness, surprise: str, moments: Sequence[Sample]
) -> Report:
    before, entering, signed_in, idle, begun, ended = moments
    clients = len(plan.accounts)
    logins = usage_between(entering, signed_in)
    usage = usage_between(begun, ended)
    messages = max(meter.messages, 1)
    return Report(
        clients=clients,
        in_flight=plan.in_flight,
        security=plan.address.security,
        logins_per_second=clients / logins.seconds,
        server_cpu_ms_per_login=logins.cpu_seconds / clients * 1e3,
        login_server_share=logins.server_share,
        login_generator_share=logins.generator_share,
        rss_bytes_per_connection=(idle.resident_bytes - before.resident_bytes) / clients,
        rss_bytes=ended.resident_bytes,
        seconds=usage.seconds,
        messages=meter.messages,
        messages_per_second=meter.messages / usage.seconds,
        latency=percentiles(meter.latencies),
        server_cpu_us_per_message=usage.cpu_seconds / messages * 1e6,
        server_cpu_share=usage.server_share,
        generator_cpu_us_per_message=usage.own_cpu_seconds / messages * 1e6,
        generator_cpu_share=usage.generator_share,
        others_cpu_share=usage.others_share,
        stolen_cpu_share=usage.stolen_share,
        correctness=correctness,
        surprise=surprise,
    )


def percentiles(seconds: Sequence[float]) -> Latency:
    if not seconds:
        return Latency(0.0, 0.0, 0.0)
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return Latency(*(ordered[round(last * part)] * 1e3 for part in (0.5, 0.99, 1.0)))


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read_plan(arguments: Sequence[str] | None = None) -> Plan:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=Path, required=True, help="CSV file: jid,password")
    parser.add_argument("--clients", type=int, default=100, help="how many of them, an even number")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--security", type=Security, choices=list(Security), default=Security.NONE)
    parser.add_argument("--mechanism", default="", help="SASL mechanism (default: the best one offered)")
    parser.add_argument("--in-flight", type=int, default=4, help="messages on their way in each pair")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before measuring")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--watch", default="", help="server's process ids, separated by commas")
    given = parser.parse_args(arguments)
    accounts = read_accounts(given.accounts)[: given.clients]
    if given.clients % 2 or len(accounts) < given.clients:
        parser.error(
            f"{given.clients} clients wanted, in pairs; {given.accounts} has {len(accounts)} accounts"
        )
    if given.in_flight < 1:
        parser.error("at least one message must be in flight")
    return Plan(
        accounts=accounts,
        address=Address(given.host, given.port, given.security, given.mechanism),
        in_flight=given.in_flight,
        warm_up=given.warm_up,
        seconds=given.seconds,
        watch=[int(pid) for pid in given.watch.split(",") if pid],
    )


def main() -> int:
    plan = read_plan()
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(plan))
    json.dump(asdict(result), sys.stdout, indent=2)
    print()
    return 0 if result.correctness.is_perfect else 1


if __name__ == "__main__":
    sys.exit(main())
