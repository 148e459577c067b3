"""The figures of a real conversation: in `/metrics`, and in `imserver report`."""

from __future__ import annotations

import asyncio
import csv
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imserver.cli import app
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, offer_in, says
from tests.scenes.test_health import metrics

QUEUE = "support@desk.localhost"

pytestmark = pytest.mark.desk("wrap_up_seconds = 60\noffer_seconds = 30\nask_again_seconds = 300")


async def a_day_at_the_desk(stage: DeskStage, luis: Actor) -> None:
    """Ana misses one; eva accepts it after 40 seconds, answers after 5, ends it after 100 more, and writes it up."""
    await stage.is_at("2030-07-03T12:00+00:00")
    ana = await stage.comes_online("ana")
    await says(luis, QUEUE, "hello")
    offer_in(await ana.swallows())
    await stage.passes(30)
    eva = await stage.begins_work("eva")
    await stage.passes(10)
    await accepts(stage, eva)
    client = next(one.get("from") for one in await eva.swallows() if "@xmpp." in one.get("from")).partition(
        "/"
    )[0]
    await stage.passes(5)
    await says(eva, client, "hello!")
    await stage.passes(100)
    await says(eva, client, "!close")
    await stage.passes(60)


async def test_metrics_show_the_desk(stage: DeskStage, luis: Actor) -> None:
    await a_day_at_the_desk(stage, luis)
    tea = await stage.comes_online("tea")
    for actor in stage.actors:
        if actor.jid.local in ("ana", "eva"):
            await says(actor, QUEUE, "!pause")
    await says(tea, QUEUE, "hello")
    await stage.passes(20)

    shown = await metrics(stage)

    assert shown["imserver_desk_conversations", "support", "waiting"] == 1
    assert shown["imserver_desk_longest_wait_seconds", "support"] == 20
    assert shown["imserver_desk_agents", "paused"] == 2
    assert shown["imserver_desk_queue_events_total", "opened", "support"] == 2
    assert shown["imserver_desk_agent_events_total", "ana@localhost", "missed"] == 1
    assert shown["imserver_desk_agent_seconds_total", "eva@localhost", "handled"] == 105
    assert shown["imserver_desk_queue_answer_seconds_bucket", "45.0", "support"] == 1
    assert shown["imserver_desk_queue_answer_seconds_bucket", "30.0", "support"] == 0


async def test_the_report_of_a_day(stage: DeskStage, luis: Actor, tmp_path: Path) -> None:
    await a_day_at_the_desk(stage, luis)
    day = f"{datetime.fromtimestamp(stage.time, UTC):%Y-%m-%d}"
    config = tmp_path / "imserver.toml"
    config.write_text('domain = "localhost"\ndata = "."')

    async def report(by: str) -> dict[str, dict[str, str]]:
        arguments = ["report", "--csv", "--by", by, "--day", day, "--zone", "UTC", "--config", str(config)]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert done.exit_code == 0, done.stderr
        return {next(iter(row.values())): row for row in csv.DictReader(StringIO(done.stdout))}

    support = (await report("queue"))["support"]
    assert support["opened"] == support["accepted"] == support["missed"] == support["closed"] == "1"
    assert float(support["queue_answer_time"]) == 40
    assert float(support["first_response_time"]) == 5
    assert float(support["interaction_time"]) == 105
    assert float(support["after_contact_work_time"]) == 60
    agents = await report("agent")
    assert agents["ana@localhost"]["missed"] == agents["eva@localhost"]["handled"] == "1"
