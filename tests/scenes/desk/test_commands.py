"""What agents type."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, offer_in, says

QUEUE = "support@desk.localhost"


async def answers(agent: Actor, to: str, command: str) -> list[str]:
    """Type a command, and read what comes."""
    await says(agent, to, command)
    return bodies(await agent.swallows())


async def test_help_lists_what_can_be_done_there(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    (at_queue,) = await answers(ana, QUEUE, "!help")
    client = await attends(stage, ana, luis)
    (at_client,) = await answers(ana, client, "!help")

    assert "!ready: ends your break" in at_queue
    assert "!transfer" not in at_queue
    assert "!transfer <agent or queue> [reason]: hands the client on" in at_client
    assert not bodies(await luis.swallows())


async def test_a_mistyped_command_is_answered_with_the_nearest(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)

    assert await answers(ana, client, "!tranfer eva") == [
        "There is no command !tranfer. Did you mean !transfer? Nothing was sent."
    ]
    assert await answers(ana, client, "thanks\n!close") == [
        "Nothing was sent: a line of it begins with !. Write !! for a !."
    ]
    assert not bodies(await luis.swallows())


async def test_the_prefix_twice_is_said(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    assert await answers(ana, client, "!!important is CSS") == []

    assert bodies(await luis.swallows()) == ["!important is CSS"]


async def test_a_break_ends_with_ready(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    assert await answers(ana, QUEUE, "!pause lunch") == [
        "You are on a break; nothing new is offered to you until !ready."
    ]
    await says(luis, QUEUE, "hello")
    await ana.receives_nothing()

    await says(ana, QUEUE, "!ready")

    received = await ana.swallows()
    assert "You are ready." in bodies(received)
    offer_in(received)


async def test_a_break_leaves_an_agent_what_they_have(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await answers(ana, client, "!pause")
    await says(luis, QUEUE, "still there?")

    assert bodies(await ana.swallows()) == ["still there?"]


async def test_who_waits_and_how_long(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    assert await answers(ana, QUEUE, "!queue") == ["Nobody is waiting."]
    await says(ana, QUEUE, "!pause")
    await says(luis, QUEUE, "hello")
    await stage.passes(90)
    tea = await stage.comes_online("tea")
    await says(tea, QUEUE, "hello")
    await stage.settles()
    await ana.swallows()

    assert await answers(ana, QUEUE, "!queue") == [
        "1. luis@localhost, Support: 1 min\n2. tea@localhost, Support: 0 s"
    ]


async def test_the_card_of_a_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await answers(ana, client, "!note likes  tea")
    await stage.passes(120)

    (card,) = await answers(ana, client, "!who")

    assert card.splitlines() == [
        "Name: luis@localhost",
        "Address: luis@localhost",
        "Channel: XMPP",
        "Queue: Support",
        "Waiting for: 2 min",
        "Conversations: 1",
        "Note: ana: likes  tea",
    ]


async def test_what_was_said_before(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis, "one")
    await says(ana, client, "two")
    await says(ana, client, "!note three")
    await says(luis, QUEUE, "four")
    await ana.swallows()

    history, answer = await answers(ana, client, "!history")

    assert [line.partition("] ")[2] for line in history.splitlines()] == [
        "luis@localhost: one",
        "ana: two",
        "luis@localhost: four",
    ]
    assert answer == "Messages from before: 3."
    assert (await answers(ana, client, "!history 1"))[0].endswith("luis@localhost: four")


async def test_a_note_is_shown_to_the_colleagues_in_it_only(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await eva.swallows()
    await ana.swallows()

    assert await answers(ana, client, "!note careful") == ["Noted; the client does not see it."]

    assert bodies(await eva.swallows()) == ["ana (careful)"]
    assert not bodies(await luis.swallows())


async def test_there_are_no_templates_without_a_plugin(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    assert await answers(ana, client, "!t hello") == ["No templates are installed."]


@pytest.mark.parametrize("command", ["!close", "!transfer eva", "!note x", "!who"])
async def test_what_is_about_a_client_needs_one(stage: DeskStage, ana: Actor, command: str) -> None:
    (answer,) = await answers(ana, QUEUE, command)

    assert answer == f"{command.split()[0]} is for the chat with a client."


async def test_commands_of_others_are_words_of_clients(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "!pause")
    await stage.settles()

    assert "> !pause" in bodies([offer_in(await ana.swallows())])[0]


@pytest.mark.desk_file(whole='prefix = "#"\n[queues.support]\nmembers = ["ana@localhost"]\n')
async def test_another_prefix(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    assert (await answers(ana, QUEUE, "#ready")) == ["You are ready."]
    client = await attends(stage, ana, luis)

    await says(ana, client, "!close")

    assert bodies(await luis.swallows()) == ["!close"]
