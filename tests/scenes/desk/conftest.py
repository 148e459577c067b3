"""A server with a contact centre: the queue `support`, whose agents are ana and eva; luis and tea are clients."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from imserver.desk.desk import Desk
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage, staged

SUPPORT = """
[queues.support]
title = "Support"
members = ["ana@localhost", "eva@localhost"]
"""


class DeskStage(Stage):
    """A stage with a desk."""

    desk: Desk
    file: Path

    async def sets(self, toml: str) -> None:
        """Write desk.toml anew, and have it read."""
        self.file.write_text(toml)
        self.desk.reload(_read(self.file))
        await self.settles()

    async def settles(self) -> None:
        """Wait until the server and the desk have nothing left to do."""
        for _ in range(3):
            await super().settles()
            await self.desk.kept()
            while self.desk.handing:
                await super().settles()


def _read(file: Path) -> Any:
    from imserver.desk.plugin import read_file

    return read_file(file)


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DeskStage]:
    """A server of its own for each scene; `@pytest.mark.desk("more settings")` adds to those of the queue."""
    file = tmp_path / "desk.toml"
    more = [mark.args[0] for mark in request.node.iter_markers("desk")]
    whole = [mark.kwargs["whole"] for mark in request.node.iter_markers("desk_file")]
    file.write_text(whole[0] if whole else SUPPORT + "\n".join(more))
    async with on_stage(tmp_path, file) as one:
        yield one


def on_stage(folder: Path, file: Path) -> Any:
    """Put a server with this desk.toml on stage."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def begin() -> AsyncIterator[DeskStage]:
        async with staged(folder, {"desk": {"file": str(file)}}) as plain:
            stage = DeskStage(plain.running, plain.log)
            stage.file = file
            stage.desk = desk_of(stage)
            yield stage
            await stage.leaves()
            failures = [entry for entry in plain.log.entries if entry["log_level"] == "error"]
            assert not failures, failures

    return begin()


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
        one
        for one in received
        if one.name == "message" and one.child("response", "urn:xmpp:tmp:quick-response") is not None
    ]
    assert len(found) == 1, f"{len(found)} offers in\n  " + "\n  ".join(map(str, received))
    return found[0]


def button(offer: Element, label: str) -> str:
    """Read what a button of an offer would answer."""
    return next(
        one.get("value")
        for one in offer.all("response", "urn:xmpp:tmp:quick-response")
        if one.get("label") == label
    )


@pytest.fixture
async def ana(stage: DeskStage) -> Actor:
    """An agent, ready."""
    return await stage.comes_online("ana")


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
