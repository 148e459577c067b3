"""The road of a message inside one process, without sockets: what our own code costs, and nothing else.

Two clients of each pair hand their bytes straight to the server's protocols. A calibrated loop of plain Python runs
between the turns, so that the *ratio* of the two tells a slow change from a slow machine:
`python -m contrib.bench.road --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from cProfile import Profile
from dataclasses import dataclass
from pathlib import Path
from pstats import Stats
from tempfile import TemporaryDirectory
from typing import Any, cast

import structlog
import uvloop

from contrib.bench.accounts import Account, make_accounts
from contrib.bench.load import END_OF_MESSAGE, PRESENCE, prepare_message
from contrib.bench.scram import stored_keys
from contrib.bench.sign_in import BIND, BOUND, Dialogue
from imserver.net.tcp import TCPDoor
from imserver.running import Running, running
from imserver.settings import Settings
from imserver.storage.accounts import StoredCredentials
from imserver.xmpp.jid import JID

EXAMPLE = Path(__file__).resolve().parents[1] / "example_plugin" / "mask_cards.py"
ITERATIONS = 4096
SALT = b"the same for everybody"
LOOP_ROUNDS = 20_000


@dataclass(frozen=True, slots=True)
class Road:
    """What it cost, run by run."""

    message_us: Sequence[float]
    loop_us: Sequence[float]
    """One round of the calibrated loop, right before and after the run of the same place."""

    @property
    def ratio(self) -> float:
        """How many rounds of the loop a message costs: the middle of all runs."""
        return statistics.median(
            message / loop for message, loop in zip(self.message_us, self.loop_us, strict=True)
        )


class Arrivals:
    """Counts what all clients get, and says when it is enough."""

    def __init__(self) -> None:
        self._missing = 0
        self._complete: asyncio.Future[None] | None = None

    def expect(self, messages: int) -> asyncio.Future[None]:
        self._missing += messages
        self._complete = asyncio.get_running_loop().create_future()
        return self._complete

    def forget(self) -> None:
        """Begin anew: what has arrived so far does not count."""
        self._missing = 0

    def count(self, messages: int) -> None:
        self._missing -= messages
        if not self._missing and self._complete is not None:
            self._complete.set_result(None)
            self._complete = None


class Wire(asyncio.Transport):
    """The server's end of a connection that is no socket: what it writes is counted, or read by a dialogue."""

    protocol: asyncio.Protocol

    def __init__(self, arrivals: Arrivals) -> None:
        super().__init__({"peername": ("127.0.0.1", 0)})
        self.dialogue: Dialogue | None = None
        self._arrivals = arrivals

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.dialogue is not None:
            asyncio.get_running_loop().call_soon(self.dialogue.data_received, bytes(data))
        else:
            self._arrivals.count(bytes(data).count(END_OF_MESSAGE))

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast("asyncio.Protocol", protocol)

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Ear(asyncio.Transport):
    """The client's end, for as long as it signs in."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def write(self, data: bytes | bytearray | memoryview) -> None:
        asyncio.get_running_loop().call_soon(self._wire.protocol.data_received, bytes(data))


async def enter(one: Running, account: Account, arrivals: Arrivals) -> Wire:
    """Sign in, and say that we are there."""
    wire = Wire(arrivals)
    TCPDoor(one.reception, one.certificates, direct_tls=False).connection_made(wire)
    dialogue = wire.dialogue = Dialogue(account)
    dialogue.transport = Ear(wire)
    await dialogue.open_stream()
    await dialogue.authenticate("SCRAM-SHA-256")
    await dialogue.open_stream()
    await dialogue.ask(BIND, BOUND)
    wire.protocol.data_received(PRESENCE)
    await asyncio.sleep(0.01)
    wire.dialogue = None
    return wire


async def make_credentials(one: Running, accounts: Iterable[Account]) -> None:
    for account in accounts:
        keys = stored_keys("sha256", account.password, SALT, ITERATIONS)
        stored = StoredCredentials("SCRAM-SHA-256", SALT, ITERATIONS, *keys)
        await one.server.store.accounts.add(JID.of(account.local, account.domain), [stored])


def settings(folder: Path, plugins: Sequence[Path], *, archive: bool, **more: Any) -> Settings:
    nobody_comes_this_way = {"c2s": ["127.0.0.1:0"], "c2s_tls": [], "http": []}
    return Settings.model_validate(
        {
            "domain": "localhost",
            "data": str(folder),
            "listen": nobody_comes_this_way,
            "c2s": {"require_tls": False},
            "archive": {"enabled": archive},
            "limits": {"connections_per_address": 100_000},
            "plugins": {"paths": [str(path) for path in plugins]},
            **more,
        }
    )


@asynccontextmanager
async def running_quietly(wanted: Settings) -> AsyncIterator[Running]:
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr), wrapper_class=quiet)
    async with running(wanted, log) as one:
        yield one


async def walk(
    *,
    archive: bool,
    clients: int = 100,
    each: int = 2,
    runs: int = 40,
    turns: int = 4,
    plugins: Sequence[Path] = (EXAMPLE,),
    profile: Profile | None = None,
) -> Road:
    """Have the clients, in pairs, send `each` messages a turn, and wait for them to arrive."""
    accounts = make_accounts(clients)
    with TemporaryDirectory(prefix="imserver-road-") as folder:
        async with running_quietly(settings(Path(folder), plugins, archive=archive)) as one:
            await make_credentials(one, accounts)
            arrivals = Arrivals()
            wires = [await enter(one, account, arrivals) for account in accounts]
            speeches = [prepare_message(n, accounts[n ^ 1].jid) for n in range(clients)]
            return await pace(wires, speeches, arrivals, each, runs, turns, profile)


async def pace(
    wires: Sequence[Wire],
    speeches: Sequence[bytes],
    arrivals: Arrivals,
    each: int = 2,
    runs: int = 40,
    turns: int = 4,
    profile: Profile | None = None,
) -> Road:
    """Measure the road, run by run, with the loop before and after each."""
    message_us, loop_us = [], []
    said = 0

    async def take_turns() -> None:
        nonlocal said
        for _ in range(turns):
            complete = arrivals.expect(each * len(wires))
            for wire, speech in zip(wires, speeches, strict=True):
                for number in range(said, said + each):
                    wire.protocol.data_received(speech % (number, number))
            said += each
            await complete

    await take_turns()
    gc.collect()
    for _ in range(runs):
        before = time_loop()
        if profile is not None:
            profile.enable()
        begun = time.process_time()
        await take_turns()
        message_us.append((time.process_time() - begun) / (turns * each * len(wires)) * 1e6)
        if profile is not None:
            profile.disable()
        loop_us.append((before + time_loop()) / 2)
    return Road(message_us, loop_us)


def time_loop() -> float:
    """Time one round of the calibrated loop, in microseconds of CPU."""
    begun = time.process_time()
    loop(LOOP_ROUNDS)
    return (time.process_time() - begun) / LOOP_ROUNDS * 1e6


def loop(rounds: int) -> int:
    """Do what Python code mostly does: look up, call, build, join."""
    seen: dict[str, int] = {}
    total = 0
    for number in range(rounds):
        key = f"key{number & 63}"
        seen[key] = seen.get(key, 0) + 1
        total += _step([key, "b", "c"], number)
    return total


def _step(parts: list[str], number: int) -> int:
    text = "-".join(parts).encode()
    return len(text) if text.startswith(b"key") and number >= 0 else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", choices=["on", "off"], default="on")
    parser.add_argument("--clients", type=int, default=100, help="an even number")
    parser.add_argument("--each", type=int, default=2, help="messages of each client in a turn of the loop")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--turns", type=int, default=4, help="of a run")
    parser.add_argument("--profile", action="store_true", help="say where the time goes (cProfile)")
    given = parser.parse_args()
    profile = Profile() if given.profile else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        road = runner.run(
            walk(
                archive=given.archive == "on",
                clients=given.clients,
                each=given.each,
                runs=given.runs,
                turns=given.turns,
                profile=profile,
            )
        )
    print(
        f"{min(road.message_us):.1f} µs a message at least (median {statistics.median(road.message_us):.1f}),"
        f" {min(road.loop_us):.3f} µs a round of the loop: ratio {road.ratio:.1f}"
    )
    if profile is not None:
        Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
