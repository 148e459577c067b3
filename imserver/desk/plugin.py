"""The desk as a plugin of the server: it is there when `[desk] file` names its queues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from imserver.desk.channel import XMPPChannel
from imserver.desk.component import DeskComponent
from imserver.desk.desk import Desk
from imserver.desk.metrics import DeskCollector
from imserver.desk.settings import read_desk
from imserver.hooks import hookimpl
from imserver.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imserver.desk.settings import DeskSettings
    from imserver.routing.components import Component
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.stanza import Presence

#: Where a server has its desk.
FEATURE: Final = "desk"
#: How often it is looked whether the file has changed, in seconds.
LOOK_SECONDS: Final = 2.0


class DeskPlugin:
    """One server's desk."""

    def __init__(self, file: Path) -> None:
        """Read the queues.

        Raises:
            SettingsError: If the file can't be read, or is not what it should be.
        """
        self._file = file
        self._settings = read_file(file)
        self._changed = _time_of(file)
        self.desk: Desk | None = None
        self._channel: XMPPChannel | None = None
        self._watcher: asyncio.Task[None] | None = None

    @hookimpl
    def register_components(self, server: Server) -> Iterable[Component]:
        """Put the queues at the desk's domain, and clients with XMPP accounts at theirs."""
        self.desk = server.features[FEATURE] = Desk(server, self._settings)
        self._channel = XMPPChannel(self.desk)
        self.desk.channels[self._channel.domain] = self._channel
        return [DeskComponent(self.desk, self._channel), self._channel]

    @hookimpl
    def register_metrics(self, server: Server) -> Iterable[DeskCollector]:
        """Show how the desk does."""
        desk = self._desk
        return [
            DeskCollector(
                desk.counters,
                now=lambda: desk.now(),
                queues=lambda: desk.settings.queues,
                conversations=lambda: desk.floor.conversations.values(),
                staff=lambda: desk.floor.agents.values(),
            )
        ]

    @property
    def _desk(self) -> Desk:
        assert self.desk is not None, "components are registered first"
        return self.desk

    @hookimpl
    async def server_starting(self) -> None:
        """Go on with what was stored."""
        await self._desk.start()

    @hookimpl
    def server_started(self) -> None:
        """Begin to look for changes of the file."""
        self._watcher = asyncio.create_task(self._watch())

    @hookimpl
    async def server_stopping(self) -> None:
        """Store what is only in memory."""
        if self._watcher is not None:
            self._watcher.cancel()
        await self._desk.stop()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._look_at_file()

    def _look_at_file(self) -> None:
        changed = _time_of(self._file)
        if changed == self._changed:
            return
        self._changed = changed
        log = self._desk.server.log
        try:
            settings = read_file(self._file)
        except SettingsError as error:
            log.error("desk.toml can't be used; the desk goes on as before", reason=str(error))
            return
        self._desk.reload(settings)
        log.info("read desk.toml again", queues=sorted(settings.queues))

    # Agents and clients come and go

    @hookimpl
    def presence_changed(self, session: Session, presence: Presence) -> None:
        """See whether an agent is ready, and show a new device the clients."""
        self._desk.look_at(session.bare)
        if presence.type == "":
            self._desk.greet(session)
        else:
            self._left(session)

    @hookimpl
    def session_closed(self, session: Session) -> None:
        """Take note that a device is gone."""
        self._desk.look_at(session.bare)
        self._left(session)

    def _left(self, session: Session) -> None:
        self._desk.gone(session.jid)
        if self._channel is not None:
            self._channel.gone(session.jid)


def find_desk(server: Server) -> Desk:
    """Find the desk of a server that has one."""
    desk: Desk = server.features[FEATURE]
    return desk


def read_file(file: Path) -> DeskSettings:
    """Read desk.toml.

    Raises:
        SettingsError: If it can't be read, or is not what it should be.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError([f"{file}: is not text in UTF-8"]) from error
    except OSError as error:
        raise SettingsError([f"[desk] file: {file} can't be read: {error.strerror}"]) from error
    return read_desk(text, file)


def _time_of(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
