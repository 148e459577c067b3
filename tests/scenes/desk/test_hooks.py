"""What plugins decide and hear of the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, offer_in, on_stage, says

QUEUE = "support@desk.localhost"
SETTINGS = """
[queues.support]
title = "Support"
members = ["ana@localhost", "eva@localhost"]
strategy = "last-in-the-alphabet"
"""
PLUGIN = """
from imserver import hookimpl

@hookimpl
def choose_agent(queue, candidates):
    if queue.strategy == "last-in-the-alphabet":
        return [max(agent.jid for agent in candidates)]

@hookimpl
def conversation_opened(server, conversation):
    server.features.setdefault("told", []).append(f"{conversation.id} opened in {conversation.queue}")

@hookimpl
async def conversation_assigned(server, conversation, agent):
    server.features.setdefault("told", []).append(f"{conversation.id} assigned to {agent}")

@hookimpl
def conversation_closed(server, conversation):
    server.features.setdefault("told", []).append(f"{conversation.id} closed: {conversation.code}")
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[DeskStage]:
    """A desk with a plugin that has a strategy of its own."""
    (tmp_path / "alphabet.py").write_text(PLUGIN)
    file = tmp_path / "desk.toml"
    file.write_text(SETTINGS)
    plugins = {"plugins": {"paths": [str(tmp_path / "alphabet.py")]}}
    async with on_stage(tmp_path, file, plugins) as one:
        yield one


async def test_a_plugin_chooses_the_agent(stage: DeskStage, ana: Actor, eva: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "hello")
    await stage.settles()

    offer_in(await eva.swallows())
    await ana.receives_nothing()


async def test_plugins_hear_of_conversations(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await eva.swallows()
    await says(ana, client, "!close solved")
    await stage.settles()

    assert stage.server.features["told"] == [
        "1 opened in support",
        "1 assigned to ana@localhost",
        "1 assigned to eva@localhost",
        "1 closed: solved",
    ]


async def test_plugins_hear_when_a_client_comes_back(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await stage.settles()
    stage.server.features["told"].clear()

    await says(luis, QUEUE, "me again")
    await stage.settles()

    assert stage.server.features["told"] == ["1 opened in support", "1 assigned to ana@localhost"]
