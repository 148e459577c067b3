"""The question "will you take this one?": to whom it is put, how it is answered, and how it ends."""

from __future__ import annotations

import asyncio

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, bodies, button, heard, offer_in, says

QUEUE = "support@desk.localhost"


async def client_comes(stage: DeskStage, client: Actor, words: str = "hello") -> None:
    await says(client, QUEUE, words)
    await stage.settles()
    await client.swallows()


def corrected(received: list[Element]) -> dict[str, str]:
    """List which messages were replaced, and by what (XEP-0308)."""
    return {
        replaced.get("id"): bodies([one])[0]
        for one in received
        if (replaced := one.child("replace", "urn:xmpp:message-correct:0")) is not None
    }


@pytest.mark.parametrize("answer", ["yes", "Sí!", "ok", "!accept", "👍"])
async def test_an_offer_is_accepted_in_any_words(
    stage: DeskStage, ana: Actor, luis: Actor, answer: str
) -> None:
    await client_comes(stage, luis)
    offer_in(await ana.swallows())

    await says(ana, QUEUE, answer)

    assert "The conversation is yours." in bodies(await ana.swallows())
    assert bodies(await luis.swallows()) == ["Somebody is with you now."]


@pytest.mark.parametrize("answer", ["no", "Nein.", "!decline"])
async def test_one_who_declines_leaves_the_client_to_the_next(
    stage: DeskStage, ana: Actor, luis: Actor, answer: str
) -> None:
    await client_comes(stage, luis)
    offer = offer_in(await ana.swallows())
    eva = await stage.comes_online("eva")

    await says(ana, QUEUE, answer)

    answered = await ana.swallows()
    assert "Declined; others are asked." in bodies(answered)
    assert corrected(answered) == {offer.get("id"): "The offer of luis@localhost no longer stands."}
    offer_in(await eva.swallows())


async def test_what_is_neither_yes_nor_no_is_answered_with_help(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await client_comes(stage, luis)
    await ana.swallows()

    await says(ana, QUEUE, "what is that about?")

    assert "!accept [number]: takes the client that is offered" in bodies(await ana.swallows())[0]


@pytest.mark.desk("offer_seconds = 20")
async def test_one_who_does_not_answer_leaves_the_client_to_the_next(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await client_comes(stage, luis)
    offer = offer_in(await ana.swallows())
    eva = await stage.comes_online("eva")

    await stage.passes(20)

    assert corrected(await ana.swallows()) == {
        offer.get("id"): "The offer of luis@localhost no longer stands."
    }
    offer_in(await eva.swallows())
    await says(ana, QUEUE, button(offer, "Accept"))
    assert bodies(await ana.swallows()) == ["This conversation is not offered to you."]


@pytest.mark.desk("offer_seconds = 20\nask_again_seconds = 20\nmisses_before_pause = 2")
async def test_one_who_never_answers_is_paused_and_told(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await client_comes(stage, luis)
    await stage.passes(20)
    assert not any("paused" in said for said in bodies(await ana.swallows()))
    await stage.passes(40)
    assert "You have not answered 2 offers in a row, and are paused. Go on with !ready." in bodies(
        await ana.swallows()
    )
    await stage.passes(600)
    await ana.receives_nothing()

    await says(ana, QUEUE, "!ready")

    received = await ana.swallows()
    assert "You are ready." in bodies(received)
    offer_in(received)


@pytest.mark.desk('strategy = "all-at-once"')
async def test_all_are_asked_and_the_first_has_it(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await client_comes(stage, luis)
    offer = offer_in(await eva.swallows())

    await accepts(stage, ana)

    assert corrected(await eva.swallows()) == {offer.get("id"): "ana attends luis@localhost already."}
    await says(eva, QUEUE, button(offer, "Accept"))
    assert bodies(await eva.swallows()) == ["ana has it already."]


@pytest.mark.desk('strategy = "all-at-once"')
async def test_two_accept_at_once_and_one_of_them_is_told(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await client_comes(stage, luis)
    offer = offer_in(await ana.swallows())
    await eva.swallows()

    yes = f"<message to='{QUEUE}' type='chat'><body>{button(offer, 'Accept')}</body></message>"
    await asyncio.gather(ana.sends(yes), eva.sends(yes))
    said = [bodies(await agent.swallows()) for agent in (ana, eva)]

    won = ["The conversation is yours." in one for one in said]
    assert sorted(won) == [False, True]
    loser = said[won.index(False)]
    assert any("has it already." in one for one in loser)
    assert not any("hello" in one for one in loser)
    assert bodies(await luis.swallows()) == ["Somebody is with you now."]


async def test_an_offer_comes_to_all_devices_and_goes_from_all(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    phone = await stage.comes_online("ana", "phone")
    await client_comes(stage, luis)
    asked = offer_in(await phone.swallows())

    offer = await accepts(stage, ana)

    assert offer.get("id") == asked.get("id")
    assert corrected(await phone.swallows()) == {asked.get("id"): "You attend luis@localhost now (Support)."}


async def test_a_device_that_comes_later_is_asked_too(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await client_comes(stage, luis, "help")
    await ana.swallows()

    phone = await stage.begins_work("ana", "phone")
    assert "> help" in bodies([offer_in(await phone.swallows())])[0]
    await phone.sends("<presence><show>chat</show></presence>")

    assert not bodies(await phone.swallows()), "it is not asked twice"


@pytest.mark.parametrize("show", ["away", "xa", "dnd"])
async def test_one_who_goes_away_is_not_asked_any_more(
    stage: DeskStage, ana: Actor, luis: Actor, show: str
) -> None:
    await client_comes(stage, luis)
    offer = offer_in(await ana.swallows())

    await ana.sends(f"<presence><show>{show}</show></presence>")
    assert list(corrected(await ana.swallows())) == [offer.get("id")]
    await ana.sends("<presence/>")

    offer_in(await ana.swallows())


async def test_offers_are_in_the_agents_language(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.begins_work("ana", lang="es")
    await ana.swallows()
    await client_comes(stage, luis)

    offer = offer_in(await ana.swallows())

    assert "luis@localhost lleva 0 s esperando en Support. ¿Acepta?" in bodies([offer])[0]
    assert button(offer, "Aceptar") == "!accept 1"


async def test_an_agent_may_take_one_who_waits(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(ana, QUEUE, "!pause")
    await ana.swallows()
    await client_comes(stage, luis)
    await ana.receives_nothing()

    await says(ana, QUEUE, "!accept")

    assert heard(await ana.swallows())[-1] == "hello"
