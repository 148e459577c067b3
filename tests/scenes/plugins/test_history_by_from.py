"""Whoever takes a conversation sees what was said with the client before, whoever attended them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from imserver.storage.archive import ArchiveRow
from imserver.storage.clients import Client
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT, DeskStage, accepts, attends, bodies, on_stage, says

QUEUE = "support@desk.localhost"
MAM = "urn:xmpp:mam:2"
CARBONS = "urn:xmpp:carbons:2"
DELAY = "urn:xmpp:delay"
#: Each conversation is a new one, and everybody is asked.
DESK = SUPPORT + "prefer_last_agent = false\nreopen_seconds = 0\n"


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DeskStage]:
    file = tmp_path / "desk.toml"
    mark = next(request.node.iter_markers("settings"), None)
    file.write_text(DESK)
    given: dict[str, Any] = dict(mark.kwargs) if mark is not None else {}
    enabled = [] if given.pop("off", False) else ["history_by_from"]
    plugins: dict[str, Any] = {"enabled": enabled}
    if given:
        plugins["history_by_from"] = given
    async with on_stage(tmp_path, file, {"plugins": plugins}) as one:
        yield one


@pytest.fixture
async def luis(stage: DeskStage) -> Actor:
    return await stage.comes_online("luis")


@pytest.fixture
async def client(stage: DeskStage, luis: Actor) -> str:
    """A client whom ana has attended: what was said is `one`, `two` and `three`."""
    ana = await stage.comes_online("ana")
    client = await attends(stage, ana, luis, "one")
    await says(ana, client, "two", id="a2")
    await says(luis, QUEUE, "three", id="l3")
    await says(ana, client, "!note not for luis")
    await says(ana, client, "!close")
    await ana.swallows()
    await ana.vanishes()
    await stage.passes(100)
    await luis.swallows()
    return client


async def enables_carbons(actor: Actor) -> None:
    await actor.asks(f"<iq type='set' id='carbons'><enable xmlns='{CARBONS}'/></iq>")


async def takes(stage: DeskStage, agent: Actor, client: Actor, words: str) -> list[Element]:
    """Have an agent take a conversation; return the messages of the chat with the client."""
    await says(client, QUEUE, words)
    await stage.settles()
    await accepts(stage, agent)
    return [one for one in await agent.swallows() if one.name == "message"]


def shown(received: list[Element]) -> list[tuple[str, str]]:
    """List who says what in the chat with a client, as a person sees it: `us` is what carbons show as sent.

    Without what the desk itself says.
    """
    found = []
    for one in received:
        sent = one.child("sent", CARBONS)
        message = one if sent is None else sent.elements()[0].elements()[-1]
        body = message.child("body", "jabber:client")
        if (
            body is not None
            and not message.get("id").startswith("desk:")
            and "@xmpp.localhost" in f"{message.get('from')} {message.get('to')}"
        ):
            found.append(("us" if sent is not None else "client", body.text))
    return found


def results(received: list[Element]) -> list[tuple[str, str, str]]:
    """List what a query found: its id, from whom, and what."""
    found = []
    for one in received:
        result = one.child("result", MAM)
        if result is not None:
            message = result.elements()[0].elements()[-1]
            body = message.child("body", "jabber:client")
            found.append(
                (
                    result.get("id"),
                    message.get("from").partition("/")[0],
                    body.text if body is not None else "",
                )
            )
    return found


async def query(
    actor: Actor, peer: str | None, set_: str = "", fields: str = ""
) -> tuple[list[tuple[str, str, str]], Element]:
    """Ask for a page of one's own archive; return it, and the answer."""
    with_ = f"<field var='with'><value>{peer}</value></field>" if peer is not None else ""
    await actor.sends(
        f"<iq type='set' id='mam'><query xmlns='{MAM}'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MAM}</value></field>{with_}{fields}</x>"
        f"<set xmlns='http://jabber.org/protocol/rsm'>{set_}</set></query></iq>"
    )
    received = await actor.swallows()
    return results(received), next(one for one in received if one.name == "iq")


def condition(answer: Element) -> str:
    error = answer.child("error", "jabber:client")
    return error.elements()[0].name if error is not None else ""


# Whoever takes a conversation


async def test_an_agent_sees_what_was_said_with_colleagues(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")
    await enables_carbons(eva)

    received = await takes(stage, eva, luis, "four")

    assert shown(received) == [
        ("client", "one"), ("us", "ana: two"), ("client", "three"), ("client", "four")
    ]  # fmt: skip


async def test_without_carbons_colleagues_are_named_in_the_clients_chat(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")

    received = await takes(stage, eva, luis, "four")

    assert [text for _, text in shown(received)] == ["one", "ana: two", "three", "four"]
    assert not [one for one in received if one.child("sent", CARBONS) is not None]


async def test_it_says_when_and_is_known_by_the_ids_it_had(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")
    await enables_carbons(eva)

    received = await takes(stage, eva, luis, "four")
    page, _ = await query(eva, client)

    old = next(one for one in received if bodies([one]) == ["three"])
    assert (old.get("id"), old.get("from"), old.get("type")) == ("l3", f"{client}/xmpp", "chat")
    delay, stanza_id = old.all("delay", DELAY)[0], old.all("stanza-id", "urn:xmpp:sid:0")[0]
    assert (delay.get("from"), stanza_id.get("by")) == ("localhost", "eva@localhost")
    assert stanza_id.get("id") == next(id for id, _, text in page if text == "three")
    sent = next(one.child("sent", CARBONS) for one in received if one.child("sent", CARBONS) is not None)
    assert sent is not None
    message = sent.elements()[0].elements()[-1]
    assert (message.get("from"), message.get("to"), message.get("id")) == ("eva@localhost", client, "a2")
    assert message.all("delay", DELAY)


async def test_nobody_is_to_answer_it(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.comes_online("ana")
    client = await attends(stage, ana, luis, "one")
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l2'><body>two</body><request xmlns='urn:xmpp:receipts'/>"
        "<markable xmlns='urn:xmpp:chat-markers:0'/>"
        "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    await stage.settles()
    await says(ana, client, "!close")
    await ana.vanishes()
    await stage.passes(100)
    eva = await stage.comes_online("eva")

    old = next(one for one in await takes(stage, eva, luis, "three") if bodies([one]) == ["two"])

    assert [child.name for child in old.elements()] == ["body", "delay", "stanza-id"]


async def test_other_devices_are_told_that_it_is_read(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await enables_carbons(eva)

    received = await takes(stage, eva, luis, "four")

    texts = ["".join(bodies([one])) or str(one) for one in received]
    place = next(number for number, text in enumerate(texts) if "displayed" in text)
    assert "id='l3'" in texts[place]
    assert texts[place - 1] == "three"
    assert texts[place + 1].startswith("You attend")
    assert texts[place + 2 :] == ["four"]


async def test_it_is_not_kept_again_nor_counted(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")

    page = await stage.server.store.archive.page(client, limit=100)
    own = await stage.server.store.archive.page("eva@localhost", limit=100)

    assert len(page.rows) == 4
    assert len(own.rows) == 2  # the command, and what waited
    assert await stage.server.store.offline.count("eva@localhost") == 0
    (conversation,) = [one for one in stage.desk.floor.conversations.values() if one.agents]
    assert conversation.answered is None


async def test_what_waited_comes_behind_it(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await says(luis, QUEUE, "four", id="l4")
    await says(luis, QUEUE, "five", id="l5")

    await accepts(stage, eva)

    assert [text for _, text in shown(await eva.swallows())] == [
        "one",
        "ana: two",
        "three",
        "four",
        "five",
    ]


@pytest.mark.settings(messages=2)
async def test_the_last_of_it_is_enough(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")

    assert [text for _, text in shown(await takes(stage, eva, luis, "four"))] == [
        "ana: two",
        "three",
        "four",
    ]


async def test_a_device_that_reads_its_archive_is_shown_only_what_is_not_in_there(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")
    await says(eva, client, "five")
    await says(eva, client, "!close")
    await eva.vanishes()
    await stage.passes(100)
    ana = await stage.comes_online("ana")
    await enables_carbons(ana)
    await query(ana, None)

    received = await takes(stage, ana, luis, "six")

    assert shown(received) == [("client", "four"), ("us", "eva: five"), ("client", "six")]


async def test_one_that_does_not_is_shown_all_of_it(stage: DeskStage, luis: Actor, client: str) -> None:
    ana = await stage.comes_online("ana")
    await enables_carbons(ana)

    received = await takes(stage, ana, luis, "four")

    assert shown(received) == [("client", "one"), ("us", "two"), ("client", "three"), ("client", "four")]


async def test_a_device_sees_nothing_twice(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")
    await says(eva, client, "!close")
    await stage.passes(100)
    await eva.swallows()

    received = await takes(stage, eva, luis, "five")

    assert [text for _, text in shown(received)] == ["five"]


async def test_a_device_that_comes_later_sees_it_once(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")

    phone = await stage.begins_work("eva", "phone")
    await stage.settles()
    first = shown([one for one in await phone.swallows() if one.name == "message"])
    await phone.sends("<presence><show>away</show></presence>")
    await stage.settles()
    again = shown([one for one in await phone.swallows() if one.name == "message"])

    assert [text for _, text in first] == ["one", "ana: two", "three"]
    assert again == []


@pytest.mark.settings(later_devices=False)
async def test_or_not_at_all(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")

    phone = await stage.begins_work("eva", "phone")
    await stage.settles()

    assert shown([one for one in await phone.swallows() if one.name == "message"]) == []


async def test_a_guest_sees_it_too(stage: DeskStage, luis: Actor, client: str) -> None:
    ana = await stage.comes_online("ana")
    await takes(stage, ana, luis, "four")
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await stage.settles()

    assert [text for _, text in shown(await eva.swallows())] == ["one", "ana: two", "three", "four"]


async def test_whoever_a_client_is_transferred_to_sees_it_message_by_message(
    stage: DeskStage, luis: Actor
) -> None:
    ana = await stage.comes_online("ana")
    client = await attends(stage, ana, luis, "one")
    await says(ana, client, "two")
    eva = await stage.comes_online("eva")
    await says(ana, client, "!transfer eva please")
    await stage.settles()
    await accepts(stage, eva)

    texts = [text for _, text in shown(await eva.swallows())]
    assert texts == ["one", "ana: two"]


async def test_what_the_client_said_on_another_channel_is_in_it(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.comes_online("ana")
    known = await stage.server.store.desk.find_or_add("xmpp:luis@localhost")
    old = await stage.server.store.desk.find_or_add("xmpp:luis@elsewhere.example")
    was = f"{old.key}@xmpp.localhost"
    await stage.server.store.archive.write(
        [
            ArchiveRow(1, was, "eva@localhost", "", _stanza(f"{was}/xmpp", "eva@localhost", "before")),
            ArchiveRow(2, was, "eva@localhost", "", _stanza("eva@localhost/x", was, "yes")),
        ]
    )
    await stage.server.store.desk.merge(old.key, into=known.key)
    assert isinstance(known, Client)

    received = await takes(stage, ana, luis, "now")
    here = f"{known.key}@xmpp.localhost"
    page, _ = await query(ana, here)

    assert [text for _, text in shown(received)] == ["before", "eva: yes", "now"]
    assert [(by, text) for _, by, text in page] == [
        (here, "before"), ("ana@localhost", "eva: yes"), (here, "now")
    ]  # fmt: skip


def _stanza(sender: str, to: str, text: str) -> bytes:
    return f"<message from='{sender}' to='{to}' type='chat'><body>{text}</body></message>".encode()


@pytest.mark.settings(history_by_from=False)
async def test_switched_off_nothing_is_shown_but_what_waited(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")

    assert [text for _, text in shown(await takes(stage, eva, luis, "four"))] == ["four"]
    page, answer = await query(eva, client)
    assert ([text for *_, text in page], answer.get("type")) == (["four"], "result")


@pytest.mark.settings(off=True)
async def test_without_the_plugin_the_server_works(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")

    assert [text for _, text in shown(await takes(stage, eva, luis, "four"))] == ["four"]


# Whoever reads on


async def test_an_agent_pages_through_all_of_it_both_ways(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")
    await says(eva, client, "five")

    whole, _ = await query(eva, client)
    first, _ = await query(eva, client, "<max>2</max>")
    second, _ = await query(eva, client, f"<max>2</max><after>{first[-1][0]}</after>")
    last, answer = await query(eva, client, "<max>3</max><before/>")
    before, end = await query(eva, client, f"<max>3</max><before>{last[0][0]}</before>")

    assert [(by, text) for _, by, text in whole] == [
        (client, "one"),
        ("eva@localhost", "ana: two"),
        (client, "three"),
        (client, "four"),
        ("eva@localhost", "five"),
    ]
    assert first + second == whole[:4]
    assert last == whole[2:]
    assert answer.all("fin", MAM)[0].get("complete") == ""
    assert before == whole[:2]
    assert end.all("fin", MAM)[0].get("complete") == "true"


async def test_what_waited_is_in_it_once(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.comes_online("ana")
    await says(luis, QUEUE, "one")
    await says(luis, QUEUE, "two", id="l2")
    await accepts(stage, ana)
    client = next(
        one.get("from").partition("/")[0] for one in await ana.swallows() if "@xmpp" in one.get("from")
    )

    page, _ = await query(ana, client)
    own, _ = await query(ana, None)

    assert [text for *_, text in page] == ["one", "two"]
    assert page == [one for one in own if one[1] == client]


async def test_what_a_guest_was_given_is_in_it_once(stage: DeskStage, luis: Actor) -> None:
    ana = await stage.comes_online("ana")
    client = await attends(stage, ana, luis, "one")
    eva = await stage.comes_online("eva")
    await says(ana, client, "!invite eva")
    await says(luis, QUEUE, "two", id="l2")
    await stage.settles()

    assert [text for *_, text in (await query(eva, client))[0]] == ["one", "two"]


@pytest.mark.parametrize("asker", ["eva", "luis", "stranger"])
async def test_nobody_else_may_and_nobody_learns_who_is_a_client(
    stage: DeskStage, luis: Actor, client: str, asker: str
) -> None:
    somebody = luis if asker == "luis" else await stage.comes_online(asker)

    _, known = await query(somebody, client)
    _, unknown = await query(somebody, "abcdefghijkl@xmpp.localhost")

    assert condition(known) == "forbidden"
    assert known.child("error", "jabber:client") == unknown.child("error", "jabber:client")


async def test_access_ends_with_the_conversation(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")
    assert (await query(eva, client))[0]

    await says(eva, client, "!close")
    await stage.passes(100)
    await eva.swallows()

    page, answer = await query(eva, client)
    assert (page, condition(answer)) == ([], "forbidden")
    assert [text for *_, text in (await query(eva, None))[0]] == ["!accept 2", "four", "!close"]


@pytest.mark.settings(access_outlives_conversation=True)
async def test_or_never(stage: DeskStage, luis: Actor, client: str) -> None:
    ana, eva = await stage.comes_online("ana"), await stage.comes_online("eva")

    assert [text for *_, text in (await query(ana, client))[0]] == [
        "one",
        "two",
        "three",
        "!note not for luis",
        "!close",
    ]
    assert condition((await query(eva, client))[1]) == "forbidden"


async def test_a_client_that_knows_one_of_these_ids_can_read_its_own_archive_from_there(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")
    page, _ = await query(eva, client)

    own, answer = await query(eva, None, f"<after>{page[2][0]}</after>")

    assert answer.get("type") == "result"
    assert [text for *_, text in own] == ["!accept 2", "four"]


# Words


async def test_words_are_found_in_all_of_it(stage: DeskStage, luis: Actor, client: str) -> None:
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four two")

    field = "<field var='{urn:xmpp:fulltext:0}fulltext'><value>TWO</value></field>"
    with_client, _ = await query(eva, client, fields=field)
    own, _ = await query(eva, None, fields=field)

    assert [text for *_, text in with_client] == ["ana: two", "four two"]
    assert [text for *_, text in own] == ["four two"]


async def test_the_history_command_tells_the_time_of_the_queue(
    stage: DeskStage, luis: Actor, client: str
) -> None:
    await stage.sets(DESK + 'timezone = "Asia/Kathmandu"\n')
    eva = await stage.comes_online("eva")
    await takes(stage, eva, luis, "four")

    await says(eva, client, "!history 2")

    lines = next(text for text in bodies(await eva.swallows()) if "three" in text).splitlines()
    assert [line.partition("] ")[2] for line in lines] == ["luis@localhost: three", "luis@localhost: four"]
    assert all(line.partition("]")[0].endswith(" +0545") for line in lines)
