"""desk.toml is read again whenever it changes."""

from __future__ import annotations

import asyncio

import pytest

from imserver.desk import plugin
from tests.scenes.actors import PATIENCE, Actor
from tests.scenes.desk.conftest import SUPPORT, DeskStage, accepts, attends, bodies, heard, offer_in, says

QUEUE = "support@desk.localhost"


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "LOOK_SECONDS", 0.01)


async def changes(stage: DeskStage, toml: str, event: str) -> str:
    """Write the file anew, and wait for what the log says of it; return the reason given."""
    stage.file.write_text(toml)
    async with asyncio.timeout(PATIENCE):
        while not (found := [entry for entry in stage.log.entries if entry["event"] == event]):
            await asyncio.sleep(0.01)
    await stage.settles()
    stage.log.entries.remove(found[0])
    return str(found[0].get("reason", ""))


READ = "read desk.toml again"
REFUSED = "desk.toml can't be used; the desk goes on as before"


async def test_a_new_agent_is_asked_at_once(stage: DeskStage, luis: Actor) -> None:
    zoe = await stage.comes_online("zoe")
    await says(luis, QUEUE, "hello")
    await stage.settles()
    await zoe.receives_nothing()

    await changes(stage, '[queues.support]\nmembers = ["zoe@localhost"]', READ)

    offer_in(await zoe.swallows())


async def test_a_bad_file_changes_nothing_and_the_log_says_what_is_wrong(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    reason = await changes(stage, "[queues.support]\noffer_second = 3", REFUSED)

    assert reason == (
        f"{stage.file}: [queues.support] offer_second: there is no such setting (its value is 3); "
        "expected offer_seconds?"
    )
    await says(luis, QUEUE, "hello")
    offer_in(await ana.swallows())
    await changes(stage, SUPPORT, READ)


async def test_a_member_no_more_is_not_asked_any_more_but_keeps_their_clients(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    tea = await stage.comes_online("tea")
    await says(tea, QUEUE, "hello")
    offer = offer_in(await ana.swallows())

    await changes(stage, '[queues.support]\ntitle = "Support"\nmembers = ["eva@localhost"]', READ)

    taken_back = bodies(await ana.swallows())
    assert taken_back == ["The offer of tea@localhost no longer stands."], offer
    await says(ana, client, "I am still yours")
    assert bodies(await luis.swallows()) == ["I am still yours"]


async def test_a_queue_that_is_gone_serves_its_last_clients(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await changes(stage, '[queues.other]\nmembers = ["ana@localhost"]', READ)

    await says(luis, QUEUE, "still there?")
    assert bodies(await ana.swallows()) == ["still there?"]
    await says(ana, client, "of course")
    assert bodies(await luis.swallows()) == ["of course"]
    tea = await stage.comes_online("tea")
    await says(tea, QUEUE, "hello")
    assert (await tea.swallows())[0].get("type") == "error"


async def test_those_who_wait_in_a_queue_that_is_gone_go_to_its_overflow_queue(
    stage: DeskStage, luis: Actor
) -> None:
    both = SUPPORT + 'overflow_queue = "backup"\n[queues.backup]\nmembers = ["zoe@localhost"]'
    await changes(stage, both, READ)
    zoe = await stage.comes_online("zoe")
    await says(luis, QUEUE, "hello")
    await stage.settles()

    await changes(stage, '[queues.backup]\nmembers = ["zoe@localhost"]', READ)

    await accepts(stage, zoe)
    assert heard(await zoe.swallows())[-1] == "hello"


async def test_another_prefix_counts_at_once(stage: DeskStage, ana: Actor) -> None:
    await changes(stage, f'prefix = "#"\n{SUPPORT}', READ)

    await says(ana, QUEUE, "#pause")

    assert bodies(await ana.swallows()) == ["You are on a break; nothing new is offered to you until #ready."]


async def test_a_queue_that_is_gone_keeps_its_own_words_for_those_who_are_in_it(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await changes(
        stage, SUPPORT + '[queues.support.texts.en]\nclosed = "Thanks for calling Support."\n', READ
    )
    client = await attends(stage, ana, luis)
    await changes(stage, "[queues.sales]\nmembers = ['eva@localhost']", READ)

    await says(ana, client, "!close")
    await stage.settles()

    assert "Thanks for calling Support." in bodies(await luis.swallows())


async def test_a_strategy_that_no_plugin_knows_is_named_once(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await changes(stage, SUPPORT + 'strategy = "by-horoscope"\n', READ)

    await says(luis, QUEUE, "hello")
    await stage.settles()

    offer_in(await ana.swallows())
    named = [entry for entry in stage.log.entries if "strategy" in entry]
    assert [entry["strategy"] for entry in named] == ["by-horoscope"]
