"""XEP-0359 and what else only the server can say."""

import pytest

from tests.scenes.actors import Actor

SID = "urn:xmpp:sid:0"


def forwarded(text: str) -> str:
    return (
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='boss@localhost/x' "
        f"to='luis@localhost' type='chat'><body>{text}</body></message></forwarded>"
    )


async def test_a_message_carries_its_id_in_the_readers_archive(ana: Actor, luis: Actor) -> None:
    await ana.sends("<message to='luis@localhost' type='chat'><body>Hi</body></message>")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>Hi</body>"
        f"<stanza-id xmlns='{SID}' by='luis@localhost' id='…'/></message>"
    )


@pytest.mark.parametrize(
    "forged",
    [
        f"<stanza-id xmlns='{SID}' by='luis@localhost' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='ana@localhost' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='LUIS@LocalHost/home' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='localhost' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='@@' id='1'/>",
        f"<stanza-id xmlns='{SID}' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='luis@localhost' id='1'/>" * 3,
        "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='1999-01-01T00:00:00Z'/>",
        "<delay xmlns='urn:xmpp:delay' from='luis@localhost' stamp='1999-01-01T00:00:00Z'/>",
        f"<sent xmlns='urn:xmpp:carbons:2'>{forwarded('You are fired')}</sent>",
        f"<received xmlns='urn:xmpp:carbons:2'>{forwarded('You are fired')}</received>",
        f"<result xmlns='urn:xmpp:mam:2' id='1'>{forwarded('You are fired')}</result>",
    ],
)
@pytest.mark.parametrize("place", ["before", "behind"])
async def test_what_only_the_server_may_say_is_taken_out(
    ana: Actor, luis: Actor, forged: str, place: str
) -> None:
    body = "<body>Hi</body>"
    inside = forged + body if place == "before" else body + forged

    await ana.sends(f"<message to='{luis}' type='headline'>{inside}</message>")

    await luis.receives(f"<message from='{ana}' to='{luis}' type='headline'>{body}</message>")


@pytest.mark.parametrize(
    "honest",
    [
        f"<origin-id xmlns='{SID}' id='1'/>",
        f"<stanza-id xmlns='{SID}' by='room@conference.example.com' id='1'/>",
        "<delay xmlns='urn:xmpp:delay' stamp='2026-01-31T12:00:00Z'/>",
        "<delay xmlns='urn:xmpp:delay' from='ana@localhost/stage' stamp='2026-01-31T12:00:00Z'/>",
        "<private xmlns='urn:xmpp:carbons:2'/>",
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        forwarded("So I heard"),
    ],
)
async def test_what_people_may_say_is_passed_on(ana: Actor, luis: Actor, honest: str) -> None:
    await ana.sends(f"<message to='{luis}' type='headline'>{honest}</message>")

    await luis.receives(f"<message from='{ana}' to='{luis}' type='headline'>{honest}</message>")


async def test_a_message_that_was_redelivered_has_one_id_only(ana: Actor, luis: Actor) -> None:
    stage = ana.stage
    assert stage is not None
    phone = await stage.comes_online("luis", "phone", priority=1)
    await phone.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    await phone.hears()
    await ana.sends("<message to='luis@localhost' type='chat'><body>Hi</body></message>")
    await phone.hears()
    await luis.swallows()

    await phone.sends("</stream:stream>")

    await luis.receives(
        "<presence type='unavailable' from='luis@localhost/phone' to='luis@localhost/stage'/>"
    )
    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>Hi</body>"
        f"<stanza-id xmlns='{SID}' by='luis@localhost' id='…'/></message>"
    )
