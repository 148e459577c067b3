"""Who gets whom: queues that do not ask, and the bundled strategies."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, bodies, heard, items_in, opens_roster, says

QUEUE = "support@desk.localhost"


async def serves(stage: DeskStage, *clients: str) -> list[str]:
    """Have new clients come, a second apart; return who attends each."""
    served = []
    for name in clients:
        client = await stage.comes_online(name)
        await says(client, QUEUE, "hello")
        await stage.settles()
        await stage.passes(1)
        newest = stage.desk.floor.conversations[max(stage.desk.floor.conversations)]
        served.append(newest.agent.partition("@")[0])
    return served


@pytest.mark.desk('accept = "assign"')
async def test_an_agent_is_given_a_client_without_being_asked(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await opens_roster(ana)
    await says(luis, QUEUE, "hello")

    received = await ana.swallows()

    assert items_in(received[:1])[0].get("name") == "luis@localhost", "the contact comes first"
    assert bodies(received) == ["You attend luis@localhost now (Support).", "hello"]
    assert bodies(await luis.swallows()) == ["Welcome to Support.", "Somebody is with you now."]


async def test_what_a_client_wrote_arrives_even_if_the_roster_fails(
    stage: DeskStage, ana: Actor, luis: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("imserver.desk.contacts.enlist", fail)
    await says(luis, QUEUE, "hello")
    await accepts(stage, ana)
    await says(luis, QUEUE, "and more")

    assert [said for said in heard(await ana.swallows()) if said in ("hello", "and more")] == [
        "hello",
        "and more",
    ]
    failed = [one for one in stage.log.entries if one["event"] == "the desk could not do something"]
    assert len(failed) == 1
    stage.log.entries.remove(failed[0])


@pytest.mark.desk('accept = "assign"')
async def test_longest_idle_first(stage: DeskStage, ana: Actor) -> None:
    await stage.passes(1)
    await stage.comes_online("eva")
    await stage.passes(1)

    assert await serves(stage, "luis", "tea", "zoe") == ["ana", "eva", "ana"]


async def test_who_is_being_asked_is_not_asked_for_everybody(
    stage: DeskStage, ana: Actor, eva: Actor
) -> None:
    for name in ("luis", "tea", "zoe", "kim", "leo", "mar"):
        await says(await stage.comes_online(name), QUEUE, "hello")
    await stage.settles()

    assert [len(stage.desk.floor.agents[jid].offers) for jid in ("ana@localhost", "eva@localhost")] == [3, 3]


@pytest.mark.desk('accept = "assign"\nstrategy = "least-busy"')
async def test_least_busy_first(stage: DeskStage, ana: Actor) -> None:
    assert await serves(stage, "luis", "tea") == ["ana", "ana"]
    await stage.comes_online("eva")

    assert await serves(stage, "zoe", "kim") == ["eva", "eva"]


@pytest.mark.desk('accept = "assign"\nstrategy = "round-robin"')
async def test_one_after_the_other(stage: DeskStage, ana: Actor, eva: Actor) -> None:
    assert await serves(stage, "luis", "tea", "zoe", "kim") == ["ana", "eva", "ana", "eva"]


@pytest.mark.desk(
    'accept = "assign"\nagent_capacity = 0\n[queues.support.agents."eva@localhost"]\ncapacity = 2'
)
async def test_capacity_of_one_agent(stage: DeskStage, ana: Actor, eva: Actor) -> None:
    assert await serves(stage, "luis", "tea", "zoe") == ["eva", "eva", ""]
