"""A client is passed on, or comes back to the queue; colleagues help."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import (
    DeskStage,
    accepts,
    attends,
    bodies,
    heard,
    items_in,
    offer_in,
    opens_roster,
    says,
)

QUEUE = "support@desk.localhost"
SALES = '[queues.sales]\ntitle = "Sales"\nmembers = ["zoe@localhost"]'


async def test_an_agent_passes_a_client_on_with_a_reason_and_what_was_said(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await says(eva, QUEUE, "!pause")
    client = await attends(stage, ana, luis, "the invoice is wrong")
    await says(ana, client, "let me see")
    await says(eva, QUEUE, "!ready")
    await eva.swallows()

    await says(ana, client, "!transfer eva knows invoices")
    await stage.settles()

    offer = await accepts(stage, eva)
    assert "ana passes luis@localhost on to you (Support): knows invoices. Accept?" in bodies([offer])[0]
    opening, before = heard(await eva.swallows())
    assert opening == "You attend luis@localhost now (Support), passed on by ana: knows invoices"
    assert [line.partition("] ")[2] for line in before.splitlines()] == [
        "luis@localhost: the invoice is wrong",
        "ana: let me see",
    ]


async def test_the_client_is_told_and_goes_from_the_first_agents_contacts(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await says(eva, QUEUE, "!pause")
    client = await attends(stage, ana, luis)
    await says(eva, QUEUE, "!ready")
    await eva.swallows()

    await opens_roster(ana)
    await says(ana, client, "!transfer eva")
    await accepts(stage, eva)
    await says(luis, QUEUE, "hello eva")

    assert bodies(await luis.swallows()) == [
        "You are being passed on to a colleague.",
        "Somebody is with you now.",
    ]
    gone = await ana.swallows()
    assert [item.get("subscription") for item in items_in(gone)] == ["remove"]
    assert "hello eva" not in bodies(gone)
    assert heard(await eva.swallows())[-1] == "hello eva"
    await says(ana, client, "one more thing")
    assert (await ana.swallows())[-1].get("type") == "error"
    await luis.receives_nothing()


@pytest.mark.desk(SALES)
async def test_a_client_is_passed_on_to_another_queue_and_is_still_answered_by_the_first(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    zoe = await stage.comes_online("zoe")
    await opens_roster(zoe)
    client = await attends(stage, ana, luis)

    await says(ana, client, "!transfer sales wants to buy")
    await accepts(stage, zoe)
    received = await zoe.swallows()
    await says(zoe, client, "which one?")

    assert [item.elements()[0].text for item in items_in(received)] == ["Sales"]
    messages = [one for one in await luis.swallows() if one.name == "message"]
    assert bodies(messages)[-1] == "which one?"
    assert {one.get("from") for one in messages} == {QUEUE}


@pytest.mark.parametrize(
    ("to", "answer"),
    [
        ("eva", "eva is not there at the moment."),
        ("nobody", "There is no agent and no queue called nobody."),
        ("ana", "The conversation is with ana already."),
    ],
)
async def test_a_client_stays_where_nobody_can_take_them(
    stage: DeskStage, ana: Actor, luis: Actor, to: str, answer: str
) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, f"!transfer {to}")

    assert bodies(await ana.swallows()) == [answer]
    await says(luis, QUEUE, "still there?")
    assert bodies(await ana.swallows()) == ["still there?"]


@pytest.mark.desk("ask_again_seconds = 20")
async def test_one_whom_the_colleague_declines_goes_to_the_queue(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await says(ana, client, "!transfer eva")
    offer_in(await eva.swallows())
    await ana.swallows()

    await says(eva, QUEUE, "no")
    await ana.receives_nothing()
    await stage.passes(20)

    assert len([one for one in (await ana.swallows()) + (await eva.swallows()) if "luis" in str(one)]) >= 1


# Guests


async def test_a_colleague_is_invited_hears_both_and_may_speak(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis, "it burns")
    eva = await stage.comes_online("eva")

    await says(ana, client, "!invite eva")
    joined = bodies(await eva.swallows())
    assert joined[0] == "ana invites you to the conversation with luis@localhost (Support)."
    assert joined[1].endswith("] luis@localhost: it burns")

    await says(luis, QUEUE, "badly")
    await says(ana, client, "water?")
    await stage.settles()
    assert bodies(await eva.swallows()) == ["badly", "ana: water?"]
    await luis.swallows()
    await ana.swallows()

    await says(eva, client, "call the fire brigade")
    assert bodies(await ana.swallows()) == ["eva: call the fire brigade"]
    (heard,) = [one for one in await luis.swallows() if one.name == "message"]
    assert heard.get("from") == QUEUE


async def test_a_guest_who_closes_leaves_and_the_conversation_goes_on(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await eva.swallows()

    await says(eva, client, "!close")

    assert bodies(await eva.swallows()) == [
        "You do not attend luis@localhost any more.",
        "You have left; the conversation goes on.",
    ]
    assert not bodies(await luis.swallows())
    await says(luis, QUEUE, "hello?")
    assert bodies(await ana.swallows())[-1] == "hello?"
    await eva.receives_nothing()


# Lost agents


@pytest.mark.desk("lost_agent_grace_seconds = 60")
async def test_a_lost_agents_client_is_back_at_the_head_of_the_queue_with_the_time_waited(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await attends(stage, ana, luis, "first")
    await stage.loses(ana)
    await stage.passes(30)
    tea = await stage.comes_online("tea")
    await says(tea, QUEUE, "second")
    await stage.settles()
    await says(luis, QUEUE, "are you there?")
    await stage.passes(30)
    assert bodies(await luis.swallows()) == [
        "The connection to your contact was lost. You are back at the head of the queue."
    ]

    eva = await stage.begins_work("eva")
    offers = bodies(await eva.swallows())

    assert [offer.split(". ")[0] for offer in offers] == [
        "luis@localhost has waited 1 min in Support",
        "tea@localhost has waited 30 s in Support",
    ]
    await says(eva, QUEUE, "!accept 1")
    said = bodies(await eva.swallows())
    assert any(line.endswith("] luis@localhost: first") for line in said)
    assert "are you there?" in said


@pytest.mark.desk("lost_agent_grace_seconds = 60")
async def test_an_agent_who_is_back_in_time_has_lost_nobody(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await stage.loses(ana)
    await stage.passes(59)
    await says(luis, QUEUE, "hello?")

    ana = await stage.begins_work("ana")
    received = await ana.swallows()
    await stage.passes(60)
    await says(ana, client, "I am back")

    assert bodies(received) == ["hello?"]
    assert any(one.name == "presence" and one.get("from").startswith(client) for one in received)
    assert bodies(await luis.swallows()) == ["I am back"]


@pytest.mark.desk("lost_agent_grace_seconds = 60")
async def test_a_guest_takes_over_from_a_lost_agent(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await eva.swallows()

    await stage.loses(ana)
    await stage.passes(60)
    await says(eva, client, "I am still here")

    assert bodies(await luis.swallows()) == ["I am still here"]
    assert stage.desk.floor.conversations[1].agent == "eva@localhost"
