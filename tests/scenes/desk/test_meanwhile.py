"""What happens while something else is under way: the disk takes its time, and people do not wait for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import SUPPORT, DeskStage, accepts, attends, bodies, heard, on_stage, says

QUEUE = "support@desk.localhost"


@pytest.mark.desk("lost_agent_grace_seconds = 0")
async def test_the_agent_is_lost_while_what_waited_is_read(
    stage: DeskStage, ana: Actor, luis: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, archive = stage.desk, stage.server.store.archive
    page = archive.page

    async def read_and_lose_ana(*arguments: Any, **more: Any) -> Any:
        found = await page(*arguments, **more)
        desk.stage(desk.floor.agent_changed("ana@localhost", desk.now(), ready=False, online=False))
        return found

    await says(luis, QUEUE, "hello")
    await stage.settles()
    with monkeypatch.context() as patched:
        patched.setattr(archive, "page", read_and_lose_ana)
        await accepts(stage, ana)

    assert heard(await ana.swallows())[-1:] != ["hello"], "she is not there"
    desk.look_at(JID.parse("ana@localhost"))
    await accepts(stage, ana)
    assert heard(await ana.swallows())[-1] == "hello"


@pytest.mark.desk('accept = "assign"\ndelay_seconds = 15')
async def test_the_client_writes_while_it_is_stored_whose_they_are_by_now(
    stage: DeskStage, ana: Actor, luis: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, is_written = stage.server.store.desk, asyncio.Event()
    save = store.save

    async def save_slowly(*rows: Any) -> None:
        await is_written.wait()
        await save(*rows)

    await says(luis, QUEUE, "first")
    await stage.settles()
    with monkeypatch.context() as patched:
        patched.setattr(store, "save", save_slowly)
        stage.time += 16
        stage.desk.keeper.tick()
        await luis.sends(f"<message to='{QUEUE}' type='chat'><body>second</body></message>")
        await asyncio.sleep(0.05)
        is_written.set()
        await stage.settles()

    assert [said for said in heard(await ana.swallows()) if said in ("first", "second")] == [
        "first",
        "second",
    ]


async def test_the_server_stops_and_everybody_who_is_there_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(SUPPORT + "lost_agent_grace_seconds = 0")
    written = []
    async with on_stage(tmp_path, file) as stage:
        await stage.comes_online("ana")
        await says(await stage.comes_online("luis"), QUEUE, "hello")
        await stage.settles()
        save = stage.server.store.desk.save

        async def save_slowly(*rows: Any) -> None:
            await asyncio.sleep(0.1)
            await save(*rows)
            written.append(rows)

        monkeypatch.setattr(stage.server.store.desk, "save", save_slowly)
        monkeypatch.setattr(stage, "leaves", AsyncMock())

    by_the_end = len(written)
    for actor in stage.actors:
        await actor.vanishes()
    await asyncio.sleep(0.3)
    assert len(written) == by_the_end > 0, "nothing is written when the database is closed"


async def test_a_client_goes_while_another_device_of_the_agent_logs_in(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    phone = await stage.enters("ana", "phone")

    await says(ana, client, "!close")
    await stage.settles()

    await phone.receives_nothing()
    assert any(one.get("type") == "unavailable" for one in await ana.swallows())


@pytest.mark.desk("reopen_seconds = 0")
async def test_an_agent_accepts_and_writes_in_one_breath(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await says(luis, QUEUE, "one more thing")
    await stage.settles()
    await luis.swallows()

    await ana.sends(
        f"<message to='{QUEUE}' type='chat'><body>!accept</body></message>"
        f"<message to='{client}' type='chat'><body>which one?</body></message>"
    )
    await stage.settles()

    assert bodies(await luis.swallows())[-1] == "which one?"
    page = await stage.server.store.archive.page(client, limit=100)
    assert any(b"which one?" in row.stanza for row in page.rows), "it is in the client's history"
