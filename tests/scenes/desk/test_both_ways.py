"""What passes between an agent and a client: everything that people and their devices say to each other."""

from __future__ import annotations

import pytest

from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, button, offer_in, says

QUEUE = "support@desk.localhost"
STATES = "http://jabber.org/protocol/chatstates"
CARBONS = "<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>"

#: What one side says, with the ids of what it refers to.
SAID = {
    "text": "<body>¿Qué tal? 👩‍👩‍👧 &lt;&amp;&gt; שלום</body>",
    "lines": "<body>one\ntwo\n\nfour</body>",
    "composing": f"<composing xmlns='{STATES}'/>",
    "paused": f"<paused xmlns='{STATES}'/>",
    "gone": f"<gone xmlns='{STATES}'/>",
    "asks for a receipt": "<body>hi</body><request xmlns='urn:xmpp:receipts'/>",
    "receipt": "<received xmlns='urn:xmpp:receipts' id='other-7'/>",
    "markable": "<body>hi</body><markable xmlns='urn:xmpp:chat-markers:0'/>",
    "marker": "<displayed xmlns='urn:xmpp:chat-markers:0' id='other-7'/>",
    "correction": "<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='own-6'/>",
    "reaction": "<reactions xmlns='urn:xmpp:reactions:0' id='other-7'><reaction>👍🏽</reaction></reactions>",
    "retraction": "<retract xmlns='urn:xmpp:message-retract:1' id='own-6'/>",
    "file": "<body>https://files.example/a.png</body>"
    "<x xmlns='jabber:x:oob'><url>https://files.example/a.png</url></x>",
    "file with its metadata": "<body>https://files.example/a.png</body>"
    "<file-sharing xmlns='urn:xmpp:sfs:0' disposition='inline'><file xmlns='urn:xmpp:file:metadata:0'>"
    "<media-type>image/png</media-type><name>a.png</name><size>12</size></file>"
    "<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://files.example/a.png'/>"
    "</sources></file-sharing>",
    "ids": "<body>hi</body><thread>t-1</thread><origin-id xmlns='urn:xmpp:sid:0' id='own-8'/>",
}


def reply(to: str) -> str:
    return (
        f"<body>&gt; hello\nyes</body><reply xmlns='urn:xmpp:reply:0' to='{to}' id='other-7'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>"
    )


@pytest.mark.parametrize("payload", SAID.values(), ids=SAID.keys())
async def test_from_the_agent_to_the_client(stage: DeskStage, ana: Actor, luis: Actor, payload: str) -> None:
    client = await attends(stage, ana, luis)
    await ana.sends(f"<message to='{client}' type='chat' id='own-8'>{payload}</message>")

    await luis.receives(f"<message from='{QUEUE}' to='{luis}' type='chat' id='own-8'>{payload}…</message>")


@pytest.mark.parametrize("payload", SAID.values(), ids=SAID.keys())
async def test_from_the_client_to_the_agent(stage: DeskStage, ana: Actor, luis: Actor, payload: str) -> None:
    client = await attends(stage, ana, luis)
    await luis.sends(f"<message to='{QUEUE}' type='chat' id='own-8'>{payload}</message>")

    await ana.receives(
        f"<message from='{client}/xmpp' to='ana@localhost' type='chat' id='own-8'>{payload}…</message>"
    )


async def test_a_reply_names_the_author_as_the_reader_knows_them(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await ana.sends(f"<message to='{client}' type='chat' id='a1'>{reply(client)}</message>")
    await luis.receives(
        f"<message from='{QUEUE}' to='{luis}' type='chat'>{reply('luis@localhost')}…</message>"
    )

    await ana.swallows()
    await luis.sends(f"<message to='{QUEUE}' type='chat' id='l1'>{reply(QUEUE)}</message>")
    await ana.receives(
        f"<message from='{client}/xmpp' to='ana@localhost' type='chat'>{reply('ana@localhost')}…</message>"
    )


async def test_a_correction_of_what_waits_waits_with_it(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "it bruns", id="l1")
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l2'><body>it burns</body>"
        "<replace xmlns='urn:xmpp:message-correct:0' id='l1'/></message>"
    )
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l3'>"
        "<reactions xmlns='urn:xmpp:reactions:0' id='l2'><reaction>🔥</reaction></reactions></message>"
    )
    await stage.settles()
    await says(ana, QUEUE, button(offer_in(await ana.swallows()), "Accept"))
    await stage.settles()

    said = [one for one in await ana.swallows() if "@xmpp.localhost/xmpp" in one.get("from")]
    assert [one.get("id") for one in said if one.name == "message"][-3:] == ["l1", "l2", "l3"]


async def test_a_reaction_to_the_last_word_begins_nothing(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "goodbye", id="a1")
    await says(ana, client, "!close")
    await stage.settles()
    await ana.swallows()
    await luis.swallows()

    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l9'>"
        "<reactions xmlns='urn:xmpp:reactions:0' id='a1'><reaction>👍</reaction></reactions></message>"
    )

    await ana.receives_nothing()
    await luis.receives_nothing()


async def test_opening_a_window_makes_nobody_a_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await luis.sends(f"<message to='{QUEUE}' type='chat'><active xmlns='{STATES}'/></message>")

    await luis.receives_nothing()
    await ana.receives_nothing()
    assert await stage.server.store.desk.client_of("xmpp:luis@localhost") is None


# Chat states end when whoever shows them does


async def types(actor: Actor, to: str) -> None:
    await actor.sends(f"<message to='{to}' type='chat'><composing xmlns='{STATES}'/></message>")
    await actor.asks("<iq type='get' id='typed' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")


def states(received: list[Element]) -> list[str]:
    return [
        child.name
        for one in received
        if one.name == "message"
        for child in one.elements()
        if child.namespace == STATES
    ]


@pytest.mark.parametrize("end", ["cut", "unavailable", "command"])
async def test_nobody_seems_to_write_once_the_agents_device_is_gone(
    stage: DeskStage, ana: Actor, luis: Actor, end: str
) -> None:
    client = await attends(stage, ana, luis)
    await types(ana, client)
    await luis.receives(
        f"<message from='{QUEUE}' to='{luis}' type='chat'><composing xmlns='{STATES}'/>…</message>"
    )

    match end:
        case "cut":
            await ana.vanishes()
        case "unavailable":
            await ana.sends("<presence type='unavailable'/>")
        case "command":
            await says(ana, client, "!note he shouts")

    got = await luis.hears()
    assert states([got]) == ["active" if end == "command" else "paused"]


async def test_nor_while_its_session_waits_to_be_resumed(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await ana.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await types(ana, client)
    assert states(await luis.swallows()) == ["composing"]

    await ana.vanishes()
    await stage.settles()
    stage.desk.look_after()

    assert states(await luis.swallows()) == ["paused"]


async def test_nor_when_the_client_is_passed_on(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await stage.comes_online("eva")
    await types(ana, client)
    conversation = stage.desk.floor.of_agent("ana@localhost")[0]

    stage.desk.stage(
        stage.desk.floor.transfer(conversation, "support", "", "ana@localhost", stage.desk.now())
    )
    await stage.settles()

    assert states(await luis.swallows()) == ["composing", "paused"]


async def test_every_client_that_was_being_written_to_is_told(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    tea = await stage.comes_online("tea")
    for actor in (luis, tea):
        await types(ana, await attends(stage, ana, actor))
    await ana.vanishes()

    for actor in (luis, tea):
        await actor.receives(
            f"<message from='{QUEUE}' to='{actor}' type='chat'><composing xmlns='{STATES}'/>…</message>"
        )
        await actor.receives(
            f"<message from='{QUEUE}' to='{actor}' type='chat'><paused xmlns='{STATES}'/>…</message>"
        )


@pytest.mark.parametrize("end", ["cut", "unavailable", "cut, to be resumed"])
async def test_nobody_seems_to_write_once_the_clients_device_is_gone(
    stage: DeskStage, ana: Actor, luis: Actor, end: str
) -> None:
    client = await attends(stage, ana, luis)
    if "resumed" in end:
        await luis.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await types(luis, QUEUE)
    await ana.receives(
        f"<message from='{client}/xmpp' to='ana@localhost' type='chat'><composing xmlns='{STATES}'/></message>"
    )

    if "cut" in end:
        await luis.vanishes()
    else:
        await luis.sends("<presence type='unavailable'/>")
    await stage.settles()
    stage.desk.look_after()

    assert states(await ana.swallows()) == ["paused"]


# Devices


async def test_an_agents_devices_stay_in_step(stage: DeskStage, luis: Actor) -> None:
    desk = await stage.comes_online("ana", "desk", priority=5)
    phone = await stage.comes_online("ana", "phone")
    await desk.swallows()
    await phone.asks(CARBONS)
    client = await attends(stage, desk, luis)
    await phone.swallows()

    await says(desk, client, "from the desk", id="a1")
    sent = forwarded(await phone.swallows(), "sent")
    assert [(one.get("to"), one.get("id")) for one in sent] == [(client, "a1")]

    await says(luis, QUEUE, "to all of them", id="l1")
    assert bodies(await desk.swallows()) == ["to all of them"]
    received = forwarded(await phone.swallows(), "received")
    assert [(one.get("from"), one.get("id")) for one in received] == [(f"{client}/xmpp", "l1")]

    await says(phone, client, "from the phone", id="a2")
    assert bodies(await luis.swallows()) == ["from the desk", "from the phone"]


async def test_the_client_is_answered_on_the_device_that_wrote_last(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    phone = await stage.comes_online("luis", "phone")
    client = await attends(stage, ana, luis)
    await phone.swallows()

    await says(phone, QUEUE, "I am on the train now")
    await ana.swallows()
    await says(ana, client, "no hurry")
    assert bodies(await phone.swallows()) == ["no hurry"]
    assert not bodies(await luis.swallows())

    await phone.vanishes()
    await says(ana, client, "still there?")
    assert bodies(await luis.swallows()) == ["still there?"]


async def test_a_clients_devices_stay_in_step(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    phone = await stage.comes_online("luis", "phone")
    await phone.asks(CARBONS)
    client = await attends(stage, ana, luis)
    assert [one.get("to") for one in forwarded(await phone.swallows(), "sent")] == [QUEUE]

    await says(ana, client, "hello")
    await luis.swallows()
    assert [JID.parse(one.get("from")) for one in forwarded(await phone.swallows(), "received")] == [QUEUE]


def forwarded(received: list[Element], direction: str) -> list[Element]:
    """List the messages that were copied (XEP-0280)."""
    copies = [one.child(direction, "urn:xmpp:carbons:2") for one in received]
    return [copy.elements()[0].elements()[0] for copy in copies if copy is not None]
