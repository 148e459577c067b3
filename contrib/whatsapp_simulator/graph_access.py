"""Who may ask Graph, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from contrib.whatsapp_simulator.errors import GraphError, bad_token, no_such_object
from contrib.whatsapp_simulator.settings import BusinessNumber
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World

WORLD: Final = web.AppKey("world", World)
Answer = Callable[[World, web.Request], Awaitable[web.StreamResponse]]


def graph(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Ask for the token first, and write refusals as Graph does."""

    async def handle(request: web.Request) -> web.StreamResponse:
        world = request.app[WORLD]
        try:
            check_token(world, request)
            return await answer(world, request)
        except GraphError as refusal:
            return refused(world, refusal)

    return handle


def check_token(world: World, request: web.Request) -> None:
    """Let in who has the token.

    Raises:
        GraphError: 190, if it is not the right one any more, or none.
    """
    given = request.headers.get("Authorization", "")
    token = (
        given.removeprefix("Bearer ")
        if given.startswith("Bearer ")
        else request.query.get("access_token", "")
    )
    if not token:
        raise GraphError(
            190,
            "",
            message="An access token is required to request this resource.",
            subcode=0,
        )
    if not is_good_token(world, token):
        raise bad_token()


def is_good_token(world: World, token: str) -> bool:
    return token == world.account.token and world.token_is_good


def refused(world: World, refusal: GraphError) -> web.Response:
    return web.json_response(refusal.answer(world.ids.trace()), status=refusal.http)


def number_in(world: World, request: web.Request) -> BusinessNumber:
    """Find the number that is meant by the path.

    Raises:
        GraphError: 100, if it is none of ours.
    """
    number_id = request.match_info["id"]
    try:
        return world.number(number_id)
    except KeyError:
        raise no_such_object(number_id, request.method) from None


def account_in(world: World, request: web.Request) -> None:
    """Make sure that our account is meant by the path.

    Raises:
        GraphError: 100, if it is not.
    """
    if request.match_info["id"] != world.account.id:
        raise no_such_object(request.match_info["id"], request.method)


async def json_in(request: web.Request) -> JSON:
    """Read the body.

    Raises:
        GraphError: 100, if it is no JSON object.
    """
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise GraphError(100, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise GraphError(100, "The body is not a JSON object.")
    return body


def chosen(request: web.Request, default: JSON, more: JSON | None = None) -> JSON:
    """Choose what `?fields=` asks for; the id always."""
    wanted = [name.partition("{")[0] for name in request.query.get("fields", "").split(",") if name]
    everything = default | (more or {})
    if not wanted:
        return default
    return {name: everything[name] for name in wanted if name in everything} | {"id": everything["id"]}
