"""How the server looks from outside: `/healthz` and `/metrics`."""

import asyncio

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from imserver.features import health
from imserver.running import Running
from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import loses


def base(running: Running) -> str:
    return f"http://127.0.0.1:{running.ports['http'][0]}"


async def healthz(stage: Stage) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(f"{base(stage.running)}/healthz") as response:
        return response.status, (await response.text()).strip()


async def page(stage: Stage, **headers: str) -> tuple[int, str]:
    url = f"{base(stage.running)}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
        return response.status, await response.text()


async def metrics(stage: Stage) -> dict[tuple[str, ...], float]:
    """Read all numbers, by name and labels."""
    _, text = await page(stage)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_server_that_works_is_healthy(stage: Stage) -> None:
    assert await healthz(stage) == (200, "ok")


async def test_a_server_without_its_database_is_not(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(owner: str) -> bool:
        raise OSError("the disk is gone")

    monkeypatch.setattr(stage.server.store.accounts, "exists", fail)

    assert await healthz(stage) == (503, "the database can't be read")


async def test_a_database_that_hangs_is_asked_only_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, free = [], asyncio.Event()

    async def hang(owner: str) -> bool:
        asked.append(owner)
        return await free.wait()

    monkeypatch.setattr(stage.server.store.accounts, "exists", hang)
    monkeypatch.setattr(health, "DATABASE_SECONDS", 0.05)

    assert await healthz(stage) == (503, "the database does not answer")
    assert await healthz(stage) == (503, "the database does not answer")
    assert len(asked) == 1

    free.set()
    assert await healthz(stage) == (200, "ok")


async def test_metrics_count_what_happens(stage: Stage, ana: Actor, luis: Actor) -> None:
    await ana.sends("<message to='luis@localhost/stage' type='chat'><body>Hi</body></message>")
    await luis.hears()

    found = await metrics(stage)

    assert found["imserver_sessions", "connected"] == 2
    assert found["imserver_sessions", "detached"] == 0
    assert found["imserver_stanzas_total", "in", "message"] == 1
    assert found["imserver_stanzas_total", "in", "presence"] == 2
    assert found["imserver_logins_total", "SCRAM-SHA-256"] == 2
    assert found["imserver_unserved_stanzas",] == 0
    assert found["process_resident_memory_bytes",] > 0


async def test_metrics_show_refused_logins(stage: Stage) -> None:
    eve = await stage.connects()
    await eve.opens_stream()
    await eve.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='GUESS'/>")
    await eve.hears()

    assert (await metrics(stage))["imserver_refused_logins_total", "invalid-mechanism"] == 1


async def test_metrics_show_what_clients_have_not_acknowledged(stage: Stage, ana: Actor, luis: Actor) -> None:
    await luis.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await luis.hears()
    for _ in range(3):
        await ana.sends("<message to='luis@localhost/stage' type='headline'><body>Hi</body></message>")
    for _ in range(3):
        await luis.hears()
    await loses(stage, luis)

    found = await metrics(stage)

    assert found["imserver_sessions", "detached"] == 1
    assert found["imserver_unacknowledged_stanzas",] == 3
    assert found["imserver_unacknowledged_stanzas_max",] == 3


async def test_commit_times_are_histograms(stage: Stage) -> None:
    stage.server.counters.committed(7, 0.003)

    found = await metrics(stage)

    assert found["imserver_commit_seconds_bucket", "0.0025"] == 0
    assert found["imserver_commit_seconds_bucket", "0.005"] == 1
    assert found["imserver_commit_rows_bucket", "+Inf"] == 1
    assert found["imserver_commit_rows_sum",] == 7


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_metrics_are_not_passed_on_by_a_proxy(stage: Stage, header: str) -> None:
    assert (await page(stage, **{header: "1.2.3.4"}))[0] == 403


async def test_metrics_are_for_this_machine_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiohttp.web.BaseRequest.remote", "192.0.2.7")

    assert (await page(stage))[0] == 403


async def test_nobody_is_named_among_the_metrics(stage: Stage, ana: Actor) -> None:
    status, text = await page(stage)

    assert status == 200
    assert "ana" not in text
