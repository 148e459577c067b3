"""XEP-0156, as web clients see it."""

import json

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from imserver.xmpp.parser import parse
from tests.scenes.actors import Stage

RELATION = "urn:xmpp:alt-connections:websocket"
PUBLIC = pytest.mark.settings(http={"public_url": "https://chat.example.com"})


async def get(stage: Stage, name: str) -> tuple[CIMultiDictProxy[str], bytes]:
    url = f"http://127.0.0.1:{stage.running.ports['http'][0]}/.well-known/{name}"
    origin = {"Origin": "https://web.example"}
    async with aiohttp.ClientSession() as client, client.get(url, headers=origin) as response:
        assert response.status == 200
        return response.headers, await response.read()


@PUBLIC
async def test_host_meta_names_the_websocket(stage: Stage) -> None:
    headers, body = await get(stage, "host-meta")

    document = parse(body.partition(b"?>")[2])
    [link] = document.elements()
    assert (document.name, document.namespace) == ("XRD", "http://docs.oasis-open.org/ns/xri/xrd-1.0")
    assert link.attributes == {"rel": RELATION, "href": "wss://chat.example.com/xmpp-websocket"}
    assert headers["Content-Type"] == "application/xrd+xml"


@PUBLIC
async def test_host_meta_comes_as_json_too(stage: Stage) -> None:
    headers, body = await get(stage, "host-meta.json")

    assert json.loads(body) == {"links": [{"rel": RELATION, "href": "wss://chat.example.com/xmpp-websocket"}]}
    assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("name", ["host-meta", "host-meta.json"])
async def test_pages_of_any_origin_may_read_it(stage: Stage, name: str) -> None:
    headers, _ = await get(stage, name)

    assert headers["Access-Control-Allow-Origin"] == "*"
