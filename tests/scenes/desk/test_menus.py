"""XEP-0050: the commands in the menus of clients; what is chosen does the same as what is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, heard, on_stage, says

QUEUE = "support@desk.localhost"
NS = "http://jabber.org/protocol/commands"
NODE = "urn:imserver:desk:command:"


async def runs(agent: Actor, to: str, name: str, /, **fields: str) -> str:
    """Choose a command from the menu, fill in its form if it has one, and read the note that comes of it."""
    answer = await agent.asks(_command(to, name))
    command = answer.child("command", NS)
    if command is not None and command.get("status") == "executing":
        filled = "".join(
            f"<field var='{var}'><value>{value}</value></field>" for var, value in fields.items()
        )
        form = f"<x xmlns='jabber:x:data' type='submit'>{filled}</x>"
        answer = await agent.asks(_command(to, name, command.get("sessionid"), form))
        command = answer.child("command", NS)
    assert command is not None, answer
    if answer.get("type") == "error":
        error = answer.child("error", "jabber:client")
        assert error is not None
        return f"refused: {error}"
    note = command.child("note", NS)
    return note.text if note is not None else ""


def _command(to: str, name: str, session: str = "", form: str = "") -> str:
    more = f" sessionid='{session}' action='complete'" if session else ""
    return (
        f"<iq type='set' id='menu-{name}-{session}' to='{to}'>"
        f"<command xmlns='{NS}' node='{NODE}{name}'{more}>{form}</command></iq>"
    )


async def menu(agent: Actor, to: str) -> dict[str, str]:
    """List the commands that somebody sees at an address."""
    items = "http://jabber.org/protocol/disco#items"
    answer = await agent.asks(f"<iq type='get' id='m' to='{to}'><query xmlns='{items}' node='{NS}'/></iq>")
    return {item.get("node").removeprefix(NODE): item.get("name") for item in answer.elements()[0].elements()}


async def test_an_agent_finds_the_commands_at_queues_and_clients(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)

    assert list(await menu(ana, QUEUE)) == [
        "help",
        "accept",
        "decline",
        "templates",
        "ready",
        "pause",
        "queue",
    ]
    assert (await menu(ana, client))["close"] == "Close"


async def test_menus_are_in_the_agents_language(stage: DeskStage) -> None:
    ana = await stage.begins_work("ana", lang="de-AT")
    await ana.swallows()

    assert (await menu(ana, QUEUE))["pause"] == "Pause"
    assert await runs(ana, QUEUE, "queue") == "Niemand wartet."


async def test_others_have_no_menu(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)

    assert await menu(luis, QUEUE) == {}
    assert (await luis.asks(_command(QUEUE, "queue"))).get("type") == "error"
    assert (await luis.asks(_command(client, "who"))).get("type") == "error"
    assert (await luis.asks(_command(client, "close"))).get("type") == "error"


async def test_an_offer_is_accepted_from_the_menu(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await says(luis, QUEUE, "hello")
    await ana.swallows()

    assert await runs(ana, QUEUE, "accept") == "The conversation is yours."

    assert heard(await ana.swallows())[-1] == "hello"


@pytest.mark.desk('wrap_up_codes = ["solved", "call back"]')
async def test_codes_and_colleagues_are_there_to_choose_from(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    await says(eva, QUEUE, "!pause")
    client = await attends(stage, ana, luis)

    async def options(name: str) -> list[str]:
        form = (await ana.asks(_command(client, name))).elements()[0].child("x", "jabber:x:data")
        assert form is not None
        return [value.text for value in _all(form, "value") if value.text != "urn:imserver:desk:command"]

    assert await options("close") == ["solved", "call back"]
    assert await options("transfer") == ["support", "eva@localhost"]
    assert await options("invite") == ["eva@localhost"]


def _all(element: Element, name: str) -> list[Element]:
    found = [one for one in element.elements() if one.name == name]
    return found + [one for child in element.elements() for one in _all(child, name)]


# The same in words and by menu

#: Who gives a command, in whose chat if the client is with them, which, and what with.
Step = tuple[str, str, str, dict[str, str]]

AGENTS, CLIENTS = st.sampled_from(["ana", "eva"]), st.sampled_from(["luis", "tea"])
COLLEAGUES = st.sampled_from(["ana@localhost", "eva@localhost"])


def command(name: str, **fields: st.SearchStrategy[str]) -> st.SearchStrategy[Step]:
    """Make steps of a command."""
    return st.tuples(AGENTS, CLIENTS, st.just(name), st.fixed_dictionaries(fields))


STEPS = st.one_of(
    st.tuples(CLIENTS, st.just(""), st.just("writes"), st.just({})),
    st.tuples(st.sampled_from(["10", "60", "400"]), st.just(""), st.just("passes"), st.just({})),
    command("accept"),
    command("accept", offer=st.sampled_from(["1", "2", "3"])),
    command("decline"),
    command("transfer", to=COLLEAGUES | st.sampled_from(["support", "sales"])),
    command("invite", agent=COLLEAGUES),
    command("note", text=st.sampled_from(["one", "a  b"])),
    command("close"),
    command("close", code=st.sampled_from(["solved", "wrong"])),
    command("ready"),
    command("pause", reason=st.just("for lunch")),
    command("queue"),
)
EVERYTHING: list[Step] = [
    ("luis", "", "writes", {}),
    ("tea", "", "writes", {}),
    ("ana", "luis", "accept", {"offer": "1"}),
    ("eva", "tea", "decline", {}),
    ("ana", "tea", "accept", {"offer": "2"}),
    ("ana", "luis", "note", {"text": "two  words"}),
    ("ana", "luis", "invite", {"agent": "eva@localhost"}),
    ("eva", "luis", "close", {}),
    ("ana", "luis", "transfer", {"to": "sales"}),
    ("eva", "luis", "accept", {}),
    ("eva", "luis", "close", {"code": "wrong"}),
    ("eva", "luis", "close", {"code": "solved"}),
    ("eva", "luis", "pause", {"reason": "for lunch"}),
    ("60", "", "passes", {}),
    ("eva", "luis", "ready", {}),
]
SETTINGS = """
[queues.support]
title = "Support"
members = ["ana@localhost", "eva@localhost"]
agent_capacity = 2
wrap_up_seconds = 60
wrap_up_codes = ["solved"]
[queues.sales]
members = ["eva@localhost"]
"""


@settings(max_examples=8, deadline=None)
@example(EVERYTHING)
@given(st.lists(STEPS, min_size=4, max_size=14))
def test_what_is_typed_and_what_is_chosen_end_in_the_same(steps: list[Step]) -> None:
    said, typed = asyncio.run(plays(steps, types))
    notes, chosen = asyncio.run(plays(steps, chooses))

    assert typed == chosen
    for step, told, note in zip(steps, said, notes, strict=True):
        assert is_the_same(told, note), (step, told, note)


def is_the_same(told: list[str], notes: list[str]) -> bool:
    """Look whether the answer to a command is among what was told; a form refuses before it is sent what is no choice."""
    return all(note.startswith("refused") or note in told for note in notes)


async def plays(steps: list[Step], way: Way) -> Any:
    """Play the steps, all commands by one way; return what was answered, and how everything stands then."""
    answers: list[list[str]] = []
    with TemporaryDirectory() as folder:
        file = Path(folder, "desk.toml")
        file.write_text(SETTINGS)
        async with on_stage(Path(folder), file) as stage:
            stage.time = 1_800_000_000.0
            people = {name: await stage.comes_online(name) for name in ("ana", "eva", "luis", "tea")}
            for who, whose, name, fields in steps:
                match name:
                    case "writes":
                        await says(people[who], QUEUE, "hello")
                        answers.append([])
                    case "passes":
                        await stage.passes(float(who))
                        answers.append([])
                    case _:
                        to = chat(stage, people[who], whose)
                        answers.append(await way(people[who], to, name, fields))
                await stage.settles()
            return answers, await state(stage)


Way = Callable[[Actor, str, str, dict[str, str]], Awaitable[list[str]]]


async def types(agent: Actor, to: str, name: str, fields: dict[str, str]) -> list[str]:
    await agent.swallows()
    await says(agent, to, " ".join([f"!{name}", *fields.values()]))
    return bodies(await agent.swallows())


async def chooses(agent: Actor, to: str, name: str, fields: dict[str, str]) -> list[str]:
    return [await runs(agent, to, name, **fields)]


def chat(stage: DeskStage, agent: Actor, client: str) -> str:
    """Find the chat with a client, if they are with that agent; else it is said to the queue."""
    desk = stage.desk
    there = (one.client for one in desk.floor.of_agent(agent.jid.bare))
    return next(
        (jid for jid in there if desk.clients.name_of(JID.parse(jid)) == f"{client}@localhost"), QUEUE
    )


async def state(stage: DeskStage) -> Any:
    """Write down how everything stands, but for what is random."""
    desk, store = stage.desk, stage.server.store.desk
    rows = []
    for one in desk.floor.conversations.values():
        client = JID.parse(one.client)
        row = one.to_row() | {"client": desk.clients.name_of(client)}
        details = {key: value for key, value in row["details"].items() if key not in ("handed", "begun")}
        notes = [(note.agent, note.text) for note in await store.notes_of(client.local)]
        rows.append(row | {"details": details, "notes": notes})
    return rows, [one.to_row() | {"ready": one.is_ready} for one in desk.floor.agents.values()]
