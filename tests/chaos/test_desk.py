"""Clients and agents talk while the server is killed again and again: no word that it took is lost, or goes astray.

`CHAOS_ROUNDS=100 pytest tests/chaos` goes on for longer.
"""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.client import Client
from tests.chaos.conftest import NAMES
from tests.chaos.test_kill import ROUNDS, everybody, have_talked
from tests.clients.running import RunningServer

QUEUE = "support@desk.localhost"
AGENTS, CUSTOMERS = NAMES[:2], NAMES[2:]
DESK = f"""
[queues.support]
members = {[f"{name}@localhost" for name in AGENTS]}
agent_capacity = 10
offer_seconds = 5
ask_again_seconds = 1
misses_before_pause = 0
lost_agent_grace_seconds = 2
reopen_seconds = 60
"""
RESPONSE = "urn:xmpp:tmp:quick-response"
INTERNAL = "urn:imserver:desk:internal"


class Customer(Client):
    """Writes numbers to the queue: `user2/1`, `user2/2`, …"""

    def __init__(self, name: str, server: RunningServer) -> None:
        super().__init__(name, "", server.ports.c2s_tls, server.ca)
        self.read: list[str] = []

    async def _say(self) -> None:
        self._number += 1
        await self._write(QUEUE, f"{self.name}/{self._number}", self._number)

    async def _write(self, to: str, text: str, number: int) -> None:
        await self._send(
            f"<message to='{to}' type='chat' id='{self.name}-{number}'><body>{text}</body></message>"
        )
        await self._connected.sends("<r xmlns='urn:xmpp:sm:3'/>")
        await asyncio.sleep(random.uniform(0.002, 0.02))

    async def _hear(self) -> None:
        got = await self._stanza()
        body = got.child("body", "jabber:client")
        if got.name == "message" and got.get("type") == "chat" and body is not None:
            self.read.append(body.text)


class Agent(Customer):
    """Accepts whatever is offered, and writes numbers to everybody who wrote: `<client key>/user0/1`, …"""

    def __init__(self, name: str, server: RunningServer) -> None:
        super().__init__(name, server)
        self._clients: dict[str, None] = {}
        #: Which of the numbers the server did not take.
        self.refused: set[int] = set()

    async def _say(self) -> None:
        if not self._clients:
            await asyncio.sleep(0.01)
            return
        self._number += 1
        client = random.choice(list(self._clients))
        await self._write(client, f"{client.partition('@')[0]}/{self.name}/{self._number}", self._number)

    async def _hear(self) -> None:
        got = await self._stanza()
        sender = got.get("from")
        if got.name != "message":
            return
        if got.get("type") == "error":
            self.refused.add(int(got.get("id").rpartition("-")[2] or 0))
            self._clients.pop(sender.partition("/")[0], None)
        elif (response := got.child("response", RESPONSE)) is not None:
            await self._write(QUEUE, response.get("value"), 0)
        elif "@xmpp.localhost" in sender and got.child("internal", INTERNAL) is None:
            self._clients[sender.partition("/")[0]] = None


@pytest.fixture
async def desk(server: RunningServer) -> RunningServer:
    """The server with a queue."""
    server.stop()
    file = server.directory / "desk.toml"
    file.write_text(DESK)
    with server.config.open("a") as config:
        config.write(f'\n[desk]\nfile = "{file}"\n')
    await asyncio.to_thread(server.start)
    return server


@pytest.mark.timeout(300 + 60 * ROUNDS)
async def test_every_word_gets_to_whom_it_is_for_once_and_in_order(desk: RunningServer) -> None:
    customers = [Customer(name, desk) for name in CUSTOMERS]
    agents = [Agent(name, desk) for name in AGENTS]
    everyone: list[Client] = [*customers, *agents]
    for _ in range(ROUNDS):
        await everybody(everyone)
        talking = [asyncio.create_task(one.talk()) for one in everyone]
        await have_talked(customers)
        await asyncio.sleep(random.uniform(0.3, 3.5))
        desk.kill_hard()
        await asyncio.wait(talking, timeout=10)
        for one in everyone:
            await one.breaks()
        await asyncio.to_thread(desk.start)

    await everybody(everyone)
    await asyncio.gather(*(one.talk(20) for one in customers), *(one.talk(200) for one in agents))
    archives = Archives(desk.directory / "data" / "imserver.db")
    await archives.until(lambda: all(archives.has_agent_all_of(one) for one in customers))
    for one in everyone:
        await one.breaks()

    for customer in customers:
        archives.check_words_of(customer)
    for agent in agents:
        archives.check_words_of_agent(agent)


class Archives:
    """What everybody will find."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said: dict[str, list[str]] = {}

    def read(self) -> None:
        """Read who has what in their archive."""
        with sqlite3.connect(self._file) as database:
            rows = database.execute("SELECT owner, peer, mirror, stanza FROM archive ORDER BY id").fetchall()
        said = defaultdict(list)
        for owner, peer, mirror, stanza in rows:
            found = re.search(rb"<body>([^<!]*)</body>", stanza)
            if found is not None and b"/" in found[1]:
                said[owner].append(found[1].decode())
                if mirror is not None:
                    said[peer].append(found[1].decode())
        self._said = said

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is so; if it never is, the checks will say what is missing."""
        for _ in range(300):
            self.read()
            if is_so():
                return
            await asyncio.sleep(0.2)

    def _key_of(self, name: str) -> str:
        """Find the key of a customer."""
        found = {owner for owner, said in self._said.items() if "@xmpp." in owner and f"{name}/1" in said}
        assert len(found) == 1, f"{name} is {found}"
        return found.pop().partition("@")[0]

    def _in(self, owner: str, beginning: str) -> list[int]:
        """List the numbers of one author that are in an archive."""
        return [
            int(text.rpartition("/")[2]) for text in self._said.get(owner, ()) if text.startswith(beginning)
        ]

    def _with_agents(self, name: str) -> list[list[int]]:
        return [self._in(f"{agent}@localhost", f"{name}/") for agent in AGENTS]

    def has_agent_all_of(self, customer: Client) -> bool:
        """Tell whether the agents have all that a customer was told to be taken."""
        return set(customer.acknowledged) <= {
            number for numbers in self._with_agents(customer.name) for number in numbers
        }

    def check_words_of(self, customer: Customer) -> None:
        """Look for a customer's words: in the history, and with one of the agents."""
        key, name = self._key_of(customer.name), customer.name
        history, given = self._in(f"{key}@xmpp.localhost", f"{name}/"), self._with_agents(name)
        assert history == sorted(set(history)), f"{name} in the history: doubled, or out of order"
        assert set(customer.acknowledged) <= set(history), f"{name} in the history: lost"
        for numbers in given:
            assert numbers == sorted(set(numbers)), f"{name} with an agent: doubled, or out of order"
        assert not set(given[0]) & set(given[1]), f"{name} is with both agents"
        assert set(customer.acknowledged) <= set(given[0]) | set(given[1]), f"{name} with the agents: lost"
        assert len(customer.acknowledged) > ROUNDS
        answers = [text for text in customer.read if text.count("/") == 2]
        assert answers
        assert all(text.startswith(f"{key}/") for text in answers), f"{name} was shown somebody else's"
        others = {text.partition("/")[0] for text in self._said[f"{key}@xmpp.localhost"]} - {name, key}
        assert not others, f"in the history of {name} are words of {others}"

    def check_words_of_agent(self, agent: Agent) -> None:
        """Look for an agent's words: with the customer, and in the history, and nowhere else."""
        taken = set(agent.acknowledged) - agent.refused - {0}
        found: set[int] = set()
        for name in CUSTOMERS:
            key = self._key_of(name)
            read = self._in(f"{name}@localhost", f"{key}/{agent.name}/")
            history = self._in(f"{key}@xmpp.localhost", f"{key}/{agent.name}/")
            assert read == sorted(set(read)), f"{agent.name} with {name}: doubled, or out of order"
            assert history == sorted(set(history)), f"{agent.name} in the history: doubled, or out of order"
            assert set(read) <= set(history)
            assert all(text.startswith((f"{key}/", f"{name}/")) for text in self._said[f"{name}@localhost"])
            found |= set(read)
        assert taken <= found, f"{agent.name}: lost {sorted(taken - found)}"
        assert len(taken) > ROUNDS
