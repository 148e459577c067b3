"""XEP-0156: Discovering Alternative XMPP Connection Methods; where the WebSocket is, for web clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from imserver.hooks import hookimpl
from imserver.xmpp.element import Element

if TYPE_CHECKING:
    from imserver.server import Server

XRD: Final = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
RELATION: Final = "urn:xmpp:alt-connections:websocket"
#: XEP-0156, 3: pages of any origin may read it.
HEADERS: Final = {"Access-Control-Allow-Origin": "*"}


def websocket_url(public_url: str) -> str:
    """Write where the WebSocket is: `wss://` where HTTP is served over TLS."""
    return f"ws{public_url.removeprefix('http')}/xmpp-websocket"


@hookimpl
def register_routes(server: Server) -> list[web.RouteDef]:
    """Serve it in both formats."""
    if not server.settings.public_url:
        return []
    link = {"rel": RELATION, "href": websocket_url(server.settings.public_url)}
    xml = b"<?xml version='1.0' encoding='utf-8'?>" + Element("XRD", XRD).add(
        Element("Link", XRD, link)
    ).to_bytes("")

    async def answer_xml(request: web.Request) -> web.Response:
        return web.Response(body=xml, content_type="application/xrd+xml", headers=HEADERS)

    async def answer_json(request: web.Request) -> web.Response:
        return web.json_response({"links": [link]}, headers=HEADERS)

    return [
        web.get("/.well-known/host-meta", answer_xml),
        web.get("/.well-known/host-meta.json", answer_json),
    ]
