"""XEP-0280: all devices of an account see both sides of its conversations."""

from collections.abc import Callable, Coroutine

import pytest

from tests.scenes.actors import Actor, Stage

Arrival = Callable[..., Coroutine[None, None, Actor]]

HI = "<body>Hi</body>"


def copy(direction: str, inside: str, to: Actor, type: str = "chat") -> str:
    inside = inside.replace("<message ", "<message xmlns='jabber:client' ")
    return (
        f"<message from='{to.jid.bare}' to='{to}' type='{type}'><{direction} xmlns='urn:xmpp:carbons:2'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'>{inside}</forwarded></{direction}></message>"
    )


def stable_id(account: str) -> str:
    return f"<stanza-id xmlns='urn:xmpp:sid:0' by='{account}' id='…'/>"


async def switch(actor: Actor, switch: str) -> None:
    answer = await actor.asks(f"<iq type='set' id='c'><{switch} xmlns='urn:xmpp:carbons:2'/></iq>")
    assert answer.get("type") == "result"


@pytest.fixture
def comes(stage: Stage) -> Arrival:
    """Somebody comes online with copies enabled; whoever is there already has seen it."""

    async def come(name: str, resource: str, *, priority: int = 0) -> Actor:
        actor = await stage.comes_online(name, resource, priority=priority)
        await switch(actor, "enable")
        for other in stage.actors:
            await other.swallows()
        return actor

    return come


async def test_other_devices_see_what_one_of_them_receives(ana: Actor, luis: Actor, comes: Arrival) -> None:
    phone = await comes("luis", "phone")

    await ana.sends(f"<message to='{luis}' type='chat'>{HI}</message>")

    received = f"<message from='{ana}' to='{luis}' type='chat'>{HI}{stable_id('luis@localhost')}</message>"
    await luis.receives(received)
    await phone.receives(copy("received", received, phone))


async def test_other_devices_see_what_one_of_them_sends(ana: Actor, luis: Actor, comes: Arrival) -> None:
    phone = await comes("ana", "phone")

    await ana.sends(f"<message to='{luis}' type='chat'>{HI}</message>")

    await phone.receives(
        copy(
            "sent",
            f"<message from='{ana}' to='{luis}' type='chat'>{HI}{stable_id('ana@localhost')}</message>",
            phone,
        )
    )
    await ana.receives_nothing()


async def test_who_did_not_ask_for_copies_gets_none(stage: Stage, ana: Actor, luis: Actor) -> None:
    phone = await stage.comes_online("luis", "phone")

    await ana.sends(f"<message to='{luis}' type='chat'>{HI}</message>")
    await luis.sends(f"<message to='{ana}' type='chat'>{HI}</message>")
    await ana.swallows()
    await luis.swallows()

    await phone.receives_nothing()


async def test_copies_can_be_switched_on_and_off_again_and_again(
    ana: Actor, luis: Actor, comes: Arrival
) -> None:
    phone = await comes("luis", "phone")
    for step in ("enable", "disable", "disable"):
        await switch(phone, step)

    await ana.sends(f"<message to='{luis}' type='chat'>{HI}</message>")
    await ana.swallows()

    await phone.receives_nothing()


async def test_who_got_the_message_itself_gets_no_copy(ana: Actor, stage: Stage, comes: Arrival) -> None:
    one, two = await comes("luis", "one"), await comes("luis", "two")

    await ana.sends(f"<message to='luis@localhost' type='chat'>{HI}</message>")

    for device in (one, two):
        await device.receives(
            f"<message from='{ana}' to='luis@localhost' type='chat'>{HI}{stable_id('luis@localhost')}</message>"
        )
        await device.receives_nothing()


async def test_devices_of_lower_priority_get_a_copy(ana: Actor, comes: Arrival) -> None:
    desk = await comes("luis", "desk", priority=5)
    phone, pad = await comes("luis", "phone"), await comes("luis", "pad", priority=-1)

    await ana.sends(f"<message to='luis@localhost' type='chat'>{HI}</message>")

    received = (
        f"<message from='{ana}' to='luis@localhost' type='chat'>{HI}{stable_id('luis@localhost')}</message>"
    )
    await desk.receives(received)
    await phone.receives(copy("received", received, phone))
    await pad.receives(copy("received", received, pad))


async def test_what_somebody_writes_to_oneself_is_copied_once(comes: Arrival) -> None:
    desk, phone = await comes("ana", "desk"), await comes("ana", "phone")
    pad = await comes("ana", "pad")

    await desk.sends(f"<message to='{phone}' type='chat'>{HI}</message>")

    received = f"<message from='{desk}' to='{phone}' type='chat'>{HI}{stable_id('ana@localhost')}</message>"
    await phone.receives(received)
    await pad.receives(copy("received", received, pad))
    for device in (desk, phone, pad):
        await device.receives_nothing()


@pytest.mark.parametrize(
    ("type", "inside"),
    [
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>"),
        ("normal", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"),
        ("normal", "<x xmlns='jabber:x:conference' jid='room@conference.localhost'/>"),
    ],
)
async def test_notes_about_a_conversation_are_copied(
    ana: Actor, luis: Actor, comes: Arrival, type: str, inside: str
) -> None:
    phone = await comes("luis", "phone")

    await ana.sends(f"<message to='{luis}' type='{type}'>{inside}</message>")

    wrapped = (await phone.hears()).all("received", "urn:xmpp:carbons:2")[0].elements()[0].elements()[0]
    assert inside in str(wrapped)


@pytest.mark.parametrize(
    "message",
    [
        f"type='chat'>{HI}<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>",
        f"type='chat'>{HI}<private xmlns='urn:xmpp:carbons:2'/>",
        f"type='headline'>{HI}",
        f"type='groupchat'>{HI}",
        "type='normal'><data xmlns='urn:example:data'/>",
        f"type='chat'>{HI}<x xmlns='http://jabber.org/protocol/muc#user'/>",
    ],
)
async def test_what_is_private_or_no_conversation_is_not_copied(
    ana: Actor, luis: Actor, comes: Arrival, message: str
) -> None:
    phone = await comes("luis", "phone")

    await ana.sends(f"<message to='{luis}' {message}</message>")
    await ana.swallows()
    received = await luis.hears()

    assert received.get("from") == ana.jid
    await phone.receives_nothing()


async def test_a_private_message_still_says_that_it_is(ana: Actor, luis: Actor) -> None:
    private = f"{HI}<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>"

    await ana.sends(f"<message to='{luis}' type='chat'>{private}</message>")

    await luis.receives(
        f"<message from='{ana}' to='{luis}' type='chat'>{private}{stable_id('luis@localhost')}</message>"
    )


async def test_a_copy_that_comes_back_as_an_error_goes_nowhere(
    ana: Actor, luis: Actor, comes: Arrival
) -> None:
    phone = await comes("luis", "phone")
    await ana.sends(f"<message to='{luis}' type='chat'>{HI}</message>")
    await phone.hears()

    await phone.sends("<message to='luis@localhost' type='error'><error type='cancel'/></message>")

    await ana.receives_nothing()


async def test_a_message_whose_copy_was_received_is_not_delivered_again(ana: Actor, comes: Arrival) -> None:
    desk = await comes("luis", "desk", priority=1)
    await desk.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    await desk.hears()
    phone = await comes("luis", "phone")
    await ana.sends(f"<message to='luis@localhost' type='chat'>{HI}</message>")
    await desk.hears()
    await phone.hears()

    await desk.sends("</stream:stream>")

    await phone.receives(
        "<presence type='unavailable' from='luis@localhost/desk' to='luis@localhost/phone'/>"
    )
    await phone.receives_nothing()


async def test_clients_can_see_that_there_are_copies(ana: Actor) -> None:
    info = await ana.asks(
        "<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    shown = {feature.get("var") for feature in info.elements()[0].all("feature")}
    assert "urn:xmpp:carbons:2" in shown
