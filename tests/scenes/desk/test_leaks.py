"""A client never learns who attends them: an agent's own address is in nothing that reaches them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imserver.desk.allowed import PASSES
from imserver.xmpp.element import Element, escape_attribute
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, says

QUEUE = "support@desk.localhost"
RESOURCE = "gajim.7SECRET"
AGENT = JID.parse(f"ana@localhost/{RESOURCE}")
#: The agent's address; what stands inside a longer one is somebody else's.
ADDRESS = re.compile(
    rf"{re.escape(RESOURCE)}|(?<![0-9a-zà-ɏ._+-])[._+-]*ana(@|%40)localhost(?![_-]*[0-9a-zà-ɏ]|\.\w)",
    re.IGNORECASE,
)


class Tap:
    """Takes down every byte that an actor receives."""

    def __init__(self, actor: Actor) -> None:
        self._reader = actor._reader
        actor._reader = self  # type: ignore[assignment]
        self.heard = b""

    async def read(self, size: int) -> bytes:
        data = await self._reader.read(size)
        self.heard += data
        return data

    def leak(self) -> str:
        """Show where the agent's address stands in it; "" if it does not."""
        heard = self.heard.decode()
        found = ADDRESS.search(heard)
        return heard[max(found.start() - 200, 0) : found.end() + 50] if found is not None else ""


@pytest.fixture
async def ana(stage: DeskStage) -> Actor:
    """An agent with a device that is easy to recognise."""
    return await stage.comes_online("ana", RESOURCE)


@pytest.fixture
async def tap(luis: Actor) -> AsyncIterator[Tap]:
    tap = Tap(luis)
    yield tap
    await luis.swallows()
    assert not tap.leak()


@pytest.fixture
async def client(stage: DeskStage, tap: Tap, ana: Actor, luis: Actor) -> str:
    """The address under which the agent knows the client."""
    return await attends(stage, ana, luis)


# What the agent's client does by itself


@pytest.mark.parametrize(
    "presence",
    [
        "<presence to='{}'><status>Ana at work</status><nick xmlns='http://jabber.org/protocol/nick'>Ana</nick></presence>",
        "<presence to='{}' type='unavailable'/>",
        "<presence to='{}' type='subscribe'/>",
        "<presence to='{}' type='subscribed'/>",
        "<presence to='{}' type='unsubscribe'/>",
        "<presence to='{}' type='unsubscribed'/>",
        "<presence to='{}' type='probe'/>",
        "<presence to='{}/xmpp' type='error'><error type='cancel'/></presence>",
        "<presence><show>dnd</show></presence>",
    ],
)
async def test_presence(ana: Actor, luis: Actor, client: str, presence: str) -> None:
    await ana.sends(presence.format(client))
    await ana.swallows()

    await luis.receives_nothing()


@pytest.mark.parametrize(
    "payload",
    [
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<query xmlns='jabber:iq:version'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='jabber:iq:last'/>",
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' initiator='ana@localhost/gajim.7SECRET' sid='1'/>",
        "<query xmlns='jabber:iq:roster'><item jid='eva@localhost'/></query>",
        "<anything xmlns='urn:example:unknown'/>",
    ],
)
async def test_questions(ana: Actor, luis: Actor, client: str, payload: str) -> None:
    for kind in ("get", "set", "result", "error"):
        for address in (client, f"{client}/xmpp"):
            await ana.sends(f"<iq type='{kind}' id='q' to='{address}'>{payload}</iq>")
    await ana.swallows()

    await luis.receives_nothing()


@pytest.mark.parametrize("type", ["chat", "normal", "headline", "groupchat", "error"])
async def test_messages(ana: Actor, luis: Actor, client: str, type: str) -> None:
    await ana.sends(
        f"<message to='{client}' type='{type}' id='from-ana@localhost' xml:lang='es'>"
        f"<body>write to _ana@localhost_, ana@localhost/{RESOURCE} or ANA@Localhost; -ana@localhost 联系ana@localhost请"
        "</body><nick xmlns='http://jabber.org/protocol/nick'>Ana</nick>"
        "<html xmlns='http://jabber.org/protocol/xhtml-im'><body>ana@localhost</body></html>"
        "<delay xmlns='urn:xmpp:delay' from='ana@localhost' stamp='2026-01-01T00:00:00Z'/>"
        "<thread>ana@localhost</thread><request xmlns='urn:xmpp:receipts'/>"
        "<reply xmlns='urn:xmpp:reply:0' to='ana@localhost/gajim.7SECRET' id='x'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='ana@localhost' id='1'/>"
        "<x xmlns='jabber:x:oob'><url>https://files.example/ana@localhost/a.png</url></x></message>"
    )
    await ana.swallows()

    assert bool(bodies(await luis.swallows())) is (type in ("chat", "normal"))


# What happens in a conversation


@pytest.mark.desk("wrap_up_seconds = 60\nlost_agent_grace_seconds = 60\nsilent_warning_seconds = 600")
async def test_a_whole_conversation(stage: DeskStage, tap: Tap, ana: Actor, luis: Actor) -> None:
    other = await stage.comes_online("luis", "other")
    await other.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    second = Tap(other)
    client = await attends(stage, ana, luis)
    eva = await stage.comes_online("eva")

    await says(ana, client, "hello", id="a1")
    await luis.sends(
        f"<message to='{QUEUE}' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='a1'/></message>"
    )
    await says(ana, client, "!invite eva")
    await says(eva, client, "hello from eva, not ana@localhost")
    await says(eva, client, "!close")
    await stage.passes(700)
    await says(luis, QUEUE, "still here")
    await says(ana, client, "!transfer eva ana@localhost is busy")
    await says(eva, client, "!note ana@localhost was rude")
    await ana.vanishes()
    await eva.vanishes()
    await stage.settles()
    await stage.passes(90)

    await luis.swallows()
    await other.swallows()
    assert bodies(await luis.swallows()) == []
    assert b"not support@desk.localhost" in tap.heard
    assert not second.leak()


async def test_errors(stage: DeskStage, tap: Tap, ana: Actor, luis: Actor, client: str) -> None:
    await ana.asks(
        f"<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{client}'/></block></iq>"
    )
    await says(luis, QUEUE, "hello?", id="l1")

    assert "error" in [one.get("type") for one in await luis.swallows()]


# What a curious client asks


ASKED = [
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>",
    "<vCard xmlns='vcard-temp'/>",
    "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>",
    "<query xmlns='jabber:iq:last'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='urn:xmpp:mam:2'/>",
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub>",
    "<command xmlns='http://jabber.org/protocol/commands' node='urn:imserver:desk:command:who'/>",
    "<command xmlns='http://jabber.org/protocol/commands' node='urn:imserver:desk:command:queue'/>",
]


@pytest.mark.parametrize("kind", ["get", "set"])
async def test_what_is_asked(luis: Actor, client: str, kind: str) -> None:
    for payload in ASKED:
        for address in (QUEUE, f"{QUEUE}/ana", "desk.localhost", "xmpp.localhost", client, f"{client}/xmpp"):
            await luis.asks(f"<iq type='{kind}' id='q' to='{address}'>{payload}</iq>")


async def test_a_client_address_is_nobody_to_all_but_its_agent(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    tea = await stage.comes_online("tea")
    nobody = "aaaaaaaaaaaa@xmpp.localhost"
    for payload in ASKED:
        answers = [
            str(await tea.asks(f"<iq type='get' id='q' to='{address}'>{payload}</iq>")).replace(address, "…")
            for address in (client, nobody)
        ]
        assert answers[0] == answers[1]
    for kind in ("subscribe", "probe"):
        heard = []
        for address in (client, nobody):
            await tea.sends(f"<presence to='{address}' type='{kind}'/>")
            heard.append(
                [str(one).replace(address, "…") for one in await tea.swallows() if one.name == "presence"]
            )
        assert heard[0] == heard[1]


async def test_whoever_subscribes_sees_the_queue(tap: Tap, luis: Actor, client: str) -> None:
    await luis.sends(f"<presence to='{QUEUE}' type='subscribe'/>")
    await luis.sends(f"<presence to='{QUEUE}' type='probe'/>")

    assert {JID.parse(one.get("from")).bare for one in await luis.swallows() if one.name == "presence"} == {
        QUEUE
    }


async def test_the_clients_own_archive(tap: Tap, ana: Actor, luis: Actor, client: str) -> None:
    await says(ana, client, "I am ana@localhost", id="ana@localhost")
    await luis.swallows()
    tap.heard = b""

    await luis.asks("<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'/></iq>")

    assert tap.heard.count(b"<forwarded") >= 2


# Whatever the agent's client sends

WRITINGS = ("ana@localhost", "_ANA@LOCALHOST_", "-ana@localhost-", AGENT, AGENT.upper(), "x:ana%40localhost")
GLUE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Ll", "Lu", "Nd")), max_size=3)
# Glued to each other by letters they would be others' addresses.
TEXT = st.lists(st.tuples(st.sampled_from(WRITINGS) | GLUE, st.sampled_from(" ,:/请\n"))).map(
    lambda pieces: "".join(part for piece in pieces for part in piece)
)
NAMES = st.sampled_from(
    [*(tuple(key.split("\n")) for key in PASSES), ("urn:example", "other"), ("jabber:client", "error")]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["id", "to", "from", "by", "jid", "for", "uri", "target", "type", "xml:lang"]),
    TEXT,
    max_size=3,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> Element:
    namespace, name = draw(NAMES)
    element = Element(name, namespace, draw(ATTRIBUTES))
    element.add(draw(TEXT))
    for child in draw(st.lists(elements(depth - 1), max_size=2)) if depth else ():
        element.add(child)
    return element


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    payload=st.lists(elements(), min_size=1, max_size=4), id=TEXT, kind=st.sampled_from(["chat", "normal"])
)
async def test_whatever_the_agents_client_sends(
    ana: Actor, luis: Actor, tap: Tap, client: str, payload: list[Element], id: str, kind: str
) -> None:
    inner = b"".join(one.to_bytes() for one in payload).decode()
    await ana.sends(f"<message to='{client}' type='{kind}' id='{escape_attribute(id)}'>{inner}</message>")
    await ana.swallows()
    await luis.swallows()

    assert not tap.leak()
