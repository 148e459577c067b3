"""The server dies at any moment, and goes on where everybody thinks it was: at every step that a conversation takes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imserver.desk import conversation as conversation_module
from imserver.desk.conversation import STEPS, Conversation, State
from imserver.xmpp.parser import parse
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, button, offer_in, on_stage, says

QUEUE = "support@desk.localhost"
DESK = """
[queues.support]
members = ["ana@localhost", "eva@localhost"]
offer_seconds = 30
ask_again_seconds = 30
lost_agent_grace_seconds = 60
wrap_up_seconds = 30
reopen_seconds = 900
overflow_queue = "second"
overflow_after_seconds = 600
{support}

[queues.second]
members = ["zoe@localhost"]
"""


@dataclass
class Moment:
    """The disk as it was when the server died, and what everybody had been told by then."""

    folder: Path
    time: float
    #: What the client was told to be on record, and what was on its way there.
    acknowledged: tuple[str, ...]
    underway: str


@dataclass
class Story:
    """Takes the disk's picture whenever the desk is stored: before, after, and after what comes of it."""

    stage: DeskStage
    folder: Path
    #: The step that it is about: there is no need to die before.
    step: tuple[State, str]
    is_there: bool = False
    moments: list[Moment] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    underway: str = ""

    def dies_here(self) -> None:
        if not self.is_there:
            return
        copy = self.folder / f"moment{len(self.moments)}"
        shutil.copytree(
            self.stage.file.parent, copy, ignore=shutil.ignore_patterns("imserver.db*", "moments")
        )
        database = "imserver.db"
        with (
            sqlite3.connect(self.stage.file.parent / database) as now,
            sqlite3.connect(copy / database) as then,
        ):
            now.backup(then)
        self.moments.append(Moment(copy, self.stage.time, tuple(self.said), self.underway))

    async def client_says(self, luis: Actor, text: str) -> None:
        self.underway = text
        await says(luis, QUEUE, text, id=text)
        self.said.append(text)
        self.underway = ""
        self.dies_here()


@asynccontextmanager
async def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[State, str]
) -> AsyncIterator[Story]:
    """Begin a story at a server that will die."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "desk.toml").write_text(DESK.format(support='accept = "assign"' if step[1] == "assign" else ""))
    async with on_stage(data, data / "desk.toml") as stage:
        story = Story(stage, tmp_path, step)
        _watch(story, monkeypatch)
        yield story
        await stage.settles()
        story.dies_here()
        monkeypatch.undo()


def _watch(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    store, step = story.stage.server.store.desk, conversation_module.step
    save = store.save

    async def save_and_die(*rows: Any) -> None:
        story.dies_here()
        await save(*rows)
        story.dies_here()

    def take(conversation: Conversation, name: str) -> None:
        story.is_there |= (conversation.state, name) == story.step
        step(conversation, name)

    monkeypatch.setattr(store, "save", save_and_die)
    for module in ("assignment", "asking", "parting", "waiting", "succession"):
        monkeypatch.setattr(f"imserver.desk.{module}.step", take, raising=False)


# How each step comes about


async def waits(story: Story) -> Actor:
    """A client writes, and nobody is there."""
    luis = await story.stage.comes_online("luis")
    await story.client_says(luis, "one")
    await story.client_says(luis, "two")
    return luis


async def is_offered(story: Story) -> tuple[Actor, Actor]:
    luis = await waits(story)
    ana = await story.stage.begins_work("ana")
    await story.stage.settles()
    return luis, ana


async def is_attended(story: Story) -> tuple[Actor, Actor, str]:
    luis, ana = await is_offered(story)
    await accepts(story.stage, ana)
    await story.client_says(luis, "three")
    heard = [one for one in await ana.swallows() if "@xmpp" in one.get("from")]
    return luis, ana, heard[0].get("from").partition("/")[0]


async def offer(story: Story) -> None:
    await is_offered(story)


async def accept(story: Story) -> None:
    _, ana, client = await is_attended(story)
    await says(ana, client, "answer")


async def withdraw(story: Story) -> None:
    await is_offered(story)
    await story.stage.passes(31)


async def assign(story: Story) -> None:
    luis = await waits(story)
    await story.stage.comes_online("ana")
    await story.client_says(luis, "three")


async def take_from_the_queue(story: Story) -> None:
    luis, ana = await is_offered(story)
    await says(ana, QUEUE, button(offer_in(await ana.swallows()), "Decline"))
    await says(ana, QUEUE, "!accept")
    await story.client_says(luis, "three")


async def move(story: Story) -> None:
    luis = await waits(story)
    await story.stage.passes(601)
    await story.client_says(luis, "three")


async def give_up_waiting(story: Story) -> None:
    await waits(story)
    desk = story.stage.desk
    desk.stage(desk.floor.client_left(desk.floor.conversations[1], desk.now()))
    await story.stage.settles()


async def give_up_while_offered(story: Story) -> None:
    await is_offered(story)
    desk = story.stage.desk
    desk.stage(desk.floor.client_left(desk.floor.conversations[1], desk.now()))
    await story.stage.settles()


async def lose_the_agent(story: Story) -> None:
    luis, ana, _ = await is_attended(story)
    await ana.vanishes()
    await story.stage.settles()
    await story.client_says(luis, "four")
    await story.stage.passes(61)
    await story.client_says(luis, "five")


async def transfer(story: Story) -> None:
    luis, ana, client = await is_attended(story)
    eva = await story.stage.begins_work("eva")
    await says(ana, client, "!transfer eva she knows")
    await story.client_says(luis, "four")
    await accepts(story.stage, eva)
    await story.client_says(luis, "five")


async def hand_over_to_a_guest(story: Story) -> None:
    luis, ana, client = await is_attended(story)
    eva = await story.stage.begins_work("eva")
    await says(ana, client, "!invite eva")
    await eva.swallows()
    await says(ana, client, "!transfer eva")
    await story.client_says(luis, "four")


async def close(story: Story) -> None:
    _, ana, client = await is_attended(story)
    await says(ana, client, "!close")


async def come_back_at_once(story: Story) -> None:
    luis, ana, client = await is_attended(story)
    await says(ana, client, "!close")
    await story.client_says(luis, "four")


async def write_it_up(story: Story) -> None:
    _, ana, client = await is_attended(story)
    await says(ana, client, "!close")
    await story.stage.passes(31)


async def come_back(story: Story) -> None:
    luis, ana, client = await is_attended(story)
    await says(ana, client, "!close")
    await story.stage.passes(31)
    await story.client_says(luis, "four")


STORIES: dict[tuple[State, str], Callable[[Story], Awaitable[None]]] = {
    (State.WAITING, "offer"): offer,
    (State.WAITING, "assign"): assign,
    (State.WAITING, "accept"): take_from_the_queue,
    (State.WAITING, "move"): move,
    (State.WAITING, "close"): give_up_waiting,
    (State.OFFERED, "accept"): accept,
    (State.OFFERED, "withdraw"): withdraw,
    (State.OFFERED, "close"): give_up_while_offered,
    (State.ACTIVE, "requeue"): lose_the_agent,
    (State.ACTIVE, "transfer"): transfer,
    (State.ACTIVE, "hand_over"): hand_over_to_a_guest,
    (State.ACTIVE, "close"): close,
    (State.WRAPPING, "reopen"): come_back_at_once,
    (State.WRAPPING, "wrap_up_done"): write_it_up,
    (State.CLOSED, "reopen"): come_back,
}


def test_there_is_a_story_for_every_step() -> None:
    assert STORIES.keys() == STEPS.keys()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step", STORIES, ids=lambda step: f"{step[0]} {step[1]}")
async def test_the_server_dies_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[State, str]
) -> None:
    async with told(tmp_path, monkeypatch, step) as story:
        await STORIES[step](story)

    assert story.moments
    for moment in story.moments:
        await goes_on(moment)


async def goes_on(moment: Moment) -> None:
    """Start another server on what the first one left; everybody comes back, and the client is attended."""
    before = _conversations(moment.folder)
    async with on_stage(moment.folder, moment.folder / "desk.toml") as stage:
        stage.time = moment.time
        for conversation in before:
            _check_it_is_the_same(stage, conversation)
        agents = [await stage.begins_work(name) for name in ("ana", "eva", "zoe")]
        luis = await stage.comes_online("luis")
        await says(luis, QUEUE, "last", id="last")
        await stage.settles()
        await _accept_all(stage, agents)
        await _check_words(stage, [*moment.acknowledged, "last"], moment.underway)


def _conversations(folder: Path) -> list[Conversation]:
    with sqlite3.connect(folder / "imserver.db") as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM desk_conversations").fetchall()
    return [_conversation(row) for row in rows]


def _conversation(row: sqlite3.Row) -> Conversation:
    stored = dict(row) | {
        "client": f"{row['client']}@{row['channel']}",
        "details": json.loads(row["details"]),
    }
    return Conversation.from_row(SimpleNamespace(**stored))


def _check_it_is_the_same(stage: DeskStage, before: Conversation) -> None:
    """The client keeps place and waiting time; an active conversation its agent; an offer is put again."""
    after = stage.desk.floor.conversations[before.id]
    assert after.state is (State.WAITING if before.state is State.OFFERED else before.state)
    for name in ("client", "queue", "entrance", "agent", "guests", "waiting_since", "queued_at", "handed"):
        assert getattr(after, name) == getattr(before, name), name


async def _accept_all(stage: DeskStage, agents: list[Actor]) -> None:
    for _ in range(3):
        for agent in agents:
            received = await agent.swallows()
            if any("quick-response" in str(one) for one in received):
                offered = offer_in(received)
                await says(agent, offered.get("from"), button(offered, "Accept"))
        await stage.settles()
    assert all(one.state is State.ACTIVE for one in stage.desk.floor.conversations.values())


async def _check_words(stage: DeskStage, said: list[str], underway: str) -> None:
    """What the client was told to be kept is in their history, and with one of the agents: once, and in order."""
    client = next(iter(stage.desk.floor.conversations.values())).client
    owners = (client, "ana@localhost", "eva@localhost", "zoe@localhost")
    history, *agents = [
        [word for word in await _words(stage, owner, client) if word != underway] for owner in owners
    ]
    assert history == said
    given = [word for words in agents for word in words]
    has_guests = any(one.guests for one in stage.desk.floor.conversations.values())
    assert sorted(set(given) if has_guests else given) == sorted(said)
    assert all(words == [word for word in said if word in words] for words in agents)


async def _words(stage: DeskStage, owner: str, client: str) -> list[str]:
    page = await stage.server.store.archive.page(owner, limit=1_000)
    trees = [
        parse(b"<message xmlns='jabber:client'" + row.stanza.removeprefix(b"<message")) for row in page.rows
    ]
    return [tree.get("id") for tree in trees if tree.get("from").startswith(client) and tree.child("body")]
