"""The client as a contact of the agent: roster, presence, status, cards, and what can be done with them."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import (
    DeskStage,
    accepts,
    attends,
    bodies,
    items_in,
    opens_roster,
    says,
    statuses_in,
)

QUEUE = "support@desk.localhost"
CAPS = "http://jabber.org/protocol/caps"
INFO = "http://jabber.org/protocol/disco#info"
NICK = "http://jabber.org/protocol/nick"


async def test_a_client_appears_in_the_roster_in_a_group_called_as_the_queue(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    phone = await stage.enters("ana", "phone")
    await opens_roster(phone)
    await says(luis, QUEUE, "hello")

    await accepts(stage, ana)

    received = await ana.swallows()
    client = next(one.get("from") for one in received if "@xmpp." in one.get("from")).partition("/")[0]
    (item,) = items_in(await phone.swallows())
    assert item.attributes == {"jid": client, "name": "luis@localhost", "subscription": "both"}
    assert [group.text for group in item.elements()] == ["Support"]


async def test_a_client_is_present_with_name_caps_and_status(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await says(luis, QUEUE, "hello")
    await accepts(stage, ana)

    (presence,) = [one for one in await ana.swallows() if one.name == "presence"]

    assert statuses_in([presence]) == ["Support · waiting since just now"]
    nick, caps = presence.child("nick", NICK), presence.child("c", CAPS)
    assert nick is not None
    assert nick.text == "luis@localhost"
    assert caps is not None
    answer = await ana.asks(
        f"<iq type='get' id='i' to='{presence.get('from')}'>"
        f"<query xmlns='{INFO}' node='{caps.get('node')}#{caps.get('ver')}'/></iq>"
    )
    features = [one.get("var") for one in answer.elements()[0].elements() if one.name == "feature"]
    assert "http://jabber.org/protocol/chatstates" in features
    assert "urn:xmpp:receipts" in features


async def test_the_status_tells_how_long_the_client_waits_in_coarse_steps(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    shown = []
    for seconds in (59, 1, 59, 1, 179, 1, 3300):
        await stage.passes(seconds)
        shown += statuses_in(await ana.swallows())
    assert shown == [
        "Support · waiting for 1 min",
        "Support · waiting for 2 min",
        "Support · waiting for 5 min",
        "Support · waiting for 1 h",
    ]

    await says(ana, client, "sorry for the wait")
    await stage.passes(1)
    assert statuses_in(await ana.swallows()) == ["Support · answered"]
    await stage.passes(300)
    assert not statuses_in(await ana.swallows())

    await says(luis, QUEUE, "finally")
    await stage.passes(1)
    assert statuses_in(await ana.swallows()) == ["Support · waiting since just now"]


async def test_the_status_is_in_the_agents_language(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.begins_work("ana", lang="es")
    await ana.swallows()
    await says(luis, QUEUE, "hola")
    await stage.settles()
    await says(ana, QUEUE, "sí")

    assert statuses_in(await ana.swallows()) == ["Support · espera desde ahora mismo"]


async def test_a_new_device_sees_the_clients(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    phone = await stage.begins_work("ana", "phone")

    shown = [one.get("from") for one in await phone.swallows() if one.name == "presence"]
    assert f"{client}/xmpp" in shown


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("<vCard xmlns='vcard-temp'/>", "FN"),
        ("<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>", "fn"),
    ],
)
async def test_a_client_has_a_card(
    stage: DeskStage, ana: Actor, luis: Actor, question: str, name: str
) -> None:
    client = await attends(stage, ana, luis)

    answer = await ana.asks(f"<iq type='get' id='v' to='{client}'>{question}</iq>")

    assert answer.get("type") == "result"
    assert answer.elements()[0].elements()[0].name == name
    assert "luis" in str(answer)


async def test_how_long_ago_a_client_wrote(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await stage.passes(42)

    answer = await ana.asks(f"<iq type='get' id='l' to='{client}'><query xmlns='jabber:iq:last'/></iq>")

    assert answer.elements()[0].get("seconds") == "42"


@pytest.mark.parametrize(
    "question",
    [
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='jabber:iq:last'/>",
        "<ping xmlns='urn:xmpp:ping'/>",
    ],
)
async def test_nobody_else_learns_that_there_is_such_a_client(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor, question: str
) -> None:
    await says(eva, QUEUE, "!pause")
    client = await attends(stage, ana, luis)
    asked = "<iq type='get' id='q' to='{}'>" + question + "</iq>"

    about_one = await eva.asks(asked.format(client))
    about_none = await eva.asks(asked.format("nobody00000@xmpp.localhost"))

    assert about_one.get("type") == "error"
    assert str(about_one).replace(client, "") == str(about_none).replace("nobody00000@xmpp.localhost", "")


async def test_a_name_that_a_client_claims_is_shown_nowhere(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await luis.sends(
        f"<message to='{QUEUE}' type='chat'><body>hello</body><nick xmlns='{NICK}'>Luis Pérez</nick></message>"
    )
    await luis.swallows()
    await opens_roster(ana)
    offer = await accepts(stage, ana)

    assert bodies([offer])[0].startswith("luis@localhost has waited")
    received = await ana.swallows()
    assert items_in(received)[0].get("name") == "luis@localhost"
    assert "Luis Pérez" not in "".join(map(str, [offer, *received]))


# Queues


async def test_queues_are_found_and_have_a_card(stage: DeskStage, luis: Actor) -> None:
    items = await luis.asks(
        "<iq type='get' id='1' to='desk.localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
    )
    info = await luis.asks(f"<iq type='get' id='2' to='{QUEUE}'><query xmlns='{INFO}'/></iq>")
    card = await luis.asks(f"<iq type='get' id='3' to='{QUEUE}'><vCard xmlns='vcard-temp'/></iq>")

    assert [(one.get("jid"), one.get("name")) for one in items.elements()[0].elements()] == [
        (QUEUE, "Support")
    ]
    assert info.elements()[0].elements()[0].attributes == {
        "category": "collaboration",
        "type": "workgroup",
        "name": "Support",
    }
    assert "<FN>Support</FN>" in str(card)


async def test_the_server_lists_the_desk_and_the_channel(stage: DeskStage, luis: Actor) -> None:
    items = await luis.asks(
        "<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
    )

    jids = [one.get("jid") for one in items.elements()[0].elements()]
    assert {"desk.localhost", "xmpp.localhost"} <= set(jids)
