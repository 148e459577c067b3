"""Visitors of web pages: they sign in at web.<domain>, write to a queue, and are answered by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.xmpp.jid import JID
from tests.plugins.web.visitors import QUEUE, WEB, VisitorActor, WebStage, web_on_stage
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import bodies, says
from tests.scenes.test_websocket import mechanisms


@pytest.fixture
async def web(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[WebStage]:
    """`@pytest.mark.settings(**web)` changes the settings of the plugin."""
    given = {
        key: value for mark in request.node.iter_markers("settings") for key, value in mark.kwargs.items()
    }
    async with web_on_stage(tmp_path, given) as one:
        yield one


@pytest.fixture
async def ana(web: WebStage) -> Actor:
    """An agent, ready."""
    return await web.stage.comes_online("ana")


@pytest.fixture
async def mia(web: WebStage) -> VisitorActor:
    """A visitor."""
    return await web.enters()


async def client_row(web: WebStage, key: str) -> object:
    return await web.server.store.desk.client(key)


# Signing in


async def test_a_visitor_signs_in_without_a_name(web: WebStage) -> None:
    mia = await web.connects()

    features = await mia.opens_stream()
    assert mechanisms(features) == ["OAUTHBEARER", "ANONYMOUS"]
    assert (await mia.says_who()).name == "success"
    await mia.opens_stream()
    await mia.binds("mine")

    assert mia.jid.domain == WEB
    assert len(mia.jid.local) == 12
    assert mia.jid.resource not in ("", "mine", "web")


async def test_each_newcomer_is_somebody_else(web: WebStage) -> None:
    assert (await web.enters()).key != (await web.enters()).key


async def test_at_the_servers_own_domain_there_is_no_such_login(web: WebStage) -> None:
    mia = await web.connects()

    features = await mia.opens_stream("localhost")

    assert not {"ANONYMOUS", "OAUTHBEARER"} & set(mechanisms(features))
    assert (await mia.says_who()).elements()[0].name == "invalid-mechanism"


async def test_at_the_visitors_domain_no_password_logs_in(web: WebStage) -> None:
    mia = await web.connects()
    features = await mia.opens_stream()

    assert not [one for one in mechanisms(features) if one.startswith(("SCRAM", "PLAIN"))]


async def test_the_domain_stays_the_same_over_a_login(web: WebStage) -> None:
    mia = await web.connects()
    await mia.opens_stream()
    await mia.says_who()

    await mia.sends("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>")

    assert [one.elements()[0].name for one in await mia.is_disconnected() if one.name == "error"] == [
        "host-unknown"
    ]


# Talking


async def test_a_visitor_and_an_agent_talk(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    assert client == mia.jid.bare

    await says(ana, client, "How can I help?", id="a1")
    await mia.receives(
        f"<message type='chat' id='a1' from='{QUEUE}' to='{mia.jid.bare}'><body>How can I help?</body>…</message>"
    )
    await mia.says("My card is gone", id="m1")
    await ana.receives(
        f"<message type='chat' id='m1' from='{client}/web' to='ana@localhost'><body>My card is gone</body>…</message>"
    )


async def test_an_answer_carries_its_id_in_the_visitors_archive(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    client = await web.attends(ana, mia)

    await says(ana, client, "Hi")
    [answer] = [one for one in await mia.swallows() if one.name == "message"]

    mark = answer.child("stanza-id", "urn:xmpp:sid:0")
    assert mark is not None
    assert mark.get("by") == client
    page = await web.server.store.archive.page(client, limit=10)
    assert mark.get("id") == str(page.rows[-1].id)


async def test_what_is_said_is_on_record_once_for_each_side(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    client = await web.attends(ana, mia, "one")
    await mia.says("two")
    await says(ana, client, "three")
    await web.stage.settles()

    kept = await web.server.store.archive.page(client, limit=10)
    assert [body for row in kept.rows for body in ("one", "two", "three") if body.encode() in row.stanza] == [
        "one",
        "two",
        "three",
    ]
    theirs = await web.server.store.archive.page(JID.parse("ana@localhost"), peer=client, limit=10)
    assert len(theirs.rows) == 3


async def test_the_usual_road_is_the_fast_one(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    web.stage.desk.talk.hear = None  # type: ignore[method-assign,assignment]
    web.stage.desk.talk.accept = None  # type: ignore[method-assign,assignment]

    await mia.says("there")
    await says(ana, client, "and back")

    assert "and back" in bodies(await mia.swallows())
    assert "there" in bodies(await ana.swallows())


async def test_nobody_becomes_a_client_by_opening_a_page(web: WebStage, mia: VisitorActor) -> None:
    await mia.sends(
        f"<message to='{QUEUE}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    await mia.swallows()
    assert await client_row(web, mia.key) is None

    await mia.says("hello")
    await web.stage.settles()
    assert await client_row(web, mia.key) is not None


async def test_both_see_the_other_write(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    state = "<message to='{}' type='chat'><{} xmlns='http://jabber.org/protocol/chatstates'/></message>"

    await mia.sends(state.format(QUEUE, "composing"))
    await ana.receives(
        f"<message from='{client}/web' to='…' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>…</message>"
    )
    await ana.sends(state.format(client, "composing"))
    await mia.receives(
        f"<message from='{QUEUE}' to='…' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>…</message>"
    )

    await mia.vanishes()
    await ana.receives(
        f"<message from='{client}/web' to='…' type='chat'><paused xmlns='http://jabber.org/protocol/chatstates'/>…</message>"
    )


async def test_receipts_and_markers_pass(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)

    await ana.sends(
        f"<message to='{client}' type='chat' id='a2'><body>Read this</body><request xmlns='urn:xmpp:receipts'/>"
        "<markable xmlns='urn:xmpp:chat-markers:0'/></message>"
    )
    got = await mia.hears()
    assert got.child("request", "urn:xmpp:receipts") is not None
    await mia.sends(
        f"<message to='{QUEUE}' type='chat'><received xmlns='urn:xmpp:receipts' id='a2'/></message>"
    )
    await mia.sends(
        f"<message to='{QUEUE}' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='a2'/></message>"
    )

    await ana.receives(
        f"<message from='{client}/web' to='…' type='chat'><received xmlns='urn:xmpp:receipts' id='a2'/>…</message>"
    )
    await ana.receives(
        f"<message from='{client}/web' to='…' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='a2'/>…</message>"
    )


# Several tabs, lost connections


async def test_two_tabs_show_the_same(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    tab = await web.enters(await mia.gets_token())
    assert tab.key == mia.key
    for one in (mia, tab):
        await one.asks(
            "<iq xmlns='jabber:client' type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
        )

    await mia.says("from the first")
    sent = await tab.hears()
    forwarded = sent.elements()[0].elements()[0].elements()[0]
    assert (sent.elements()[0].name, forwarded.get("to")) == ("sent", QUEUE)
    await tab.receives_nothing()
    await mia.receives_nothing()

    await says(ana, client, "to both")
    assert "to both" in bodies(await mia.swallows())
    assert "to both" in bodies(await tab.swallows())


async def test_a_lost_connection_is_resumed(web: WebStage, ana: Actor, mia: VisitorActor) -> None:
    client = await web.attends(ana, mia)
    token = await mia.gets_token()
    await mia.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    enabled = await mia.hears()
    await mia.vanishes()
    await says(ana, client, "Still there?")
    await web.stage.settles()

    again = await web.connects()
    await again.opens_stream()
    await again.says_who(token)
    await again.opens_stream()
    await again.sends(f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>")

    await again.receives("<resumed xmlns='urn:xmpp:sm:3' previd='…' h='0'/>")
    await again.receives(f"<message type='chat' from='{QUEUE}' to='…'><body>Still there?</body>…</message>")


async def test_nobody_resumes_the_session_of_another(web: WebStage, mia: VisitorActor) -> None:
    await mia.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    enabled = await mia.hears()
    await mia.vanishes()

    other = await web.connects()
    await other.opens_stream()
    await other.says_who()
    await other.opens_stream()
    await other.sends(f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>")

    assert (await other.hears()).name == "failed"


async def test_an_answer_to_one_who_has_left_waits_in_the_archive(
    web: WebStage, ana: Actor, mia: VisitorActor
) -> None:
    client = await web.attends(ana, mia)
    await mia.vanishes()
    await web.stage.settles()

    await says(ana, client, "Come back")

    await ana.receives_nothing()
    page = await web.server.store.archive.page(client, limit=10)
    assert b"Come back" in page.rows[-1].stanza


async def test_with_the_plugin_off_nobody_signs_in_there(tmp_path: Path) -> None:
    async with web_on_stage(tmp_path, others={"plugins": {"enabled": []}}) as web:
        mia = await web.connects()
        await mia.sends(f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{WEB}' version='1.0'/>")

        assert [one.elements()[0].name for one in await mia.is_disconnected() if one.name == "error"] == [
            "host-unknown"
        ]
