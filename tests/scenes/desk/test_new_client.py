"""Somebody writes for the first time: from then on they are one client, with one key."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, attends, bodies, on_stage, says

QUEUE = "support@desk.localhost"


async def test_two_messages_together_make_one_conversation(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l1'><body>one</body></message>"
        f"<message to='{QUEUE}' type='chat' id='l2'><body>two</body></message>"
    )
    await accepts(stage, ana)

    assert [text for text in bodies(await ana.swallows()) if text in ("one", "two")] == ["one", "two"]
    assert len(stage.desk.floor.conversations) == 1
    assert bodies(await luis.swallows()).count("Welcome to Support.") == 1


async def test_two_messages_from_two_devices_too(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    phone = await stage.comes_online("luis", "phone")
    await asyncio.gather(
        luis.sends(f"<message to='{QUEUE}' type='chat' id='l1'><body>one</body></message>"),
        phone.sends(f"<message to='{QUEUE}' type='chat' id='p1'><body>two</body></message>"),
    )
    await phone.swallows()
    await luis.swallows()
    await accepts(stage, ana)

    assert sorted(text for text in bodies(await ana.swallows()) if text in ("one", "two")) == ["one", "two"]
    assert len(stage.desk.floor.conversations) == 1
    assert len({one.client for one in stage.desk.floor.conversations.values()}) == 1


async def test_many_at_once_are_as_many_clients(stage: DeskStage, ana: Actor) -> None:
    crowd = [await stage.comes_online(f"guest{number}") for number in range(10)]
    await asyncio.gather(*(says(guest, QUEUE, f"I am {guest.jid.local}") for guest in crowd))
    await stage.settles()

    assert len({one.client for one in stage.desk.floor.conversations.values()}) == len(crowd)


async def test_a_client_is_the_same_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('[queues.support]\nmembers = ["ana@localhost"]\nreopen_seconds = 0')
    seen = []
    for _ in range(2):
        async with on_stage(tmp_path, file) as stage:
            ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
            client = await attends(stage, ana, luis)
            await says(ana, client, "!close")
            await stage.settles()
            await stage.passes(1)
            seen.append(client)

    assert seen[0] == seen[1]
