"""The HTTP listener: WebSocket, files, health, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver.net.connection import Reception
    from imserver.net.tls import Certificates
    from imserver.settings import Address


class HTTPListener:
    """One aiohttp application on any number of addresses."""

    def __init__(self, reception: Reception, certificates: Certificates) -> None:
        self._reception = reception
        self._certificates = certificates
        self._app = web.Application()
        self._runner: web.AppRunner | None = None

    def add_routes(self, routes: Iterable[web.RouteDef]) -> None:
        """Add what plugins serve; before `listen`."""
        self._app.add_routes(routes)

    async def listen(self, address: Address, *, tls: bool) -> int:
        """Open one listener and return its port."""
        if self._runner is None:
            self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=2.0)
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
