"""The HTTP listener: WebSocket, and what plugins serve: files, health, metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from imserver.net import websocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from imserver.net.connection import Reception
    from imserver.net.tls import Certificates
    from imserver.settings import Address

#: How long a connection may stay without a request, or with half of one, in seconds.
IDLE_SECONDS: Final = 60.0
#: How long the rest of a refused upload is read, so that the client can read why, in seconds.
LINGER_SECONDS: Final = 2.0


class HTTPListener:
    """One aiohttp application on any number of addresses."""

    def __init__(self, reception: Reception, certificates: Certificates) -> None:
        self._reception = reception
        self._certificates = certificates
        self._app = web.Application(middlewares=[self._log_failures])
        self._app.on_response_prepare.append(_hide_versions)
        self._app.add_routes([web.get(websocket.PATH, websocket.WebSocketDoor(reception).enter)])
        self._runner: web.AppRunner | None = None

    def add_routes(self, routes: Iterable[web.RouteDef]) -> None:
        """Add what plugins serve; before `listen`."""
        self._app.add_routes(routes)

    async def listen(self, address: Address, *, tls: bool) -> int:
        """Open one listener and return its port."""
        if self._runner is None:
            self._runner = web.AppRunner(
                self._app,
                access_log=None,
                # What is left to aiohttp to log is what strangers send that is no HTTP; for ours see `_log_failures`.
                logger=logging.Logger("imserver.http", logging.CRITICAL),  # noqa: LOG001
                shutdown_timeout=2.0,
                keepalive_timeout=IDLE_SECONDS,
                lingering_time=LINGER_SECONDS,
                auto_decompress=False,  # a small body could become a big one
            )
            await self._runner.setup()
        site = web.TCPSite(
            self._runner, address.host, address.port, ssl_context=self._certificates.http if tls else None
        )
        await site.start()
        assert site._server is not None
        port: int = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return port

    async def close(self) -> None:
        """Close all listeners and their connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _log_failures(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except ConnectionError:
            raise web.HTTPBadRequest from None  # the client has gone; nobody will read it
        except Exception as error:
            # Not the path itself: whoever knows it may read the file.
            resource = request.match_info.route.resource
            path = resource.canonical if resource is not None else ""
            self._reception.server.log.error(
                "a request could not be served", method=request.method, path=path, exc_info=error
            )
            raise web.HTTPInternalServerError from None


async def _hide_versions(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "imserver"
