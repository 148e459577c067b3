"""The HTTP listener itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

from imserver.net.http import HTTPListener
from imserver.settings import Address
from tests.scenes.actors import PATIENCE, Stage, staged


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    mark = request.node.get_closest_marker("settings")
    async with staged(tmp_path, mark.kwargs if mark else {}) as one:
        yield one


async def get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, CIMultiDictProxy[str], str]:
    async with aiohttp.ClientSession() as client, client.get(url, ssl=context or True) as response:
        return response.status, response.headers, await response.text()


async def broken(request: web.Request) -> web.Response:
    raise RuntimeError("the disk is gone")


async def test_a_failing_plugin_is_logged_without_the_secret_path(stage: Stage) -> None:
    listener = HTTPListener(stage.running.reception, stage.running.certificates)
    listener.add_routes([web.get("/secret/{token}", broken)])
    port = await listener.listen(Address("127.0.0.1", 0), tls=False)

    status, _, text = await get(f"http://127.0.0.1:{port}/secret/abc")
    assert status == 500
    assert "disk" not in text

    await listener.close()
    [entry] = [one for one in stage.log.entries if one["event"] == "a request could not be served"]
    assert entry["path"] == "/secret/{token}"
    assert "abc" not in str(entry)


async def test_nobody_is_told_which_versions_run_here(stage: Stage) -> None:
    status, headers, _ = await get(f"http://127.0.0.1:{stage.running.ports['http'][0]}/nothing")

    assert status == 404
    assert headers["Server"] == "imserver"


@pytest.mark.settings(http={"tls": True})
async def test_http_is_served_over_tls(stage: Stage) -> None:
    trusted = ssl.create_default_context(cafile=stage.server.settings.data / "certificate.pem")

    status, _, _ = await get(f"https://localhost:{stage.running.ports['http'][0]}/healthz", trusted)

    assert status == 200


async def test_half_a_request_does_not_stay_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imserver.net.http.IDLE_SECONDS", 0.1)
    listener = HTTPListener(stage.running.reception, stage.running.certificates)
    port = await listener.listen(Address("127.0.0.1", 0), tls=False)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionResetError):  # it may have hung up before we wrote
            assert await reader.read() == b""

    writer.close()
    await listener.close()
