"""What was said stays: under the client's key for whoever attends them, and in each agent's own archive."""

from __future__ import annotations

import pytest

from imserver.xmpp.element import Element
from imserver.xmpp.parser import parse
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, attends, bodies, says

QUEUE = "support@desk.localhost"


async def archive(stage: DeskStage, owner: str) -> list[tuple[str, str]]:
    """Read a whole archive: who said what."""
    page = await stage.server.store.archive.page(owner, limit=1_000)
    rows = [
        parse(b"<message xmlns='jabber:client'" + row.stanza.removeprefix(b"<message")) for row in page.rows
    ]
    return [
        (row.get("from").partition("@")[0], body.text)
        for row in rows
        if (body := row.child("body")) is not None
    ]


async def mam(actor: Actor, peer: str) -> list[str]:
    """Read one's own archive as clients do."""
    await actor.sends(
        "<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
        f"<field var='with'><value>{peer}</value></field></x></query></iq>"
    )
    found = [one.child("result", "urn:xmpp:mam:2") for one in await actor.swallows()]
    messages: list[Element] = [
        child
        for one in found
        if one is not None
        for child in one.elements()[0].elements()
        if child.name == "message"
    ]
    return bodies(messages)


@pytest.mark.desk("prefer_last_agent = false\nreopen_seconds = 0")
async def test_the_clients_history_is_whole_whoever_attends_them(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.comes_online("ana")
    client = await attends(stage, ana, luis, "one")
    await says(luis, QUEUE, "two")
    await says(ana, client, "three")
    await says(ana, client, "!note hm")
    await says(ana, client, "!close")
    await ana.vanishes()
    await stage.passes(100)
    eva = await stage.comes_online("eva")
    assert await attends(stage, eva, luis, "four") == client
    await says(eva, client, "five")
    await luis.swallows()

    key = client.partition("@")[0]
    assert await archive(stage, client) == [
        (key, "one"), (key, "two"), ("ana", "three"), (key, "four"), ("eva", "five")
    ]  # fmt: skip
    await says(eva, client, "!history 3")
    shown = next(text for text in bodies(await eva.swallows()) if "three" in text)
    assert [line.partition("] ")[2] for line in shown.splitlines()] == [
        "ana: three",
        "luis@localhost: four",
        "eva: five",
    ]


async def test_the_agents_archive_has_the_client_by_that_address(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await says(luis, QUEUE, "one")
    await says(luis, QUEUE, "two")
    await accepts(stage, ana)
    client = next(
        one.get("from").partition("/")[0] for one in await ana.swallows() if "@xmpp" in one.get("from")
    )
    await says(luis, QUEUE, "three")
    await says(ana, client, "four")
    await says(ana, client, "!who")

    assert await mam(ana, client) == ["one", "two", "three", "four", "!who"]
    assert await mam(ana, f"{client}/xmpp") == ["one", "two", "three"]


async def test_the_clients_own_archive_has_the_queue(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis, "one")
    await says(ana, client, "two")
    await luis.swallows()

    assert await mam(luis, QUEUE) == ["one", "Welcome to Support.", "Somebody is with you now.", "two"]


async def test_what_was_written_while_the_agent_was_away_is_given_when_they_are_back(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis, "one")
    await ana.vanishes()
    await stage.settles()
    await says(luis, QUEUE, "two", id="l2")
    await says(luis, QUEUE, "three", id="l3")

    ana = await stage.enters("ana")
    await ana.sends("<presence/>")
    received = [one for one in await ana.swallows() if one.get("from") == f"{client}/xmpp"]
    assert bodies(received) == ["two", "three"]
    await says(luis, QUEUE, "four")
    assert bodies(await ana.swallows()) == ["four"]
    assert await mam(ana, client) == ["one", "two", "three", "four"]
    assert [text for _, text in await archive(stage, client)] == ["one", "two", "three", "four"]


@pytest.mark.desk("lost_agent_grace_seconds = 60")
async def test_or_to_whoever_has_the_client_then(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis, "one")
    await ana.vanishes()
    await stage.settles()
    await says(luis, QUEUE, "two", id="l2")
    await stage.passes(60)
    eva = await stage.begins_work("eva")
    await accepts(stage, eva)

    received = [one for one in await eva.swallows() if one.get("from") == f"{client}/xmpp"]
    assert [one.get("id") for one in received if one.get("id") == "l2"] == ["l2"]
    assert await mam(eva, client) == ["two"]
    assert [text for _, text in await archive(stage, client)] == ["one", "two"]


async def test_whoever_asks_not_to_be_kept_is_heard_all_the_same(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l1'><body>between us</body><no-store xmlns='urn:xmpp:hints'/></message>"
    )
    await stage.settles()
    await accepts(stage, ana)

    assert "between us" in bodies(await ana.swallows())


async def test_what_a_guest_hears_too_is_in_the_history_once(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis, "one")
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await says(luis, QUEUE, "two")
    await says(eva, client, "three")

    assert [text for _, text in await archive(stage, client)] == ["one", "two", "three"]
    assert await mam(eva, client) == ["two", "three"]
