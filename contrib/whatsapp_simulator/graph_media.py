"""Files by way of Graph: upload, look up, download, delete (Cloud API: Media)."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from contrib.whatsapp_simulator.errors import GraphError, invalid, no_such_object
from contrib.whatsapp_simulator.graph_access import WORLD, check_token, graph, number_in
from contrib.whatsapp_simulator.media import MB, Media
from contrib.whatsapp_simulator.world import World

LARGEST = 100 * MB


@graph
async def upload(world: World, request: web.Request) -> web.StreamResponse:
    """Keep a file that the business will send."""
    number = number_in(world, request)
    if not request.content_type.startswith("multipart/"):
        raise GraphError(
            100, "The parameter file is required.", message="(#100) The parameter file is required."
        )
    fields: dict[str, str] = {}
    content, file_type, filename = b"", "", ""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "file":
            content = bytes(await part.read())
            file_type, filename = part.headers.get("Content-Type", ""), part.filename or "file"
        elif part.name:
            fields[part.name] = (await part.read()).decode()
    if fields.get("messaging_product") != "whatsapp":
        message = "(#100) The parameter messaging_product is required."
        raise GraphError(100, "The parameter messaging_product is required.", message=message)
    if not filename:
        raise GraphError(
            100, "The parameter file is required.", message="(#100) The parameter file is required."
        )
    if not content:
        raise invalid("Param file must not be empty.")
    media = world.media.upload(number.id, content, fields.get("type") or file_type, filename)
    return web.json_response({"id": media.id})


async def look_up(world: World, request: web.Request) -> web.StreamResponse:
    """Say where a file can be fetched for the next five minutes."""
    media = _media_in(world, request)
    return web.json_response(
        {
            "messaging_product": "whatsapp",
            "url": world.download_url(media),
            "mime_type": media.mime_type,
            "sha256": media.sha256_hex,
            "file_size": len(media.content),
            "id": media.id,
        }
    )


@graph
async def delete(world: World, request: web.Request) -> web.StreamResponse:
    """Forget a file."""
    world.media.delete(_media_in(world, request).id)
    return web.json_response({"success": True})


async def download(request: web.Request) -> web.StreamResponse:
    """Hand out a file, to who has the token and a URL that is not five minutes old."""
    world = request.app[WORLD]
    try:
        check_token(world, request)
    except GraphError:
        return web.Response(status=401)
    media = world.media.opened_by(request.query.get("mid", ""), request.query.get("hash", ""))
    if media is None:
        return web.Response(status=404)
    return web.Response(body=media.content, headers={"Content-Type": media.mime_type})


def _media_in(world: World, request: web.Request) -> Media:
    media_id = request.match_info["id"]
    media = world.media.find(media_id)
    if media is None or request.query.get("phone_number_id", media.number) != media.number:
        raise no_such_object(media_id, request.method)
    return media
