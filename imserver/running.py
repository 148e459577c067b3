"""A server, put together from its settings, listening, and taken down again."""

from __future__ import annotations

import asyncio
import datetime
import errno
import os
import secrets
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from imserver import __version__
from imserver.counters import Counters
from imserver.hooks import PluginError
from imserver.loading import load
from imserver.net import channel_binding
from imserver.net.connection import Connection, Reception
from imserver.net.doorkeeper import Doorkeeper
from imserver.net.http import HTTPListener
from imserver.net.tcp import TCPDoor
from imserver.net.tls import Certificates, self_signed
from imserver.routing import lifecycle
from imserver.routing.journal import Journal
from imserver.routing.router import Router
from imserver.routing.sessions import Sessions
from imserver.server import Server
from imserver.settings import adopt, changes
from imserver.storage.database import Database
from imserver.storage.store import Store
from imserver.stream.machine import StreamOptions
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import ReaderLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from imserver.hooks import Hooks
    from imserver.settings import Address, Settings
    from imserver.tracing import Trace
    from imserver.xmpp.element import Element

#: How often silent connections are looked after, in seconds.
SWEEP_SECONDS = 10.0
#: How long a graceful stop may take, in seconds.
STOP_SECONDS = 10.0


class Running:
    """A server that listens."""

    def __init__(self, server: Server, certificates: Certificates, secret: bytes) -> None:
        self.server = server
        self.certificates = certificates
        #: Where it listens, by the name of the setting.
        self.ports: defaultdict[str, list[int]] = defaultdict(list)
        self.connections: set[Connection] = set()
        self._stream_features: tuple[Element, ...] = ()
        loop = asyncio.get_running_loop()
        self.reception = Reception(
            server=server,
            doorkeeper=Doorkeeper(lambda: self.server.settings.limits, loop.time),
            connections=self.connections,
            secret=secret,
            options=self.options,
        )
        self._options: StreamOptions | None = None
        self._secret = secret
        self._listeners: list[asyncio.Server] = []
        self.http = HTTPListener(self.reception, certificates)
        self._sweeper: asyncio.Task[None] | None = None

    def options(self) -> StreamOptions:
        """What streams are offered at the moment."""
        if self._options is None:
            components = self.server.router.components.items()
            hosts = {domain: one.host.mechanisms for domain, one in components if one.host is not None}
            self._options = _stream_options(self.server.settings, self._secret, self._stream_features, hosts)
        return self._options

    def adopt(self, settings: Settings) -> tuple[Sequence[str], Sequence[str]]:
        """Take over what can change live; return what did, and what has to wait for a restart.

        Raises:
            CertificateError: If the new certificate can't be used; nothing has changed then.
        """
        old = self.server.settings
        found = changes(old, settings)
        if settings.tls.certificate is not None and settings.tls.key is not None:
            self.certificates.reload(settings.tls.certificate, settings.tls.key)
        self.server.settings = adopt(old, settings)
        self._ask_for_stream_features()  # they may follow the settings
        return found.live, found.needs_restart

    def _ask_for_stream_features(self) -> None:
        declared = self.server.hooks.register_stream_features.declare(server=self.server)
        self._stream_features = tuple(feature for _, feature in declared)
        self._options = None

    async def open(self) -> None:
        """Ask the plugins what they add, and open the listeners."""
        server = self.server
        _register(server)
        self._ask_for_stream_features()
        self.http.add_routes([route for _, route in server.hooks.register_routes.declare(server=server)])
        await _announce(server.hooks, "server_starting", server)
        listen = server.settings.listen
        for address in listen.c2s:
            await self._listen("c2s", address, direct_tls=False)
        for address in listen.c2s_tls:
            await self._listen("c2s_tls", address, direct_tls=True)
        for address in listen.http:
            with _left_out_without_ipv6(address):
                self.ports["http"].append(await self.http.listen(address, tls=server.settings.http.tls))
        self._sweeper = asyncio.create_task(self._sweep())
        await _announce(server.hooks, "server_started", server)

    async def _listen(self, name: str, address: Address, *, direct_tls: bool) -> None:
        door = TCPDoor(self.reception, self.certificates, direct_tls=direct_tls)
        with _left_out_without_ipv6(address):
            listener = await asyncio.get_running_loop().create_server(
                lambda: door, address.host, address.port, backlog=4096
            )
            self._listeners.append(listener)
            self.ports[name].append(listener.sockets[0].getsockname()[1])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = asyncio.get_running_loop().time()
            for connection in list(self.connections):
                connection.check(now)

    async def close(self) -> None:
        """Stop listening, tell everybody, and wait until what was accepted is served."""
        server = self.server
        if self._sweeper is not None:
            self._sweeper.cancel()
        for listener in self._listeners:
            listener.close()
        await _announce(server.hooks, "server_stopping", server)
        for connection in list(self.connections):
            connection.end(StreamError("system-shutdown"))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                for session in list(server.sessions):
                    await lifecycle.close_session(server, session)
                await server.journal.settled()
                await server.settle()
        await self.http.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)


@contextmanager
def _left_out_without_ipv6(address: Address) -> Iterator[None]:
    """Leave out ::1 on a machine that has no IPv6 at all: the default settings name both loopback addresses."""
    try:
        yield
    except OSError as error:
        if address.host != "::1" or error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise


@asynccontextmanager
async def running(
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    patience: float | None = None,
    trace: Trace | None = None,
) -> AsyncIterator[Running]:
    """Run a server for as long as the block lasts; with a trace, it is told of every call of a hook.

    Raises:
        CertificateError: If certificate or key can't be used.
        PluginError: If a plugin can't be used; it is named.
        SettingsError: If a plugin's table does not fit.
        OSError: If a listener can't be opened.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    hooks = load(settings, log, patience=patience, trace=trace)
    certificates = _certificates(settings, log)
    # RFC 9266 through ctypes: tried once, in a process of its own, before anybody connects.
    await asyncio.to_thread(channel_binding.exporter_available)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database_url)
        stack.push_async_callback(database.close)
        server = await _build(settings, hooks, Store(database), log)
        one = Running(server, certificates, _secret(settings.data / "secret"))
        stack.push_async_callback(one.close)
        await one.open()
        yield one


async def _build(settings: Settings, hooks: Hooks, store: Store, log: FilteringBoundLogger) -> Server:
    clock = await store.archive.clock()

    def number() -> int:
        return clock.next(time.time_ns() // 1000)

    sessions = Sessions()
    counters = Counters()
    router = Router(settings.domain, hooks, sessions, number)
    journal = Journal(
        store.archive, served=router.serve, failed=router.serve_unrecorded, counters=counters, log=log
    )
    server = Server(
        settings=settings,
        domain=settings.domain,
        hooks=hooks,
        sessions=sessions,
        router=router,
        journal=journal,
        store=store,
        counters=counters,
        log=log,
        number=number,
        version=__version__,
    )
    router.server = server
    router.journal = journal
    return server


def _register(server: Server) -> None:
    """Fill the router's tables with what the plugins declare."""
    router, hooks = server.router, server.hooks
    for plugin, handler in hooks.register_iq_handlers.declare(server=server):
        try:
            router.iqs.add(plugin, handler)
        except ValueError as error:
            raise PluginError(str(error)) from error
    for plugin, taker in hooks.register_presence_handlers.declare(server=server):
        for type in taker.types:
            if router.presences.setdefault(type, taker) is not taker:
                raise PluginError(f"plugin {plugin!r} takes presence of type {type!r}, and so does another")
    for plugin, component in hooks.register_components.declare(server=server):
        if (
            component.domain == server.domain
            or router.components.setdefault(component.domain, component) is not component
        ):
            raise PluginError(f"plugin {plugin!r} wants {component.domain}, and something else is there")
    for _, (target, namespace) in hooks.register_disco_features.declare(server=server):
        router.iqs.advertise(target, namespace)


async def _announce(hooks: Hooks, name: str, server: Server) -> None:
    pending = getattr(hooks, name).announce(server=server)
    if pending is not None:
        await pending


def _certificates(settings: Settings, log: FilteringBoundLogger) -> Certificates:
    if settings.tls.certificate is not None and settings.tls.key is not None:
        return Certificates(settings.tls.certificate, settings.tls.key)
    names = [settings.domain, f"upload.{settings.domain}"]
    made = self_signed(settings.data, names, datetime.datetime.now(datetime.UTC))
    if made.is_new:
        log.warning(
            "no certificate is set: made a self-signed one, which clients will warn their users of",
            certificate=str(made.certificate),
        )
    return Certificates(made.certificate, made.key)


def _secret(file: Path) -> bytes:
    """Read the server's own secret; make it at the first start."""
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
    return file.read_bytes()


def _stream_options(
    settings: Settings, secret: bytes, features: tuple[Element, ...], hosts: Mapping[str, tuple[str, ...]]
) -> StreamOptions:
    limits = settings.limits
    return StreamOptions(
        domain=settings.domain,
        mechanisms=settings.sasl.mechanisms,
        secret=secret,
        iterations=settings.sasl.iterations,
        protect=settings.sasl.downgrade_protection,
        require_tls=settings.c2s.require_tls,
        limits=ReaderLimits(
            stanza_bytes=limits.stanza_bytes,
            elements=limits.stanza_elements,
            depth=limits.stanza_depth,
            attributes=limits.stanza_attributes,
        ),
        login_limits=ReaderLimits(
            stanza_bytes=limits.pre_auth_bytes,
            elements=limits.pre_auth_elements,
            depth=min(limits.stanza_depth, limits.pre_auth_elements),
            attributes=limits.stanza_attributes,
            token_bytes=limits.pre_auth_bytes,
        ),
        features=features,
        hosts=hosts,
    )
