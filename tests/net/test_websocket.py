"""Who may open a WebSocket: the handshake, over real HTTP (RFC 6455, 4; RFC 7395, 3.1)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from imserver.net.websocket import is_allowed, own_origin
from imserver.settings import Settings
from tests.scenes.actors import Stage, staged

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "xmpp",
}


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    mark = request.node.get_closest_marker("settings")
    async with staged(tmp_path, mark.kwargs if mark else {}) as one:
        yield one


async def knock(stage: Stage, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
    """Ask for a WebSocket, and return what was answered."""
    url = f"http://127.0.0.1:{stage.running.ports['http'][0]}/xmpp-websocket"
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
        return response.status, response.headers


async def test_the_handshake_proves_that_it_was_understood(stage: Stage) -> None:
    status, headers = await knock(stage, HANDSHAKE)

    assert status == 101
    assert headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
    assert headers["Sec-WebSocket-Protocol"] == "xmpp"


async def test_compression_is_never_agreed_upon(stage: Stage) -> None:
    status, headers = await knock(stage, HANDSHAKE | {"Sec-WebSocket-Extensions": "permessage-deflate"})

    assert status == 101
    assert "Sec-WebSocket-Extensions" not in headers


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Sec-WebSocket-Protocol", "", 400),
        ("Sec-WebSocket-Protocol", "mqtt, chat", 400),
        ("Sec-WebSocket-Key", "c2hvcnQ=", 400),
        ("Sec-WebSocket-Key", "***", 400),
        ("Sec-WebSocket-Version", "8", 426),
        ("Upgrade", "h2c", 426),
        ("Connection", "keep-alive", 426),
    ],
)
async def test_an_incomplete_handshake_is_refused(stage: Stage, name: str, value: str, status: int) -> None:
    answered, _ = await knock(stage, HANDSHAKE | {name: value})

    assert answered == status


async def test_a_client_without_origin_is_no_web_page(stage: Stage) -> None:
    assert (await knock(stage, HANDSHAKE))[0] == 101


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
async def test_pages_of_other_origins_are_refused(stage: Stage, origin: str) -> None:
    assert (await knock(stage, HANDSHAKE | {"Origin": origin}))[0] == 403


@pytest.mark.settings(websocket={"origins": ["https://console.example"]})
@pytest.mark.parametrize("origin", ["https://console.example", "https://CONSOLE.example"])
async def test_pages_of_listed_origins_may_connect(stage: Stage, origin: str) -> None:
    assert (await knock(stage, HANDSHAKE | {"Origin": origin}))[0] == 101


@pytest.mark.settings(http={"public_url": "https://chat.example.com:443/im"})
async def test_the_servers_own_pages_may_connect(stage: Stage) -> None:
    assert (await knock(stage, HANDSHAKE | {"Origin": "https://chat.example.com"}))[0] == 101
    assert (await knock(stage, HANDSHAKE | {"Origin": "http://chat.example.com"}))[0] == 403


@pytest.mark.settings(limits={"connections_per_address": 1})
async def test_one_address_gets_so_many_connections_and_they_are_counted_out(stage: Stage) -> None:
    url = f"http://127.0.0.1:{stage.running.ports['http'][0]}/xmpp-websocket"
    async with aiohttp.ClientSession() as client, client.ws_connect(url, protocols=["xmpp"]):
        assert (await knock(stage, HANDSHAKE))[0] == 429
        assert len(stage.running.reception.doorkeeper) == 1

    await stage.settles()
    assert len(stage.running.reception.doorkeeper) == 0
    assert not stage.running.connections


def test_a_star_lets_any_page_in() -> None:
    settings = Settings.model_validate({"websocket": {"origins": ["*"]}})

    assert is_allowed("https://anything.example", settings)


def test_the_own_origin_is_written_as_browsers_do() -> None:
    settings = Settings.model_validate({"http": {"public_url": "https://Chat.Example.com:443/im"}})

    assert own_origin(settings) == "https://chat.example.com"
