"""The end of a conversation: codes, time to write it up, and clients who come back."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, items_in, offer_in, opens_roster, says

QUEUE = "support@desk.localhost"
CODES = 'wrap_up_codes = ["solved", "call back"]\nwrap_up_required = true'


@pytest.mark.desk(CODES)
async def test_a_required_code_is_asked_for(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, "!close")
    assert bodies(await ana.swallows()) == ["A code is needed to close: solved, call back"]
    await says(ana, client, "!close slved")
    assert bodies(await ana.swallows()) == ["There is no code slved: solved, call back"]
    assert not bodies(await luis.swallows())
    await says(ana, client, "!close call back")

    assert "The conversation is closed." in bodies(await ana.swallows())
    assert stage.desk.floor.conversations[1].code == "call back"


@pytest.mark.desk("wrap_up_seconds = 60\nagent_capacity = 1")
async def test_an_agent_has_time_to_write_it_up_before_the_next(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await opens_roster(ana)
    client = await attends(stage, ana, luis)
    tea = await stage.comes_online("tea")
    await says(tea, QUEUE, "hello")

    await says(ana, client, "!close")
    told = await ana.swallows()
    assert "The conversation with luis@localhost is over. You have 60 s to write it up." in bodies(told)
    assert not items_in(told), "the client is still there to write notes at"
    await says(ana, client, "!note very patient")
    assert bodies(await ana.swallows()) == ["Noted; the client does not see it."]
    await stage.passes(60)

    done = await ana.swallows()
    assert [item.get("subscription") for item in items_in(done)] == ["remove"]
    offer_in(done)


@pytest.mark.desk("wrap_up_seconds = 60")
async def test_wrap_up_ends_when_the_agent_says_so(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await opens_roster(ana)
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await ana.swallows()

    await says(ana, client, "!close solved")

    assert [item.get("subscription") for item in items_in(await ana.swallows())] == ["remove"]
    assert stage.desk.floor.conversations[1].code == "solved"
    assert bodies(await luis.swallows()) == ["The conversation is closed. Just write to come back."]


@pytest.mark.desk("wrap_up_seconds = 60")
async def test_words_in_wrap_up_do_not_reach_the_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await ana.swallows()
    await luis.swallows()

    await says(ana, client, "and another thing")

    assert (await ana.swallows())[-1].get("type") in ("error", "chat")
    assert not bodies(await luis.swallows())


@pytest.mark.desk("wrap_up_seconds = 60")
async def test_a_client_who_comes_back_in_wrap_up_is_with_the_same_agent(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await ana.swallows()
    await luis.swallows()

    await says(luis, QUEUE, "wait!")
    await says(ana, client, "yes?")

    assert sorted(bodies(await ana.swallows())) == ["luis@localhost has come back.", "wait!"]
    assert bodies(await luis.swallows()) == ["yes?"]


@pytest.mark.desk("reopen_seconds = 900")
async def test_a_client_who_comes_back_soon_goes_on_without_a_question(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await opens_roster(ana)
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await stage.passes(600)
    await ana.swallows()
    await luis.swallows()

    await says(luis, QUEUE, "one more thing")

    received = await ana.swallows()
    assert bodies(received) == ["luis@localhost has come back.", "one more thing"]
    assert items_in(received)[0].get("jid") == client
    assert list(stage.desk.floor.conversations) == [1]
    await eva.receives_nothing()


@pytest.mark.desk("reopen_seconds = 900")
async def test_a_client_who_comes_back_late_begins_anew(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await stage.passes(901)
    await ana.swallows()
    await luis.swallows()

    await says(luis, QUEUE, "something else")

    offer_in(await ana.swallows())
    assert bodies(await luis.swallows()) == ["Welcome to Support."]
    assert list(stage.desk.floor.conversations) == [2]


async def test_a_code_is_kept_for_the_reports(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    await says(ana, client, "!close a code of our own")
    await stage.settles()

    (kept,) = (await stage.server.store.desk.load(0))[0]
    assert kept.details["code"] == "a code of our own"
