"""What can't get there comes back to whoever said it, bound to the very message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imserver.desk import keeper
from imserver.storage.archive import ArchiveRow
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, button, offer_in, says

QUEUE = "support@desk.localhost"
BLOCK = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{}'/></block></iq>"


def failures(received: list[Element]) -> list[tuple[str, str, str]]:
    """List the errors: from whom, about which message, and why."""
    return [
        (one.get("from"), one.get("id"), error.elements()[0].name)
        for one in received
        if one.get("type") == "error" and (error := one.child("error", "jabber:client")) is not None
    ]


# From the agent to the client


async def test_a_client_who_blocks_the_queue(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await luis.asks(BLOCK.format(QUEUE))

    await says(ana, client, "are you angry?", id="a1")

    assert failures(await ana.swallows()) == [(f"{client}/xmpp", "a1", "service-unavailable")]


async def test_a_client_whose_account_is_gone(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await luis.vanishes()
    await stage.settles()
    await stage.server.store.accounts.remove("luis@localhost")
    told = stage.server.hooks.account_removed.announce(server=stage.server, account="luis@localhost")
    assert told is None

    await says(ana, client, "hello?", id="a1")

    assert failures(await ana.swallows()) == [(f"{client}/xmpp", "a1", "service-unavailable")]


async def test_a_client_who_is_offline_gets_it_later(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await luis.vanishes()
    await stage.settles()

    await says(ana, client, "we have found it", id="a1")

    assert not failures(await ana.swallows())
    luis = await stage.enters("luis")
    await luis.sends("<presence/>")
    assert bodies(await luis.swallows()) == ["we have found it"]


async def test_a_client_whose_program_refuses_it(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "hello", id="a1")
    await luis.swallows()
    await luis.sends(
        f"<message to='{QUEUE}' type='error' id='a1'><error type='wait'>"
        "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )

    assert failures(await ana.swallows()) == [(f"{client}/xmpp", "a1", "resource-constraint")]


async def test_every_device_where_it_looks_sent_is_told(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    phone, tablet = await stage.comes_online("ana", "phone"), await stage.comes_online("ana", "tablet")
    await phone.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    client = await attends(stage, ana, luis)
    await luis.asks(BLOCK.format(QUEUE))

    await says(ana, client, "hello?", id="a1")

    for device in (ana, phone):
        assert [id for _, id, _ in failures(await device.swallows())] == ["a1"]
    assert not failures(await tablet.swallows())


async def test_what_the_desk_itself_said_is_no_agents_failure(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await luis.asks(BLOCK.format(QUEUE))

    await says(ana, client, "!close")
    await stage.settles()

    assert not failures(await ana.swallows())


async def test_after_the_end_nothing_looks_sent(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await stage.sets('[queues.support]\nmembers = ["ana@localhost"]\nwrap_up_seconds = 60')
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await stage.settles()
    await ana.swallows()
    await luis.swallows()

    await says(ana, client, "one more thing", id="a1")

    assert failures(await ana.swallows()) == [(client, "a1", "not-allowed")]
    await luis.receives_nothing()


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("<encrypted xmlns='eu.siacs.conversations.axolotl'/><body>see OMEMO</body>", "not-acceptable"),
        ("<x xmlns='jabber:x:conference' jid='room@rooms.localhost'/>", "not-acceptable"),
    ],
)
async def test_what_clients_can_not_be_sent(
    stage: DeskStage, ana: Actor, luis: Actor, payload: str, why: str
) -> None:
    client = await attends(stage, ana, luis)
    await ana.sends(f"<message to='{client}' type='chat' id='a1'>{payload}</message>")

    assert failures(await ana.swallows()) == [(client, "a1", why)]
    await luis.receives_nothing()


async def test_a_chat_state_for_nobody_is_not_worth_an_error(stage: DeskStage, ana: Actor) -> None:
    await ana.sends(
        "<message to='nobody@xmpp.localhost' type='chat' id='a1'>"
        "<gone xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    await ana.receives_nothing()

    await says(ana, "nobody@xmpp.localhost", "hello", id="a2")
    assert failures(await ana.swallows()) == [("nobody@xmpp.localhost", "a2", "not-allowed")]


# From the client to the agent


async def test_what_is_encrypted_comes_back_to_the_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await luis.sends(
        f"<message to='{QUEUE}' type='chat' id='l1'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>"
    )

    assert failures(await luis.swallows()) == [(QUEUE, "l1", "not-acceptable")]
    await ana.receives_nothing()


async def test_an_agent_who_blocks_the_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await ana.asks(BLOCK.format(client))
    await ana.swallows()

    await says(luis, QUEUE, "hello?", id="l1")

    assert failures(await luis.swallows()) == [(QUEUE, "l1", "service-unavailable")]
    await ana.receives_nothing()


# The disk is full

Full = Callable[[ArchiveRow], bool]


def fill_up(stage: DeskStage, monkeypatch: pytest.MonkeyPatch, is_full: Full, *, times: int = 100) -> None:
    """Let the database refuse some messages, so many times."""
    archive, left = stage.server.store.archive, [times]
    write = archive.write

    async def refuse(rows: Sequence[ArchiveRow], waiting: Any = (), **more: Any) -> None:
        if left[0] and any(map(is_full, rows)):
            left[0] -= 1
            raise OSError("database or disk is full")
        await write(rows, waiting, **more)

    monkeypatch.setattr(archive, "write", refuse)
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.01)


@pytest.fixture
async def full(stage: DeskStage, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fill(is_full: Full, **more: Any) -> None:
        fill_up(stage, monkeypatch, is_full, **more)

    yield fill
    told = [entry for entry in stage.log.entries if entry["log_level"] == "error"]
    assert told, "nobody was told that the disk is full"
    for entry in told:
        stage.log.entries.remove(entry)


async def test_a_client_who_waits_is_told_that_it_is_not_kept(
    stage: DeskStage, full: Any, ana: Actor, luis: Actor
) -> None:
    phone = await stage.comes_online("luis", "phone")
    await says(luis, QUEUE, "one", id="l1")
    await luis.swallows()
    full(lambda row: row.owner.endswith("@xmpp.localhost"))

    await says(luis, QUEUE, "two", id="l2")

    assert failures(await luis.swallows()) == [(QUEUE, "l2", "resource-constraint")]
    assert not failures(await phone.swallows())
    await says(ana, QUEUE, button(offer_in(await ana.swallows()), "Accept"))
    await stage.settles()
    heard = bodies(await ana.swallows())
    assert "one" in heard
    assert "two" not in heard


async def test_a_client_who_is_attended_is_told_that_it_is_not_kept(
    stage: DeskStage, full: Any, ana: Actor, luis: Actor
) -> None:
    await attends(stage, ana, luis)
    full(lambda row: row.peer.endswith("@xmpp.localhost"))

    await says(luis, QUEUE, "two", id="l2")

    assert failures(await luis.swallows()) == [(QUEUE, "l2", "resource-constraint")]
    assert not bodies(await ana.swallows())


async def test_an_agent_is_told_that_the_clients_server_could_not_keep_it(
    stage: DeskStage, full: Any, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    full(lambda row: row.owner == "luis@localhost")

    await says(ana, client, "hello", id="a1")

    assert failures(await ana.swallows()) == [(client, "a1", "resource-constraint")]
    await luis.receives_nothing()


async def test_what_waited_is_handed_over_when_there_is_room_again(
    stage: DeskStage, full: Any, ana: Actor, luis: Actor
) -> None:
    await says(luis, QUEUE, "one", id="l1")
    await says(luis, QUEUE, "two", id="l2")
    offer = offer_in(await ana.swallows())
    full(lambda row: row.owner == "ana@localhost" and b"one" in row.stanza, times=2)

    await says(ana, QUEUE, button(offer, "Accept"))
    await stage.settles()

    said = [
        one for one in await ana.swallows() if one.get("from").endswith("/xmpp") and one.name == "message"
    ]
    assert bodies(said)[-2:] == ["one", "two"]


async def test_a_server_that_stops_promises_nothing_that_it_could_not_store(
    stage: DeskStage, monkeypatch: pytest.MonkeyPatch, ana: Actor, luis: Actor
) -> None:
    async def refuse(*rows: Any) -> None:
        raise OSError("database or disk is full")

    monkeypatch.setattr(stage.server.store.desk, "save", refuse)
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.01)
    await luis.sends(f"<message to='{QUEUE}' type='chat' id='l1'><body>hello</body></message>")
    while not stage.log.entries:
        await asyncio.sleep(0.01)

    await stage.desk.stop()

    await luis.receives(
        f"<message type='error' id='l1' from='{QUEUE}' to='{luis.jid}'>…<error type='wait'>…</error></message>"
    )
    monkeypatch.undo()
    await stage.desk.stop()
    assert not bodies(await ana.swallows())
    conversations, _ = await stage.server.store.desk.load(0.0)
    assert [one.state for one in conversations] == ["offered"]
    stage.log.entries.clear()


async def test_nobody_is_asked_or_answered_before_it_is_on_disk(
    stage: DeskStage, monkeypatch: pytest.MonkeyPatch, ana: Actor, luis: Actor
) -> None:
    store, is_writable = stage.server.store.desk, asyncio.Event()
    save = store.save

    async def save_slowly(*rows: Any) -> None:
        await is_writable.wait()
        await save(*rows)

    monkeypatch.setattr(store, "save", save_slowly)
    await luis.sends(f"<message to='{QUEUE}' type='chat' id='l1'><body>hello</body></message>")
    while not stage.desk.floor.conversations:
        await asyncio.sleep(0.01)
    await ana.sends("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")

    await ana.receives(
        "<iq type='result' id='p' from='localhost' to='ana@localhost/stage'/>"
    )  # and no offer before
    is_writable.set()

    offer_in(await ana.swallows())
    assert "Welcome to Support." in bodies(await luis.swallows())
