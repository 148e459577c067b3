"""A server with a contact centre: the queue `support`, whose agents are ana and eva; luis and tea are clients."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from imserver.desk.desk import Desk
from imserver.desk.offers import RESPONSES
from imserver.desk.plugin import read_file
from imserver.xmpp.element import Element
from tests.scenes.actors import PATIENCE, Actor, Stage, staged

SUPPORT = """
[queues.support]
title = "Support"
members = ["ana@localhost", "eva@localhost"]
"""


class DeskStage(Stage):
    """A stage with a desk."""

    desk: Desk
    file: Path
    #: What the desk's clock shows, in seconds since 1970: it stands still until the scene moves it.
    time: float

    async def passes(self, seconds: float) -> None:
        """Let time pass at the desk, and everything happen that is due by then, each thing at its time."""
        end = self.time + seconds
        while (due := self.desk.floor.next_deadline()) is not None and due <= end:
            self.time = max(due, self.time)
            self.desk.keeper.tick()
            await self.settles()
        self.time = end
        self.desk.keeper.tick()
        await self.settles()
        self.desk.statuses.show_all()

    async def is_at(self, moment: str) -> None:
        """Let the desk's clock show this moment, as `2026-07-01T12:00+02:00`."""
        self.time = datetime.fromisoformat(moment).timestamp()
        self.desk.keeper.tick()
        await self.settles()

    async def loses(self, actor: Actor) -> None:
        """Somebody's connection breaks, and the server has noticed."""
        await actor.vanishes()
        while any(session.jid == actor.jid for session in self.server.sessions.of(actor.jid.bare)):
            await asyncio.sleep(0.005)
        await self.settles()

    async def begins_work(self, name: str, resource: str = "stage", *, lang: str = "") -> Actor:
        """Somebody comes online; what that brings is left to the scene."""
        agent = await self.enters(name, resource, lang=lang)
        await agent.sends("<presence/>")
        return agent

    async def sets(self, toml: str) -> None:
        """Write desk.toml anew, and have it read."""
        self.file.write_text(toml)
        self.desk.reload(read_file(self.file))
        await self.settles()

    async def settles(self) -> None:
        """Wait until the server and the desk have nothing left to do."""
        for _ in range(3):
            await super().settles()
            await self.desk.kept()
            while self.desk.talk.handing:
                await super().settles()


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DeskStage]:
    """A server of its own for each scene; `@pytest.mark.desk("more settings")` adds to those of the queue."""
    file = tmp_path / "desk.toml"
    more = [mark.args[0] for mark in request.node.iter_markers("desk")]
    whole = [mark.kwargs["whole"] for mark in request.node.iter_markers("desk_file")]
    file.write_text(whole[0] if whole else SUPPORT + "\n".join(more))
    async with on_stage(tmp_path, file) as one:
        yield one


@asynccontextmanager
async def on_stage(
    folder: Path, file: Path, overrides: Mapping[str, Any] = MappingProxyType({})
) -> AsyncIterator[DeskStage]:
    """Put a server with this desk.toml on stage."""
    async with staged(folder, {**overrides, "desk": {"file": str(file)}}) as plain:
        stage = DeskStage(plain.running, plain.log)
        stage.file = file
        stage.desk = desk_of(stage)
        stage.time = float(int(stage.desk.now()))
        stage.desk.now = lambda: stage.time
        yield stage
        await stage.leaves()
        failures = [entry for entry in plain.log.entries if entry["log_level"] == "error"]
        assert not failures, failures


def desk_of(stage: Stage) -> Desk:
    """Find the desk of the server."""
    component = stage.server.router.components["desk.localhost"]
    desk: Desk = component._desk  # type: ignore[attr-defined]
    return desk


def bodies(received: list[Element]) -> list[str]:
    """List what was said, in order."""
    return [
        body.text
        for one in received
        if one.name == "message" and (body := one.child("body", "jabber:client")) is not None
    ]


def offer_in(received: list[Element]) -> Element:
    """Find the offer among what an agent received."""
    found = [
        one for one in received if one.name == "message" and one.child("response", RESPONSES) is not None
    ]
    assert len(found) == 1, f"{len(found)} offers in\n  " + "\n  ".join(map(str, received))
    return found[0]


def button(offer: Element, label: str) -> str:
    """Read what a button of an offer would answer."""
    return next(one.get("value") for one in offer.all("response", RESPONSES) if one.get("label") == label)


@pytest.fixture
async def ana(stage: DeskStage) -> Actor:
    """An agent, ready."""
    return await stage.comes_online("ana")


@pytest.fixture
async def eva(stage: DeskStage) -> Actor:
    """Another agent, ready."""
    return await stage.comes_online("eva")


@pytest.fixture
async def luis(stage: DeskStage) -> Actor:
    """A client with an account here."""
    return await stage.comes_online("luis")


async def says(actor: Actor, to: str, text: str, id: str = "") -> None:
    """Send a chat message with a chat state, as clients do."""
    given = f" id='{id}'" if id else ""
    await actor.sends(
        f"<message to='{to}' type='chat'{given}><body>{text}</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/></message>"
    )
    # Stanzas are served in order: when this is answered, the message was taken.
    mark = f"said-{secrets.token_hex(4)}"
    await actor.asks(f"<iq type='get' id='{mark}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")


async def attends(stage: DeskStage, agent: Actor, client: Actor, words: str = "hello") -> str:
    """Bring a client and an agent together; return the client JID that the agent sees."""
    await says(client, "support@desk.localhost", words)
    await stage.settles()
    offer = offer_in(await agent.swallows())
    await says(agent, "support@desk.localhost", button(offer, "Accept"))
    await stage.settles()
    received = await agent.swallows()
    await client.swallows()
    heard = [one for one in received if one.name == "message" and "@xmpp.localhost" in one.get("from")]
    assert heard, "nothing of a client in\n  " + "\n  ".join(map(str, received))
    return heard[0].get("from").partition("/")[0]


async def accepts(stage: DeskStage, agent: Actor) -> Element:
    """Wait for an offer to an agent, and press its button; return the offer."""
    received = await agent.swallows()
    async with asyncio.timeout(PATIENCE):
        while not any(one.child("response", RESPONSES) is not None for one in received):
            received += await agent.swallows()
    offer = offer_in(received)
    await says(agent, offer.get("from"), button(offer, "Accept"))
    await stage.settles()
    return offer


def heard(received: list[Element]) -> list[str]:
    """List what an agent was told in the chats with clients, in order."""
    return bodies([one for one in received if "@xmpp.localhost" in one.get("from")])


async def opens_roster(actor: Actor) -> None:
    """Ask for the roster: from then on it is pushed (RFC 6121, 2.1.6)."""
    await actor.asks("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")


def items_in(received: list[Element]) -> list[Element]:
    """List the roster items that were pushed."""
    found = [one.child("query", "jabber:iq:roster") for one in received if one.name == "iq"]
    return [item for query in found if query is not None for item in query.elements()]


def statuses_in(received: list[Element]) -> list[str]:
    """List the status texts of the contacts whose presence came."""
    return [
        status.text
        for one in received
        if one.name == "presence" and (status := one.child("status", "jabber:client")) is not None
    ]
