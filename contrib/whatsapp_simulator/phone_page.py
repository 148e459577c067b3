"""The page like a phone: its files, what it shows, and word of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from contrib.whatsapp_simulator.media import plain_type
from contrib.whatsapp_simulator.phone_view import view
from contrib.whatsapp_simulator.simulator import Simulator

SIMULATOR: Final = web.AppKey("simulator", Simulator)
FOLDER: Final = Path(__file__).with_name("page")
FILES: Final[Mapping[str, str]] = {
    "phone.css": "text/css",
    "phone.js": "text/javascript",
    "bubbles.js": "text/javascript",
    "controls.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: What a browser may show in the page itself; everything else is saved.
SHOWN: Final = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "audio/ogg",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "video/mp4",
    }
)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
#: Many changes at once are one for the eye.
BLINK: Final = 0.05
HEARTBEAT: Final = 15.0


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", show_page),
        web.get("/phone/files/{name}", show_file),
        web.get("/phone/state", show_state),
        web.get("/phone/changes", tell_changes),
        web.get("/phone/media/{id}", show_media),
    ]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let no page from elsewhere look in or press buttons (DNS rebinding, forged requests)."""
    if request.url.host not in LOOPBACK:
        raise web.HTTPForbidden(text="This simulator answers to 127.0.0.1 and localhost only.\n")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="This simulator answers to its own page only.\n")
    return await handler(request)


async def show_page(_request: web.Request) -> web.Response:
    return _file("index.html", "text/html")


async def show_file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return _file(name, FILES[name])


async def show_state(request: web.Request) -> web.Response:
    """Say all that the page shows."""
    simulator = request.app[SIMULATOR]
    query = request.query
    return web.json_response(view(simulator.world, query.get("customer", ""), query.get("number", "")))


async def tell_changes(request: web.Request) -> web.StreamResponse:
    """Say whenever there is something new (server-sent events)."""
    world = request.app[SIMULATOR].world
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"data: changed\n\n")
            try:
                await asyncio.wait_for(world.changed.rings(), HEARTBEAT)
            except TimeoutError:
                continue
            await asyncio.sleep(BLINK)
    except ConnectionError:
        return response


async def show_media(request: web.Request) -> web.Response:
    """Show a file as the phone has it."""
    media = request.app[SIMULATOR].world.media.shown(request.match_info["id"])
    if media is None:
        raise web.HTTPNotFound
    plain = plain_type(media.mime_type)
    headers = {
        "Content-Type": plain if plain in SHOWN else "application/octet-stream",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if plain not in SHOWN:
        headers["Content-Disposition"] = "attachment"
    return web.Response(body=media.content, headers=headers)


def _file(name: str, file_type: str) -> web.Response:
    return web.Response(
        body=(FOLDER / name).read_bytes(),
        headers={
            "Content-Type": f"{file_type}; charset=utf-8",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )
