"""Shows agents the names of clients instead of their numbers, and clients a name instead of the agent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imserver import hookimpl
from imserver.desk import LOOKUP, Name, clean_name, find_desk
from imserver_display_name.agent_names import AgentNames
from imserver_display_name.claims import claim, is_free, skeleton
from imserver_display_name.names_file import Names, concerns, read_names
from imserver_display_name.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pydantic import BaseModel

    from imserver import JID, Server, Session
    from imserver.desk import Client, Conversation, Desk

#: Whose word counts first; what a client says of themselves comes after all of them.
ORDER: Final = ("agent", "file")
#: How often it is looked whether the file of names has changed, in seconds.
LOOK_SECONDS: Final = 2.0
#: How many broken lines the log names, each time that the file is read.
MOST_NAMED: Final = 20


class Plugin:
    """The names of one server's clients and agents."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._agents = AgentNames(settings)
        #: What nobody may claim, and when that was looked up.
        self._taken: tuple[object, int, frozenset[str]] = (None, 0, frozenset())
        self._names = Names()
        self._changed: float | None = None
        self._watcher: asyncio.Task[None] | None = None

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[BaseModel]]:
        """Read the table `[plugins.display_name]`."""
        return [Settings]

    # What agents see of clients

    @hookimpl(specname="find_display_name", tryfirst=True)
    def show_numbers(self, client: Client) -> Name | None:
        """Let agents see numbers only, where that is wanted."""
        is_wanted = self._settings.send_display_name_in_from_header
        return None if is_wanted else Name(client.number, "number", is_verified=True)

    # Behind the others: who looks names up elsewhere knows better.
    @hookimpl(trylast=True)
    def find_display_name(self, server: Server, client: Client) -> Name | None:
        """Find the best name that is known: one that somebody vouches for, or else what the client says."""
        verified = {name.origin: name for name in client.names if name.is_verified and name.origin != LOOKUP}
        if written := self._names.of(client):
            verified["file"] = Name(written, "file", is_verified=True)
        if verified:
            first = next((origin for origin in ORDER if origin in verified), next(iter(verified)))
            return verified[first]
        claimed = [name for name in client.names if not name.is_verified]
        if not claimed or not self._settings.claimed:
            return None
        # A form that the client filled in for this, rather than what their program sends along.
        said = next((name for name in claimed if name.origin == "form"), claimed[-1])
        if not self._is_free(said.text, find_desk(server)):
            return None
        shown = self._settings.claimed.format(name=said.text, number=client.number)
        return Name(shown, said.origin, is_verified=False)

    @hookimpl
    def client_named(self, server: Server, client: Client, name: Name) -> None:
        """Remember what a client says their name is, or what the channel knows of it."""
        desk = find_desk(server)
        text = clean_name(name.text) if name.is_verified else claim(name.text)
        is_refused = bool(name.text.strip()) and not (text and self._is_free(text, desk))
        if is_refused:
            server.log.info("a name was refused", client=client.jid, name=name.text[:100], origin=name.origin)
            return
        called = Name(text, name.origin, name.is_verified)
        if called not in client.names and (text or any(one.origin == name.origin for one in client.names)):
            desk.clients.call(client.jid, called)

    def _is_free(self, name: str, desk: Desk) -> bool:
        """Tell whether a name looks like none of an agent or a queue."""
        seen, number, taken = self._taken
        if seen is not desk.settings or number != self._agents.changes:
            taken = frozenset(self._all_taken(desk))
            self._taken = (desk.settings, self._agents.changes, taken)
        return is_free(name, taken)

    def _all_taken(self, desk: Desk) -> set[str]:
        agents = {agent.partition("@")[0] for agent in desk.floor.agents}
        queues = {*desk.settings.queues, *(desk.title(queue) for queue in desk.settings.queues)}
        return {skeleton(name) for name in {*agents, *queues, *self._agents.all(), *self._settings.refused}}

    # The file

    @hookimpl
    async def server_starting(self, server: Server) -> None:
        """Read the names before anybody connects."""
        await self._read_if_changed(server)

    @hookimpl
    def server_started(self, server: Server) -> None:
        """Begin to look for changes of the file."""
        if self._settings.names:
            self._watcher = asyncio.create_task(self._watch(server))

    @hookimpl
    def server_stopping(self) -> None:
        """Look no more."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self, server: Server) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._read_if_changed(server)

    async def _read_if_changed(self, server: Server) -> None:
        if not self._settings.names:
            return
        file = Path(server.settings.file).parent / self._settings.names
        changed = await asyncio.to_thread(_time_of, file)
        if changed == self._changed:
            return
        self._changed = changed
        try:
            names = await asyncio.to_thread(read_names, file)
        except OSError as error:
            server.log.error(
                "the file of names can't be read; those known stay", file=str(file), reason=error.strerror
            )
            return
        for line, reason in names.broken[:MOST_NAMED]:
            server.log.warning(
                "a line of the file of names is broken", file=str(file), line=line, reason=reason
            )
        server.log.info(
            "read the file of names", file=str(file), names=len(names.by_alias), broken=len(names.broken)
        )
        await self.adopt(server, names)

    async def adopt(self, server: Server, names: Names) -> None:
        """Take over what stands in the file now, and show it wherever somebody is called otherwise."""
        different, self._names = self._names.differences(names), names
        if different and "desk" in server.features:
            await find_desk(server).clients.look_up_again(lambda client: concerns(different, client))

    # What clients see of agents

    @hookimpl
    def find_agent_name(self, server: Server, conversation: Conversation, agent: JID) -> str | None:
        """Name an agent as the settings say."""
        return self._agents.name(server, conversation, agent)

    @hookimpl
    def session_opened(self, server: Server, session: Session) -> Awaitable[None] | None:
        """Learn the name of an agent who logs in."""
        return self._learn(server, session.bare)

    @hookimpl
    def conversation_assigned(self, server: Server, agent: JID) -> Awaitable[None] | None:
        """Learn the name of an agent before they write."""
        return self._learn(server, agent)

    def _learn(self, server: Server, account: JID) -> Awaitable[None] | None:
        if self._settings.agent_name != "real" or "desk" not in server.features:
            return None
        if account not in find_desk(server).floor.agents:
            return None
        return self._agents.learn(server, account)


def _time_of(file: Path) -> float:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0.0
