"""Names instead of numbers: what agents see of clients, and clients of agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from imserver.desk.channel import Channel
from imserver.desk.names import Name
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import (
    SUPPORT,
    DeskStage,
    accepts,
    attends,
    bodies,
    heard,
    items_in,
    on_stage,
    opens_roster,
    says,
)

QUEUE = "support@desk.localhost"
T = TypeVar("T")
NICK = "http://jabber.org/protocol/nick"
CLAIMED = "“Luis Pérez” (luis@localhost)"
LOOKUP = """
import asyncio
from imserver import hookimpl

@hookimpl
async def find_display_name(server, client):
    await server.features["crm"].wait()
    names = server.features["names"]
    if isinstance(names, Exception):
        raise names
    return names.get(client.number)
"""


def server(
    folder: Path, *, enabled: bool = True, lookup: bool = False, **settings: Any
) -> AbstractAsyncContextManager[DeskStage]:
    """A server with the plugin, and perhaps with one that looks names up."""
    file = folder / "desk.toml"
    if not file.exists():
        file.write_text(SUPPORT)
    plugins: dict[str, Any] = {"enabled": ["display_name"], "display_name": settings} if enabled else {}
    if lookup:
        (folder / "crm.py").write_text(LOOKUP)
        plugins["paths"] = [str(folder / "crm.py")]
    return on_stage(folder, file, {"plugins": plugins})


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DeskStage]:
    """A server with the plugin; `@pytest.mark.settings(key=value)` changes its settings."""
    settings: dict[str, Any] = {}
    for mark in request.node.iter_markers("settings"):
        settings |= mark.kwargs
    async with server(tmp_path, **settings) as one:
        yield one


@pytest.fixture
async def ana(stage: DeskStage) -> Actor:
    """An agent, ready."""
    return await stage.comes_online("ana")


@pytest.fixture
async def luis(stage: DeskStage) -> Actor:
    """A client."""
    return await stage.comes_online("luis")


async def calls(actor: Actor, name: str, text: str = "hello") -> None:
    """Write to the queue, with a nickname, as clients do who are no contact yet."""
    await actor.sends(
        f"<message to='{QUEUE}' type='chat'><body>{text}</body><nick xmlns='{NICK}'>{name}</nick></message>"
    )
    await actor.asks("<iq type='get' id='said' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")


def nicks(received: list[Element]) -> list[tuple[str, str]]:
    """List the nicknames on messages and presence."""
    found = [(one.name, one.child("nick", NICK)) for one in received]
    return [(kind, nick.text) for kind, nick in found if nick is not None]


async def hears(actor: Actor, find: Callable[[list[Element]], list[T]]) -> list[T]:
    """Listen until something of a kind comes, and wait for nothing else."""
    while not (found := find([await actor.hears()])):
        pass
    return found


async def card(agent: Actor, client: str) -> tuple[str, str]:
    """Read the name on both kinds of cards."""
    old = await agent.asks(f"<iq type='get' id='v3' to='{client}'><vCard xmlns='vcard-temp'/></iq>")
    new = await agent.asks(
        f"<iq type='get' id='v4' to='{client}'><vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/></iq>"
    )
    (fn,) = [one for one in old.elements()[0].elements() if one.name == "FN"]
    (fn4,) = [one for one in new.elements()[0].elements() if one.name == "fn"]
    return fn.text, fn4.elements()[0].text


async def who(stage: DeskStage, agent: Actor, client: str) -> list[str]:
    """Ask for the names on the client's card."""
    await says(agent, client, "!who")
    await stage.settles()
    (answer,) = bodies(await agent.swallows())
    return [line for line in answer.splitlines() if line.startswith(("Name:", "Called:"))]


async def test_a_claimed_name_is_shown_as_one_wherever_an_agent_sees_the_client(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await opens_roster(ana)
    await calls(luis, "Luis Pérez")
    await says(ana, QUEUE, "!queue")
    offered = await ana.swallows()
    assert any(text.startswith(f"{CLAIMED} has waited") for text in bodies(offered))
    assert any(text.startswith(f"1. {CLAIMED}, Support") for text in bodies(offered))

    await says(ana, QUEUE, "!accept")
    await stage.settles()
    received = await ana.swallows()

    (item,) = items_in(received)
    client = item.get("jid")
    assert item.get("name") == CLAIMED
    assert set(nicks(received)) == {("presence", CLAIMED), ("message", CLAIMED)}
    assert f"You attend {CLAIMED} now (Support)." in bodies(received)
    assert await card(ana, client) == (CLAIMED, CLAIMED)
    assert await who(stage, ana, client) == [
        f"Name: {CLAIMED}",
        "Called: Luis Pérez (their client, not verified)",
    ]
    await says(ana, client, "!history")
    assert heard(await ana.swallows())[0].endswith(f"] {CLAIMED}: hello")


async def test_a_change_reaches_the_open_conversation_and_outlives_a_restart(tmp_path: Path) -> None:
    async with server(tmp_path) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        client = await attends(stage, ana, luis)
        await opens_roster(ana)

        await calls(luis, "Luis Pérez", "it is me")
        await stage.settles()

        received = await ana.swallows()
        assert items_in(received)[0].attributes == {"jid": client, "name": CLAIMED, "subscription": "both"}
        assert sorted(set(nicks(received))) == [("message", CLAIMED), ("presence", CLAIMED)]
    async with server(tmp_path) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await stage.settles()
        await ana.swallows()

        await says(luis, QUEUE, "still me")
        await stage.settles()

        assert nicks(await ana.swallows()) == [("message", CLAIMED)]
        roster = await ana.asks("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
        assert f"name='{CLAIMED}'" in str(roster)


@pytest.mark.parametrize(
    "posed",
    ["Support", "ana", "Ѕupport", "&#x202e;troppuS", "Admin", "eva@localhost", "+34 600 000 000", "&#x3164;"],
)
async def test_nobody_poses_as_somebody_else(stage: DeskStage, ana: Actor, luis: Actor, posed: str) -> None:
    await calls(luis, posed)
    await stage.settles()

    assert bodies(await ana.swallows())[0].startswith(
        ("luis@localhost has waited", "“troppuS” (luis@localhost)")
    )


@pytest.mark.settings(claimed="")
async def test_claimed_names_may_not_be_wanted_at_all(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await calls(luis, "Luis Pérez")
    await stage.settles()

    assert bodies(await ana.swallows())[0].startswith("luis@localhost has waited")


@pytest.mark.settings(send_display_name_in_from_header=False)
async def test_where_numbers_are_wanted_a_name_is_on_the_card_only(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await calls(luis, "Luis Pérez")
    await accepts(stage, ana)
    received = await ana.swallows()
    assert {name for _, name in nicks(received)} == {"luis@localhost"}
    client = next(one.get("from") for one in received if "@xmpp." in one.get("from")).partition("/")[0]

    assert await who(stage, ana, client) == [
        "Name: luis@localhost",
        "Called: Luis Pérez (their client, not verified)",
    ]


async def test_without_the_plugin_agents_see_the_number(tmp_path: Path) -> None:
    async with server(tmp_path, enabled=False) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await calls(luis, "Luis Pérez")
        await accepts(stage, ana)
        received = await ana.swallows()

        assert {name for _, name in nicks(received)} == {"luis@localhost"}
        client = next(one.get("from") for one in received if "@xmpp." in one.get("from")).partition("/")[0]
        await luis.swallows()
        await says(ana, client, "!name Luis")
        await says(ana, client, "good morning")
        assert nicks(await luis.swallows()) == []
        assert "Only numbers are shown here" in bodies(await ana.swallows())[0]


# Names that others vouch for


async def test_what_the_channel_knows_wins_over_what_the_client_claims(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = JID.parse(await attends(stage, ana, luis))
    channel = stage.server.router.components["xmpp.localhost"]
    assert isinstance(channel, Channel)
    known = await stage.desk.clients.find(client)
    assert known is not None

    channel.introduce(known, Name("Luis Alberto", "profile", is_verified=True))
    await calls(luis, "Luis the Great")
    await stage.settles()

    assert {name for _, name in nicks(await ana.swallows())} == {"Luis Alberto"}
    assert await who(stage, ana, client) == [
        "Name: Luis Alberto",
        "Called: Luis Alberto (the channel, verified)",
        "Called: Luis the Great (their client, not verified)",
    ]


async def test_an_agent_names_a_client(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await opens_roster(ana)

    await says(ana, client, "!name Luis from the bakery")
    await stage.settles()

    received = await ana.swallows()
    assert items_in(received)[0].get("name") == "Luis from the bakery"
    assert "This client is shown as Luis from the bakery now." in bodies(received)
    await says(ana, client, "!name")
    await stage.settles()
    assert items_in(await ana.swallows())[0].get("name") == "luis@localhost"


async def test_names_stand_in_a_file_that_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("alias,name\nxmpp:luis@localhost,Luis Pérez\nnonsense\n")
    async with server(tmp_path, names=str(file)) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        broken = [one for one in stage.log.entries if one["event"] == "a line of the file of names is broken"]
        assert [(one["line"], one["log_level"]) for one in broken] == [(3, "warning")]
        client = await attends(stage, ana, luis)
        await opens_roster(ana)
        assert (await card(ana, client))[0] == "Luis Pérez"

        file.write_text("luis@localhost,Luis Alberto Pérez\n")
        async with asyncio.timeout(20):
            while not (changed := items_in(await ana.swallows())):
                await asyncio.sleep(0.05)

        assert changed[0].get("name") == "Luis Alberto Pérez"
        assert await who(stage, ana, client) == [
            "Name: Luis Alberto Pérez",
            "Called: Luis Alberto Pérez (the file, verified)",
        ]


async def test_a_lookup_delays_nobody_and_its_answer_follows(tmp_path: Path) -> None:
    async with server(tmp_path, lookup=True) as stage:
        crm = stage.server.features["crm"] = asyncio.Event()
        stage.server.features["names"] = {"luis@localhost": "Luis (gold customer)"}
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await opens_roster(ana)
        await says(luis, QUEUE, "hello")
        offer = await hears(ana, bodies)
        assert offer[0].startswith("luis@localhost has waited")
        await says(ana, QUEUE, "!accept")
        assert (await hears(ana, items_in))[0].get("name") == "luis@localhost"

        crm.set()
        await stage.settles()

        received = await ana.swallows()
        assert items_in(received)[0].get("name") == "Luis (gold customer)"
        assert ("presence", "Luis (gold customer)") in nicks(received)


async def test_a_lookup_that_fails_is_named_and_the_next_best_name_is_shown(tmp_path: Path) -> None:
    async with server(tmp_path, lookup=True) as stage:
        stage.server.features["crm"] = crm = asyncio.Event()
        crm.set()
        stage.server.features["names"] = RuntimeError("the CRM is down")
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await calls(luis, "Luis Pérez")
        await stage.settles()

        await accepts(stage, ana)

        assert ("message", CLAIMED) in nicks(await ana.swallows())
        failed = [one for one in stage.log.entries if one["event"] == "plugin failed"]
        assert {(one["plugin"], one["hook"]) for one in failed} == {("crm", "find_display_name")}
        stage.log.entries.clear()


# What clients see


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({}, "Support"),
        ({"agent_name": "alias", "aliases": {"ana@localhost": "Ana from Support"}}, "Ana from Support"),
        ({"agent_name": "alias"}, "Support"),
        ({"agent_name": "real"}, "Ana García"),
        ({"agent_name": "none"}, None),
        ({"agent_name": "queue", "send_display_name_in_from_header": False}, "Support"),
    ],
)
async def test_a_client_sees_a_name_and_never_the_agents_address(
    tmp_path: Path, settings: dict[str, Any], seen: str | None
) -> None:
    async with server(tmp_path, **settings) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        await ana.asks("<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Ana García</FN></vCard></iq>")
        client = await attends(stage, ana, luis)
        await stage.settles()

        await says(ana, client, "how can I help?")
        await ana.sends(
            f"<message to='{client}' type='chat'><body>?</body><nick xmlns='{NICK}'>ana@localhost</nick></message>"
        )
        await ana.swallows()

        received = await luis.swallows()
        assert bodies(received) == ["how can I help?", "?"]
        assert nicks(received) == ([("message", seen)] * 2 if seen else [])
        assert "ana@localhost" not in "".join(map(str, received))
