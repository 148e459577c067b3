"""`POST /{phone_number_id}/messages`: what a business sends."""

from __future__ import annotations

from aiohttp import web

from contrib.whatsapp_simulator import statuses
from contrib.whatsapp_simulator.chats import Status
from contrib.whatsapp_simulator.courier import told
from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.faults import Broken, Refused, Unanswered
from contrib.whatsapp_simulator.graph_access import graph, json_in, number_in
from contrib.whatsapp_simulator.outgoing import ReadMark, read_request
from contrib.whatsapp_simulator.sending import Accepted, accept, mark_read
from contrib.whatsapp_simulator.world import World


@graph
async def take_message(world: World, request: web.Request) -> web.StreamResponse:
    """Take a message, or a read mark."""
    number = number_in(world, request)
    wanted = read_request(await json_in(request))
    await world.clock.sleep(world.mischief.slow_answers)
    if isinstance(wanted, ReadMark):
        return web.json_response(mark_read(world, number, wanted))
    failure: GraphError | None = None
    match world.faults.take():
        case Refused(error, later=True):
            failure = error
        case Refused(error):
            raise error
        case Broken(http):
            return web.Response(
                status=http, text="<html><h1>Bad Gateway</h1></html>", content_type="text/html"
            )
        case Unanswered(accepted=takes):
            if takes:
                _set_off(world, accept(world, number, wanted), None)
            return _hang_up(request)
        case None:
            pass
    accepted = accept(world, number, wanted)
    if world.mischief.status_first and accepted.message is not None and not (failure or accepted.failure):
        await told(statuses.become(world, accepted.message, Status.SENT))
    response = web.json_response(accepted.answer)
    await response.prepare(request)
    await response.write_eof()
    # Only now, so that a status does not overtake the answer unless that is wanted.
    _set_off(world, accepted, failure)
    return response


def _set_off(world: World, accepted: Accepted, failure: GraphError | None) -> None:
    if accepted.message is not None:
        statuses.set_off(world, accepted.message, failure or accepted.failure)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
