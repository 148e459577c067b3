"""Conversations in which nobody says anything any more."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, says

QUEUE = "support@desk.localhost"
WARNING = "Are you still there? The conversation will be closed in 5 min."

pytestmark = pytest.mark.desk("silent_warning_seconds = 600\nsilent_close_seconds = 300")


async def test_a_silent_client_is_warned_and_then_the_conversation_is_closed(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "did that help?")
    await luis.swallows()

    await stage.passes(600)
    assert bodies(await luis.swallows()) == [WARNING]
    assert not bodies(await ana.swallows())
    await stage.passes(300)

    assert bodies(await luis.swallows()) == [
        "The conversation was closed since we have not heard from you. Just write to come back."
    ]
    assert bodies(await ana.swallows()) == [
        "luis@localhost has been silent for too long; the conversation is closed.",
        "You do not attend luis@localhost any more.",
    ]


async def test_a_word_is_enough_to_stay(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "did that help?")
    await stage.passes(600)
    await says(luis, QUEUE, "yes, wait")
    await says(ana, client, "I do")
    await luis.swallows()

    await stage.passes(599)
    assert not bodies(await luis.swallows())
    await stage.passes(1)

    assert bodies(await luis.swallows()) == [WARNING]


async def test_whoever_waits_for_an_answer_is_not_silent(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await attends(stage, ana, luis)

    await stage.passes(3600)

    assert not bodies(await luis.swallows())
