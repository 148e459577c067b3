"""What a component makes of a message for others: on record together with it, in order, or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenes.actors import Actor, Stage, staged

#: Whatever is written to it is for luis; a text that begins with "later" it has to think about first.
POST = """
import asyncio
from imserver import DROP, JID, Component, Message, StanzaError, hookimpl

LUIS = JID.parse("luis@localhost")

class Post(Component):
    domain = "post.localhost"
    name = "The post"

    def __init__(self, server):
        self.server = server

    def write(self, message):
        written = message.copy()
        written.sender, written.to = JID.parse("office@post.localhost"), LUIS
        return written

    def pass_on(self, message):
        if message.body.startswith("later"):
            return ()
        if message.body.startswith("broken"):
            raise ValueError("a bug")
        return [self.write(message)]

    async def receive(self, server, stanza):
        if isinstance(stanza, Message) and stanza.type != "error":
            await asyncio.sleep(0.05)
            server.router.send(self.write(stanza))

class Plugin:
    @hookimpl
    def register_components(self, server):
        return [Post(server)]

    @hookimpl
    async def refine_message(self, message):
        if message.sender.domain == "post.localhost":
            if "slow" in message.body:
                await asyncio.sleep(0.05)
            if "rude" in message.body:
                return DROP
            if "forbidden" in message.body:
                raise StanzaError("not-acceptable", "not for luis@localhost")
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    file = tmp_path / "post.py"
    file.write_text(POST)
    async with staged(tmp_path, {"plugins": {"paths": [str(file)]}}) as one:
        yield one


async def post(ana: Actor, *texts: str) -> None:
    await ana.sends(
        "".join(
            f"<message to='box@post.localhost' type='chat' id='{number}'><body>{text}</body></message>"
            for number, text in enumerate(texts)
        )
    )


async def heard(luis: Actor, count: int) -> list[str]:
    texts: list[str] = []
    while len(texts) < count:
        message = await luis.receives(
            "<message from='office@post.localhost' to='luis@localhost' type='chat' id='…'>…</message>"
        )
        body = message.child("body", "jabber:client")
        assert body is not None
        texts.append(body.text)
    return texts


async def test_it_goes_straight_on(stage: Stage, ana: Actor, luis: Actor) -> None:
    await post(ana, "one", "two")

    assert await heard(luis, 2) == ["one", "two"]
    await luis.receives_nothing()


async def test_what_is_passed_on_is_on_record_in_the_same_commit(
    stage: Stage, ana: Actor, luis: Actor
) -> None:
    commits = stage.server.counters.commit_rows.buckets
    before = sum(commits)

    await post(ana, "one")

    assert await heard(luis, 1) == ["one"]
    assert sum(commits) == before + 1
    for account in ("ana@localhost", "luis@localhost"):
        page = await stage.server.store.archive.page(account, limit=10)
        assert [b"one" in row.stanza for row in page.rows] == [True]


@pytest.mark.parametrize(
    "texts",
    [
        ("later one", "two", "three"),
        ("one", "later two", "three", "later four", "five"),
        ("one slow", "two", "later three slow", "four"),
        ("broken one", "two"),
    ],
)
async def test_nothing_overtakes_what_has_to_wait(
    stage: Stage, ana: Actor, luis: Actor, texts: tuple[str, ...]
) -> None:
    await post(ana, *texts)

    assert await heard(luis, len(texts)) == list(texts)
    broken = [entry for entry in stage.log.entries if entry["log_level"] == "error"]
    assert len(broken) == sum(text.startswith("broken") for text in texts)
    stage.log.entries.clear()


async def test_what_a_plugin_drops_goes_nowhere(stage: Stage, ana: Actor, luis: Actor) -> None:
    await post(ana, "rude one", "two")

    assert await heard(luis, 1) == ["two"]
    await luis.receives_nothing()


async def test_what_a_plugin_refuses_is_left_to_the_component(stage: Stage, ana: Actor, luis: Actor) -> None:
    await post(ana, "forbidden one", "two")

    # Its own way of sending is not refined: what it knows that the router does not.
    assert await heard(luis, 2) == ["forbidden one", "two"]
