"""How the server is, for machines: `/healthz` for whoever restarts it, `/metrics` for Prometheus."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from imserver.features.metrics import ServerCollector
from imserver.hooks import hookimpl

if TYPE_CHECKING:
    from imserver.server import Server

#: How long the database may take to answer before we call the server ill, in seconds.
DATABASE_SECONDS: Final = 2.0
#: What proxies add to requests that they pass on.
_PASSED_ON: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class Plugin:
    """One server's health."""

    def __init__(self) -> None:
        self._is_stopping = False
        self._reading: asyncio.Task[object] | None = None

    @hookimpl
    def register_metrics(self, server: Server) -> list[ServerCollector]:
        """Show how the server itself does."""
        return [ServerCollector(server)]

    @hookimpl
    def register_routes(self, server: Server) -> list[web.RouteDef]:
        """Serve both."""
        registry = CollectorRegistry()
        for _, collector in server.hooks.register_metrics.declare(server=server):
            registry.register(collector)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

        async def answer_health(request: web.Request) -> web.Response:
            problem = await self.problem(server)
            return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n")

        async def answer_metrics(request: web.Request) -> web.Response:
            if not is_local(request):
                raise web.HTTPForbidden(text="Metrics are for this machine only")
            encode, content_type = choose_encoder(request.headers.get("Accept", ""))
            return web.Response(body=encode(registry), headers={"Content-Type": content_type})

        return [web.get("/healthz", answer_health), web.get("/metrics", answer_metrics)]

    async def problem(self, server: Server) -> str:
        """Say what is wrong; nothing, if the server can do its work."""
        if self._is_stopping:
            return "stopping"
        # A database that hangs is asked once, however often we are.
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(server.store.accounts.exists(server.domain))
        await asyncio.wait([self._reading], timeout=DATABASE_SECONDS)
        if not self._reading.done():
            return "the database does not answer"
        if (error := self._reading.exception()) is not None:
            server.log.error("the database can't be read", exc_info=error)
            return "the database can't be read"
        return ""

    @hookimpl
    async def server_stopping(self) -> None:
        """Tell balancers to send nobody any more."""
        self._is_stopping = True


def is_local(request: web.Request) -> bool:
    """Whether a request comes from this machine, and was not passed on by a proxy here."""
    if any(header in request.headers for header in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
