"""The simulator's HTTP server: Graph for the business, a page for the customers, on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from contrib.whatsapp_simulator import graph_account, graph_media, graph_messages, phone_actions, phone_page
from contrib.whatsapp_simulator.clock import Clock, VirtualClock
from contrib.whatsapp_simulator.courier import NotVerified
from contrib.whatsapp_simulator.errors import no_such_object
from contrib.whatsapp_simulator.graph_access import WORLD, refused
from contrib.whatsapp_simulator.settings import RETRIES, Account, Mischief, Pace, Settings
from contrib.whatsapp_simulator.simulator import Simulator
from contrib.whatsapp_simulator.world import World

HOST = "127.0.0.1"
VERIFY_AGAIN_SECONDS = 2.0
VERSION = r"/{version:v\d+\.\d+}"


def application(simulator: Simulator) -> web.Application:
    """Put all routes together."""
    app = web.Application(client_max_size=graph_media.LARGEST + 1_000_000, middlewares=[phone_page.guard])
    app[WORLD] = simulator.world
    app[phone_page.SIMULATOR] = simulator
    app.add_routes(
        [
            web.get(f"{VERSION}/debug_token", graph_account.debug_token),
            web.post(f"{VERSION}/{{id}}/messages", graph_messages.take_message),
            web.post(f"{VERSION}/{{id}}/media", graph_media.upload),
            web.get(f"{VERSION}/{{id}}/phone_numbers", graph_account.list_numbers),
            web.get(f"{VERSION}/{{id}}/message_templates", graph_account.list_templates),
            web.get(f"{VERSION}/{{id}}/subscribed_apps", graph_account.list_subscribed_apps),
            web.post(f"{VERSION}/{{id}}/subscribed_apps", graph_account.subscribe_app),
            web.delete(f"{VERSION}/{{id}}/subscribed_apps", graph_account.unsubscribe_app),
            web.get(f"{VERSION}/{{id}}/subscriptions", graph_account.list_subscriptions),
            web.get(f"{VERSION}/{{id}}", graph_account.look_at_object),
            web.delete(f"{VERSION}/{{id}}", graph_media.delete),
            web.route("*", f"{VERSION}/{{rest:.*}}", _nothing_there),
            web.get("/whatsapp_business/attachments/", graph_media.download),
            *phone_page.routes(),
            *phone_actions.routes(),
        ]
    )
    return app


@asynccontextmanager
async def simulated(
    webhook: str = "",
    *,
    port: int = 0,
    account: Account | None = None,
    pace: Pace | None = None,
    mischief: Mischief | None = None,
    clock: Clock | None = None,
    patience: float = 10.0,
    retries: Sequence[float] = RETRIES,
    seed: int = 7,
) -> AsyncIterator[Simulator]:
    """Run a simulator; with a webhook, verify it at once. The clock stands still unless another one is given.

    Raises:
        NotVerified: If the webhook does not answer as it has to.
    """
    settings = Settings(account or Account(), pace or Pace(), mischief or Mischief(), patience, retries, seed)
    world = World(settings, clock or VirtualClock())
    simulator = Simulator(world)
    runner = web.AppRunner(application(simulator), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        world.base_url = f"http://{HOST}:{runner.addresses[0][1]}"
        if webhook:
            await simulator.subscribe(webhook)
        yield simulator
    finally:
        await world.clock.close()
        await world.courier.close()
        await runner.cleanup()


async def verified_some_day(simulator: Simulator, webhook: str) -> None:
    """Verify a webhook whose server may not run yet; tries every two seconds until it does."""
    while True:
        with suppress(NotVerified):
            await simulator.subscribe(webhook)
        simulator.world.changed.ring()
        if simulator.world.courier.is_verified:
            return
        await asyncio.sleep(VERIFY_AGAIN_SECONDS)


async def _nothing_there(request: web.Request) -> web.StreamResponse:
    return refused(request.app[WORLD], no_such_object(request.match_info["rest"], request.method))
