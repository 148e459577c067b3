"""A client writes, waits, is offered, accepted and attended; and never learns by whom."""

from __future__ import annotations

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, button, offer_in, says

QUEUE = "support@desk.localhost"


async def test_a_client_is_welcomed_and_offered(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "my printer is on fire")
    await stage.settles()

    assert bodies(await luis.swallows()) == ["Welcome to Support."]
    offer = offer_in(await ana.swallows())
    assert offer.get("from") == QUEUE
    assert "luis@localhost has waited" in bodies([offer])[0]
    assert "> my printer is on fire" in bodies([offer])[0]


async def test_the_one_who_accepts_gets_what_was_written(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "one", id="l1")
    await says(luis, QUEUE, "two", id="l2")
    await stage.settles()
    offer = offer_in(await ana.swallows())
    await says(ana, QUEUE, button(offer, "Accept"))
    await stage.settles()

    received = await ana.swallows()
    said = [one for one in received if "@xmpp.localhost/xmpp" in one.get("from") and one.name == "message"]
    assert bodies(said)[-2:] == ["one", "two"]
    assert [one.get("id") for one in said][-2:] == ["l1", "l2"]
    assert bodies(await luis.swallows()) == ["Welcome to Support.", "Somebody is with you now."]


async def test_both_talk_and_the_client_sees_the_queue_only(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "how can I help?", id="a1")
    await luis.receives(
        f"<message from='{QUEUE}' to='luis@localhost/stage' type='chat' id='a1'><body>how can I help?</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/>…</message>"
    )
    await says(luis, QUEUE, "it burns", id="l2")
    await stage.settles()
    got = [one for one in await ana.swallows() if one.name == "message"]

    assert bodies(got) == ["it burns"]
    assert got[0].get("from") == f"{client}/xmpp"
    assert got[0].get("id") == "l2"
    assert got[0].get("to").startswith("ana@localhost")


async def test_a_command_does_not_reach_the_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!note a difficult one")
    await says(ana, client, "!nonsense")
    await stage.settles()

    assert any("Nothing was sent" in said for said in bodies(await ana.swallows()))
    assert not bodies(await luis.swallows())


async def test_closing_says_goodbye(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await stage.settles()

    assert bodies(await luis.swallows()) == ["The conversation is closed. Just write to come back."]
    items = await ana.swallows()
    assert any(one.name == "presence" and one.get("type") == "unavailable" for one in items)
