"""What the server said yes to is there after `kill -9`, once and in order.

`CHAOS_ROUNDS=100 pytest tests/chaos` goes on for longer.
"""

import asyncio
import os
import random
from collections.abc import Sequence

import pytest

from tests.chaos.client import Client
from tests.chaos.conftest import NAMES
from tests.clients.running import RunningServer
from tests.scenes.actors import PATIENCE

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "4"))


def pairs(server: RunningServer) -> list[Client]:
    """Everybody has a partner: 0 and 1, 2 and 3, …"""
    partners = {NAMES[index]: NAMES[index ^ 1] for index in range(len(NAMES))}
    return [Client(name, partner, server.ports.c2s_tls, server.ca) for name, partner in partners.items()]


async def everybody(clients: list[Client]) -> None:
    await asyncio.gather(*(client.connect() for client in clients))


async def have_talked(clients: Sequence[Client]) -> None:
    """Wait until the server has taken a few words more from each."""
    wanted = {client: len(client.acknowledged) + 2 for client in clients}
    async with asyncio.timeout(PATIENCE):
        while any(len(client.acknowledged) < count for client, count in wanted.items()):
            await asyncio.sleep(0.01)


@pytest.mark.timeout(300 + 60 * ROUNDS)
async def test_what_was_acknowledged_is_in_both_archives_once_and_in_order(server: RunningServer) -> None:
    clients = pairs(server)
    for _ in range(ROUNDS):
        await everybody(clients)
        talking = [asyncio.create_task(client.talk()) for client in clients]
        await have_talked(clients)
        await asyncio.sleep(random.uniform(0.0, 0.8))
        server.kill_hard()
        await asyncio.wait(talking, timeout=10)
        for client in clients:
            await client.breaks()
        await asyncio.to_thread(server.start)

    await everybody(clients)
    archives = {client.name: await client.history() for client in clients}
    for client in clients:
        for owner in (client.name, client.partner):
            sent = [number for sender, number in archives[owner] if sender == client.name]
            assert sent == sorted(set(sent)), "doubled, or out of order"
            assert set(client.acknowledged) <= set(sent), "acknowledged, and lost"
        assert len(client.acknowledged) > ROUNDS
        await client.breaks()


@pytest.mark.timeout(300 + 60 * ROUNDS)
async def test_a_client_that_comes_back_hears_everything_once_and_in_order(server: RunningServer) -> None:
    clients = pairs(server)
    talkers, listeners = clients[0::2], clients[1::2]
    messages = 300 * ROUNDS

    async def talk(client: Client) -> None:
        await client.connect()
        await client.talk(messages)

    async def listen(client: Client) -> None:
        await client.connect()
        while len(client.heard) < messages:
            try:
                async with asyncio.timeout(random.uniform(0.05, 0.3)):
                    await client.listen_until(messages)
            except TimeoutError:
                await client.breaks()
                await client.connect()

    async with asyncio.timeout(PATIENCE * ROUNDS):
        await asyncio.gather(*map(listen, listeners), *map(talk, talkers))

    for client in listeners:
        assert client.heard == list(range(1, messages + 1))
        await client.breaks()
    for client in talkers:
        assert client.acknowledged == list(range(1, messages + 1))
        await client.breaks()
