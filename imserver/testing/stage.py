"""A real server of one's own, and whoever comes on stage with it."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import structlog

from imserver.running import running
from imserver.settings import Settings
from imserver.storage.accounts import StoredCredentials
from imserver.storage.rosters import RosterItem
from imserver.testing.actor import DOMAIN, Actor
from imserver.testing.password import CREDENTIALS
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from imserver.running import Running
    from imserver.server import Server
    from imserver.tracing import Trace

    Overrides = Mapping[str, Any]


def settings_for(folder: Path, overrides: Overrides) -> Settings:
    """Settings for a server of our own: free ports on loopback, no need of TLS."""
    given: dict[str, Any] = {
        "domain": DOMAIN,
        "data": str(folder),
        "listen": {"c2s": ["127.0.0.1:0"], "c2s_tls": ["127.0.0.1:0"], "http": ["127.0.0.1:0"]},
        "c2s": {"require_tls": False},
        "http": {"tls": False},
        "admins": ["admin@localhost"],
    }
    for table, values in overrides.items():
        given[table] = given.get(table, {}) | values if isinstance(values, dict) else values
    return Settings.model_validate(given)


class Stage:
    """A server, and whoever has come on stage."""

    def __init__(self, one: Running, log: structlog.testing.LogCapture) -> None:
        self.running = one
        self.server: Server = one.server
        self.log = log
        self.actors: list[Actor] = []

    async def account(self, name: str) -> JID:
        """Make an account, unless it is there."""
        jid = JID.of(name, DOMAIN)
        if not await self.server.store.accounts.exists(jid):
            await self.server.store.accounts.add(
                jid, [StoredCredentials(*_fields(one)) for one in CREDENTIALS]
            )
        return jid

    async def friends(self, *names: str) -> None:
        """Let all of them see each other's presence, before they come on stage."""
        for name in names:
            owner = await self.account(name)
            for other in names:
                if other != name:
                    await self.server.store.rosters.put(
                        owner, RosterItem(JID.of(other, DOMAIN), subscription="both")
                    )

    async def connects(self) -> Actor:
        """Somebody opens a TCP connection, and nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.ports["c2s"][0])
        actor = Actor(self, reader, writer)
        self.actors.append(actor)
        return actor

    async def logs_in(self, name: str, *, lang: str = "") -> Actor:
        """Somebody logs in; binding a resource, or resuming, is left to the scene."""
        await self.account(name)
        actor = await self.connects()
        actor.lang = lang
        await actor.logs_in(name)
        return actor

    async def enters(self, name: str, resource: str = "stage", *, lang: str = "") -> Actor:
        """Somebody logs in and binds a resource, and sends no presence yet."""
        actor = await self.logs_in(name, lang=lang)
        await actor.binds(resource)
        return actor

    async def comes_online(self, name: str, resource: str = "stage", *, priority: int = 0) -> Actor:
        """Somebody logs in and sends initial presence; what that brings is swallowed."""
        actor = await self.enters(name, resource)
        shown = f"<priority>{priority}</priority>" if priority else ""
        await actor.sends(f"<presence>{shown}</presence>")
        await actor.swallows()
        return actor

    async def settles(self) -> None:
        """Wait until the server has nothing left to do."""
        for _ in range(3):
            await self.server.journal.settled()
            await self.server.settle()
            await asyncio.sleep(0)

    async def leaves(self) -> None:
        for actor in self.actors:
            await actor.vanishes()


def _fields(credentials: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(credentials, name) for name in ("mechanism", "salt", "iterations", "stored_key", "server_key")
    )


@cache
def _first_start() -> TemporaryDirectory[str]:
    """What a server leaves behind after its first start: making it anew for each scene takes the most of its time."""
    return TemporaryDirectory(prefix="imserver-first-start-")


async def _prepare(folder: Path, logger: Any) -> None:
    made = Path(_first_start().name)
    if not any(made.iterdir()):  # noqa: ASYNC240 - nobody else is there yet
        async with running(settings_for(made, {}), logger):
            pass
    if not any(folder.glob("imserver.db*")):  # noqa: ASYNC240
        shutil.copytree(made, folder, dirs_exist_ok=True)


@asynccontextmanager
async def staged(
    folder: Path, overrides: Overrides, *, patience: float | None = None, trace: Trace | None = None
) -> AsyncIterator[Stage]:
    """Put a server on stage, with these settings by table; it keeps its data in the folder."""
    log = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[log])
    await _prepare(folder, logger)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(
            running(settings_for(folder, overrides), logger, patience=patience, trace=trace)
        )
        stage = Stage(one, log)
        stack.push_async_callback(stage.leaves)
        yield stage
