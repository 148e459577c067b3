"""What a visitor can't do: reach anybody but queues, see who works there, be somebody else, or flood us."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imserver.desk.allowed import PASSES
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import Presence
from tests.plugins.web.visitors import PAGE, QUEUE, WEB, VisitorActor, WebStage, web_on_stage
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT

RESOURCE = "gajim.7SECRET"
ADDRESS = re.compile(rf"{re.escape(RESOURCE)}|(ana|eva|admin)(@|%40)localhost", re.IGNORECASE)
SEVERAL = SUPPORT + '[queues.inner]\nmembers = ["eva@localhost"]\n'
DESK = "desk.localhost"


@pytest.fixture
async def web(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[WebStage]:
    given = {
        key: value for mark in request.node.iter_markers("settings") for key, value in mark.kwargs.items()
    }
    async with web_on_stage(tmp_path, given, desk=SEVERAL) as one:
        yield one


@pytest.fixture
async def ana(web: WebStage) -> Actor:
    return await web.stage.comes_online("ana", RESOURCE)


@pytest.fixture
async def mia(web: WebStage) -> AsyncIterator[VisitorActor]:
    """A visitor; at the end, no agent's address is in anything that she was sent."""
    visitor = await web.enters()
    yield visitor
    if not visitor.is_over:
        await visitor.swallows()
    assert not leaks(visitor)


def leaks(visitor: VisitorActor) -> list[str]:
    """List what tells an agent's address to somebody who did not write it herself."""
    heard = [re.sub(r"^(<\w+ [^>]*?)from='[^']*'(?=[^>]*type='error')", r"\1", one) for one in visitor.frames]
    return [one for one in heard if ADDRESS.search(one)]


def condition(answer: Element) -> str:
    error = answer.child("error", "jabber:client")
    return error.elements()[0].name if error is not None else ""


# Whom they reach


@pytest.mark.parametrize(
    "to",
    [
        "ana@localhost",
        f"ana@localhost/{RESOURCE}",
        "nobody@localhost",
        "localhost",
        "admin@localhost",
        DESK,
        f"nothing@{DESK}",
        f"{QUEUE}/x",
        WEB,
        f"abcdefghijkl@{WEB}",
        f"abcdefghijkl@{WEB}/web",
        "xmpp.localhost",
        "someone@xmpp.localhost",
        "upload.localhost",
        "example.com",
    ],
)
@pytest.mark.parametrize("kind", ["chat", "normal", "headline", "groupchat"])
async def test_messages_go_to_queues_only(ana: Actor, mia: VisitorActor, to: str, kind: str) -> None:
    await mia.sends(f"<message to='{to}' type='{kind}' id='m'><body>hi</body></message>")

    answer = await mia.hears()
    assert (answer.get("type"), condition(answer)) == ("error", "forbidden")
    assert "inner" not in str(answer)
    await ana.receives_nothing()


async def test_a_message_without_an_address_is_for_nobody(mia: VisitorActor) -> None:
    await mia.sends("<message type='chat' id='m'><body>hi</body></message>")

    assert condition(await mia.hears()) == "forbidden"


@pytest.mark.settings(queues_open_to_visitors=["support"])
async def test_a_queue_that_is_not_for_visitors_looks_as_if_it_were_not_there(mia: VisitorActor) -> None:
    answers = []
    for name in ("inner", "nothing"):
        await mia.sends(f"<message to='{name}@{DESK}' type='chat' id='m'><body>hi</body></message>")
        answers.append(str(await mia.hears()).replace(name, "…"))
        question = "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        answer = await mia.asks(f"<iq xmlns='jabber:client' type='get' id='q' to='{name}@{DESK}'>{question}")
        answers.append(str(answer).replace(name, "…"))

    assert answers[:2] == answers[2:]


async def test_another_type_than_chat_is_not_for_queues(mia: VisitorActor) -> None:
    await mia.sends(f"<message to='{QUEUE}' type='groupchat' id='m'><body>hi</body></message>")

    assert condition(await mia.hears()) == "service-unavailable"


QUESTIONS = [
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<query xmlns='jabber:iq:roster'/>",
    "<vCard xmlns='vcard-temp'/>",
    "<query xmlns='jabber:iq:last'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<query xmlns='jabber:iq:private'><x xmlns='a:b'/></query>",
    "<query xmlns='jabber:iq:register'/>",
    "<query xmlns='urn:xmpp:mam:2'/>",
    "<prefs xmlns='urn:xmpp:mam:2' default='never'/>",
    "<blocklist xmlns='urn:xmpp:blocking'/>",
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='x'/></pubsub>",
    "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#get-online-users-list'/>",
    "<command xmlns='http://jabber.org/protocol/commands' node='take'/>",
    "<queues xmlns='urn:imserver:desk:0'/>",
    "<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='3'/>",
    "<anything xmlns='urn:example:unknown'/>",
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_accounts_can_be_asked_visitors_can_not(
    web: WebStage, ana: Actor, mia: VisitorActor, question: str
) -> None:
    for kind in ("get", "set"):
        for to in ("ana@localhost", f"ana@localhost/{RESOURCE}", "nobody@localhost", f"abcdefghijkl@{WEB}"):
            answer = await mia.asks(
                f"<iq xmlns='jabber:client' type='{kind}' id='q' to='{to}'>{question}</iq>"
            )
            assert condition(answer) == "service-unavailable"

    await ana.receives_nothing()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_whatever_is_asked_of_whom_nothing_tells_who_works_here(
    ana: Actor, mia: VisitorActor, question: str
) -> None:
    await mia.says("hello")
    for kind in ("get", "set"):
        for to in (
            "",
            "localhost",
            WEB,
            DESK,
            QUEUE,
            "upload.localhost",
            "xmpp.localhost",
            str(mia.jid.bare),
        ):
            address = f" to='{to}'" if to else ""
            await mia.asks(f"<iq xmlns='jabber:client' type='{kind}' id='q'{address}>{question}</iq>")

    assert not [frame for frame in mia.frames if ADDRESS.search(frame) or "inner" in frame]


@pytest.mark.parametrize(
    "question",
    [
        "<query xmlns='jabber:iq:roster'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='jabber:iq:private'><x xmlns='a:b'/></query>",
        "<prefs xmlns='urn:xmpp:mam:2'/>",
        "<blocklist xmlns='urn:xmpp:blocking'/>",
    ],
)
async def test_a_visitor_has_nothing_of_what_accounts_have(mia: VisitorActor, question: str) -> None:
    answer = await mia.asks(f"<iq xmlns='jabber:client' type='get' id='q'>{question}</iq>")

    assert condition(answer) == "service-unavailable"


@pytest.mark.parametrize(
    "type", ["", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "unavailable"]
)
@pytest.mark.parametrize("to", ["ana@localhost", "nobody@localhost", f"inner2@{DESK}", f"abcdefghijkl@{WEB}"])
async def test_presence_reaches_nobody(ana: Actor, mia: VisitorActor, type: str, to: str) -> None:
    written = f" type='{type}'" if type else ""
    await mia.sends(f"<presence to='{to}'{written}/>")

    assert condition(await mia.hears()) == "forbidden"
    await ana.receives_nothing()


async def test_a_queue_shows_whether_it_is_open(mia: VisitorActor) -> None:
    for type in ("", " type='probe'"):
        await mia.sends(f"<presence to='{QUEUE}'{type}/>")
        await mia.receives(f"<presence from='{QUEUE}' to='{mia.jid}'><status>Support</status></presence>")


async def test_a_visitor_has_no_contacts(mia: VisitorActor) -> None:
    await mia.sends(f"<presence to='{QUEUE}' type='subscribe'/>")

    assert condition(await mia.hears()) == "forbidden"


# Who they are


async def test_nobody_sends_in_the_name_of_another(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    await mia.sends(f"<message from='ana@localhost' to='{QUEUE}' type='chat'><body>hi</body></message>")

    assert [one.elements()[0].name for one in await mia.is_disconnected() if one.name == "error"] == [
        "invalid-from"
    ]


async def test_a_resource_is_not_chosen(web: WebStage, mia: VisitorActor) -> None:
    other = await web.connects()
    await other.opens_stream()
    await other.says_who()
    await other.opens_stream()

    await other.binds("web")

    assert other.jid.resource.startswith("imserver-")


# What reaches them


async def test_an_agent_reaches_a_visitor_by_the_queue_only(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    client = await web.attends(ana, mia)
    for to in (client, f"{client}/web", str(mia.jid)):
        await ana.sends(f"<presence to='{to}'><status>Ana at work</status></presence>")
        await ana.sends(f"<presence to='{to}' type='subscribe'/>")
        for kind in ("get", "set", "result", "error"):
            await ana.sends(f"<iq type='{kind}' id='q' to='{to}'><vCard xmlns='vcard-temp'/></iq>")
        await ana.sends(f"<message to='{to}' type='headline'><body>ana@localhost</body></message>")
        await ana.sends(f"<message to='{to}' type='error'><body>ana@localhost</body></message>")
    await ana.swallows()

    await mia.receives_nothing()


@pytest.fixture
async def client(web: WebStage, ana: Actor, mia: VisitorActor) -> str:
    tab = await web.enters(await mia.gets_token())
    for one in (mia, tab):
        await one.asks(
            "<iq xmlns='jabber:client' type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
        )
    web.tab = tab  # type: ignore[attr-defined]
    return str(await web.attends(ana, mia))


WORDS = st.sampled_from(
    [
        "ana@localhost",
        f"ana@localhost/{RESOURCE}",
        "ANA%40localhost",
        "hello",
        "",
        "eva@localhost",
        "!note x",
        "a1",
    ]
)


def _elements() -> st.SearchStrategy[Element]:
    known = [tuple(key.split("\n")) for key in PASSES]
    names = st.sampled_from([*known, ("urn:example:unknown", "x"), ("urn:xmpp:delay", "delay")])
    attributes = st.dictionaries(st.sampled_from(["to", "from", "id", "by", "for"]), WORDS, max_size=3)

    def build(name: tuple[str, str], attributes: dict[str, str], text: str) -> Element:
        return Element(name[1], name[0], attributes, text=text)

    return st.builds(build, names, attributes, WORDS)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(id=WORDS, body=st.none() | st.lists(WORDS, max_size=3), payload=st.lists(_elements(), max_size=4))
async def test_whatever_an_agent_writes_nothing_tells_who_it_is(
    web: WebStage,
    ana: Actor,
    mia: VisitorActor,
    client: str,
    id: str,
    body: list[str] | None,
    payload: list[Element],
) -> None:
    message = Element("message", "jabber:client", {"to": client, "type": "chat", "id": id})
    if body is not None:
        message.add(Element("body", "jabber:client", text=" ".join(body)))
    seen = {one.namespace for one in payload}
    await ana.sends(message.add(*(one for one in payload if seen)).to_bytes(""))
    await ana.swallows()
    tab: VisitorActor = web.tab  # type: ignore[attr-defined]

    query = "<query xmlns='urn:xmpp:mam:2'/>"
    await mia.asks(f"<iq xmlns='jabber:client' type='set' id='h'>{query}</iq>")
    await tab.swallows()

    for visitor in (mia, tab):
        found = [
            frame
            for frame in visitor.frames
            if re.search(rf"ana(@|%40)localhost|{RESOURCE}", frame, re.IGNORECASE)
        ]
        assert not found, found
        visitor.frames.clear()


async def test_the_last_look_stops_what_should_never_have_come_so_far(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    session = web.server.sessions.find(mia.jid)
    assert session is not None
    session.send(Presence(sender=JID.parse("ana@localhost/x"), to=mia.jid))

    await mia.receives_nothing()
    assert web.stage.log.entries.pop()["event"] == "a visitor was almost shown what is not for them"


# How much


@pytest.mark.settings(stanzas_per_second=0.001, burst_seconds=5000)
async def test_who_sends_too_much_is_told_to_wait(web: WebStage, mia: VisitorActor) -> None:
    for number in range(8):
        await mia.sends(f"<message to='{QUEUE}' type='chat' id='{number}'><body>spam</body></message>")

    refused = [await mia.hears() for _ in range(3)]

    assert "policy-violation" in {condition(one) for one in refused}
    mia.is_over = True


@pytest.mark.settings(stanzas_per_second_and_address=0.001, burst_seconds=8000)
async def test_all_visitors_from_one_address_share_a_limit(web: WebStage) -> None:
    first, second = await web.connects(), await web.connects()
    await first.enters()
    await second.enters()
    ping = "<iq xmlns='jabber:client' type='get' id='p' to='web.localhost'><ping xmlns='urn:xmpp:ping'/></iq>"

    answers = [condition(await first.asks(ping)) for _ in range(7)]
    answers += [condition(await second.asks(ping)) for _ in range(2)]

    assert answers == [""] * 8 + ["policy-violation"]


@pytest.mark.settings(message_characters=10)
async def test_a_message_may_be_so_long(mia: VisitorActor) -> None:
    await mia.says("x" * 11)

    assert "policy-violation" in {condition(one) for one in await mia.swallows()}


@pytest.mark.settings(sign_ins_per_minute=2)
async def test_so_many_may_sign_in_within_a_minute(web: WebStage) -> None:
    for _ in range(2):
        await web.enters()
    third = await web.connects()
    await third.opens_stream()

    failure = await third.says_who()

    assert [one.name for one in failure.elements()][:1] == ["temporary-auth-failure"]


@pytest.mark.settings(sessions_per_address=1)
async def test_so_many_sessions_may_be_open(web: WebStage) -> None:
    first = await web.enters()
    second = await web.connects()
    await second.opens_stream()
    assert (await second.says_who()).name == "failure"

    await web.stage.loses(first)
    assert (await second.says_who()).name == "success"


# Pages


@pytest.mark.settings(origins=[PAGE])
async def test_a_page_of_an_allowed_origin_gets_to_the_visitors_domain_only(web: WebStage) -> None:
    mia = await web.connects(PAGE)
    await mia.enters()
    assert mia.jid.domain == WEB

    other = await web.connects(PAGE)
    features = await other.opens_stream("localhost")
    assert not [one for one in features.elements() if one.name == "mechanisms"]


@pytest.mark.settings(origins=[PAGE])
async def test_a_page_of_another_origin_does_not_connect(web: WebStage) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.connects("https://elsewhere.example")

    assert refused.value.status == 403


async def test_pages_of_nobody_connect_unless_an_origin_is_set(web: WebStage) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await web.connects(PAGE)


async def test_what_an_admin_announces_is_not_for_visitors(web: WebStage, mia: VisitorActor) -> None:
    admin = await web.stage.comes_online("admin")
    node = "http://jabber.org/protocol/admin#announce"
    await admin.asks(
        f"<iq type='set' id='a' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='{node}'"
        " action='complete'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
        "<value>http://jabber.org/protocol/admin</value></field>"
        "<field var='announcement'><value>Lunch</value></field></x></command></iq>"
    )

    await mia.receives_nothing()
