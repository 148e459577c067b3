"""XEP-0191, as clients see it."""

import pytest

from tests.scenes.actors import Actor, Stage

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
BLOCK = "<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'>{}</block></iq>"
UNBLOCK = "<iq type='set' id='unblock'><unblock xmlns='urn:xmpp:blocking'>{}</unblock></iq>"
GET = "<iq type='get' id='get'><blocklist xmlns='urn:xmpp:blocking'/></iq>"
NOT_ACCEPTABLE = f"<error type='cancel'>…<not-acceptable xmlns='{STANZAS}'/><blocked xmlns='urn:xmpp:blocking:errors'/></error>"
UNAVAILABLE = f"<error type='cancel'><service-unavailable xmlns='{STANZAS}'/></error>"


def items(*jids: str) -> str:
    return "".join(f"<item jid='{jid}'/>" for jid in jids)


async def blocks(actor: Actor, *jids: str) -> None:
    answer = await actor.asks(BLOCK.format(items(*jids)))
    assert answer.get("type") == "result", answer


async def test_a_list_is_empty_at_first_grows_and_shrinks(stage: Stage, ana: Actor) -> None:
    async def listed() -> list[str]:
        answer = await ana.asks(GET)
        return [item.get("jid") for item in answer.elements()[0].elements()]

    assert await listed() == []
    await blocks(ana, "luis@localhost", "spam.example")
    assert await listed() == ["luis@localhost", "spam.example"]
    await ana.asks(UNBLOCK.format(items("spam.example")))
    assert await listed() == ["luis@localhost"]
    await ana.asks(UNBLOCK.format(""))
    assert await listed() == []
    assert await stage.server.store.blocklists.load_all() == {}


async def test_every_client_that_asked_for_the_list_is_told(stage: Stage) -> None:
    phone, desk = await stage.enters("ana", "phone"), await stage.enters("ana", "desk")
    other = await stage.enters("ana", "other")
    await phone.asks(GET)
    await desk.asks(GET)

    await phone.sends(BLOCK.format(items("luis@localhost")))
    await phone.receives(
        "<iq type='set' to='ana@localhost/phone'>"
        "<block xmlns='urn:xmpp:blocking'><item jid='luis@localhost'/></block></iq>"
    )
    await phone.receives("<iq type='result' id='block' to='ana@localhost/phone'/>")
    await phone.asks(UNBLOCK.format(""))

    await desk.receives(
        "<iq type='set' to='ana@localhost/desk'>"
        "<block xmlns='urn:xmpp:blocking'><item jid='luis@localhost'/></block></iq>"
    )
    await desk.receives("<iq type='set' to='ana@localhost/desk'><unblock xmlns='urn:xmpp:blocking'/></iq>")
    await other.receives_nothing()


async def test_the_server_says_that_it_can_block(ana: Actor) -> None:
    answer = await ana.asks(
        "<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    assert "var='urn:xmpp:blocking'" in str(answer)


async def test_a_message_from_somebody_blocked_comes_back_as_if_nobody_were_there(
    ana: Actor, luis: Actor
) -> None:
    await blocks(ana, "luis@localhost")

    for to in ("ana@localhost", "ana@localhost/stage"):
        await luis.sends(f"<message type='chat' to='{to}' id='1'><body>Hi</body></message>")
        await luis.receives(
            f"<message type='error' id='1' from='{to}' to='luis@localhost/stage'><body>Hi</body>{UNAVAILABLE}</message>"
        )

    await ana.receives_nothing()


@pytest.mark.parametrize("to", ["ana@localhost", "ana@localhost/stage"])
async def test_a_question_from_somebody_blocked_comes_back_as_if_nobody_were_there(
    stage: Stage, to: str
) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await blocks(ana, "luis@localhost")
    await ana.swallows()
    await luis.swallows()

    await luis.sends(f"<iq type='get' id='1' to='{to}'><query xmlns='jabber:iq:last'/></iq>")

    await luis.receives(f"<iq type='error' id='1' from='{to}' to='luis@localhost/stage'>…{UNAVAILABLE}</iq>")
    await ana.receives_nothing()


async def test_presence_from_somebody_blocked_vanishes(ana: Actor, luis: Actor) -> None:
    await blocks(ana, "luis@localhost")

    for type in ("", "unavailable", "subscribe", "subscribed", "unsubscribe", "probe"):
        await luis.sends("<presence to='ana@localhost'" + (f" type='{type}'/>" if type else "/>"))
    await luis.receives_nothing()

    await ana.receives_nothing()


@pytest.mark.parametrize(
    "stanza",
    [
        "<message to='luis@localhost' id='1' type='chat'/>",
        "<presence to='luis@localhost' id='1'/>",
        "<presence to='luis@localhost' id='1' type='subscribe'/>",
        "<iq to='luis@localhost' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq to='luis@localhost/stage' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
    ],
)
async def test_who_writes_to_somebody_they_have_blocked_is_reminded_of_it(
    ana: Actor, luis: Actor, stanza: str
) -> None:
    await blocks(ana, "luis@localhost")

    await ana.sends(stanza)

    error = await ana.hears()
    assert (error.get("type"), error.get("id")) == ("error", "1")
    condition = error.child("error")
    assert condition is not None
    assert condition.child("not-acceptable", STANZAS) is not None
    assert condition.child("blocked", "urn:xmpp:blocking:errors") is not None
    await luis.receives_nothing()


async def test_who_is_blocked_sees_the_other_go_and_come_back_when_it_is_over(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
    await ana.sends("<presence><show>chat</show></presence>")
    await ana.swallows()
    await luis.swallows()

    await blocks(ana, "luis@localhost")
    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost'/>")

    await ana.sends("<presence><show>away</show></presence>")
    await ana.swallows()
    await luis.receives_nothing()
    await luis.sends("<presence><show>dnd</show></presence>")
    await luis.swallows()
    await ana.receives_nothing()

    await ana.asks(UNBLOCK.format(items("luis@localhost")))
    await luis.receives(
        "<presence from='ana@localhost/stage' to='luis@localhost'><show>away</show></presence>"
    )
    # What the other did meanwhile is not missed.
    await ana.receives(
        "<presence from='luis@localhost/stage' to='ana@localhost/stage'><show>dnd</show></presence>"
    )


async def test_who_is_blocked_finds_nobody_there_at_the_next_login(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    ana = await stage.comes_online("ana")
    await blocks(ana, "luis@localhost")

    luis = await stage.enters("luis")
    await luis.sends("<presence/>")

    await luis.receives("<presence from='luis@localhost/stage' to='luis@localhost/stage'/>")
    await luis.receives_nothing()
    await ana.receives_nothing()


async def test_who_was_sent_presence_directly_and_is_blocked_sees_the_other_go(
    ana: Actor, luis: Actor
) -> None:
    await ana.sends("<presence to='luis@localhost/stage'/>")
    await ana.swallows()
    await luis.swallows()

    await blocks(ana, "luis@localhost")

    await luis.receives("<presence type='unavailable' from='ana@localhost/stage' to='luis@localhost/stage'/>")


async def test_a_request_from_somebody_blocked_since_is_not_asked_again(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.enters("ana")
    await luis.sends("<presence type='subscribe' to='ana@localhost'/>")
    await luis.swallows()
    await blocks(ana, "luis@localhost")

    await ana.sends("<presence/>")

    assert len(await ana.swallows()) == 1


async def test_a_list_outlives_the_server(stage: Stage, ana: Actor, luis: Actor) -> None:
    await blocks(ana, "luis@localhost")

    assert await stage.server.store.blocklists.load_all() == {"ana@localhost": {"luis@localhost"}}


@pytest.mark.parametrize(
    ("command", "condition"),
    [
        (BLOCK.format(""), "bad-request"),
        (BLOCK.format("<item jid='@@'/>"), "jid-malformed"),
        (BLOCK.format("<item jid='ana@localhost'/>"), "not-allowed"),
        (UNBLOCK.format("<item jid='@@'/>"), "jid-malformed"),
    ],
)
async def test_what_can_not_be_blocked_is_refused(ana: Actor, command: str, condition: str) -> None:
    answer = await ana.asks(command)

    error = answer.child("error")
    assert error is not None
    assert error.child(condition, STANZAS) is not None


@pytest.mark.settings(limits={"roster_items": 2})
async def test_a_list_holds_so_many_addresses_and_no_more(ana: Actor) -> None:
    await blocks(ana, "one@localhost", "two@localhost")

    answer = await ana.asks(BLOCK.format(items("three@localhost")))

    assert "policy-violation" in str(answer)


async def test_whole_domains_are_blocked_without_blocking_oneself(ana: Actor, luis: Actor) -> None:
    await blocks(ana, "localhost")

    await luis.sends("<message type='chat' to='ana@localhost' id='1'><body>Hi</body></message>")
    assert (await luis.hears()).get("type") == "error"
    await ana.sends("<message type='chat' to='ana@localhost' id='2'><body>Hello, me</body></message>")
    assert (await ana.hears()).get("id") == "2"
