"""Shows an agent who takes a conversation what was said with the client before, whoever attended them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from imserver import JID, READS_ARCHIVE, SharedArchive, hookimpl
from imserver.desk import archives_of, find_desk
from imserver_history_by_from import wording
from imserver_history_by_from.access import check_access
from imserver_history_by_from.history import History
from imserver_history_by_from.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from pydantic import BaseModel

    from imserver import Presence, Server, Session
    from imserver.desk import Conversation, Desk
    from imserver_history_by_from.wording import Said

#: What is noted at a session: the number of messages when it began.
BEGAN: Final = "history_by_from"
#: Of how many devices it is remembered what they were shown.
MOST_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Given:
    """Up to where an agent is shown what was said with a client."""

    client: JID
    up_to: int
    #: What the client wrote to this queue, and after that message, the agent is given by the desk.
    waiting: tuple[JID, int]


class Plugin:
    """The history of one server's clients."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._desk: Desk | None = None
        #: What agents who are in a conversation were shown: for their devices that come later.
        self._given: dict[tuple[int, JID], Given] = {}
        #: Up to which message each device was shown what was said with a client, in a session that began then.
        self._shown: OrderedDict[tuple[JID, JID], tuple[int, int]] = OrderedDict()

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[BaseModel]]:
        """Read the table `[plugins.history_by_from]`."""
        return [Settings]

    @hookimpl
    def server_starting(self, server: Server) -> None:
        """Find the desk: without one there is nothing to show."""
        if self._settings.history_by_from and server.settings.desk.file is not None:
            self._desk = find_desk(server)
            self._desk.tells_what_was_said = not self._settings.messages

    # Whoever takes a conversation

    @hookimpl
    async def conversation_assigned(self, server: Server, conversation: Conversation, agent: JID) -> None:
        """Show the agent, on all devices, what was said before."""
        desk = self._desk
        if desk is None or not self._settings.messages:
            return
        client = JID.parse(conversation.client)
        waiting = (desk.queue_jid(conversation.entrance), conversation.handed)
        given = self._given[conversation.id, agent] = Given(client, server.number(), waiting)
        await self._show(desk, given, [one for one in server.sessions.of(agent) if one.is_available])

    @hookimpl
    def conversation_closed(self, conversation: Conversation) -> None:
        """Show it to no more devices."""
        for key in [key for key in self._given if key[0] == conversation.id]:
            del self._given[key]

    @hookimpl
    def session_opened(self, server: Server, session: Session) -> None:
        """Note since when a device sees everything itself."""
        session.features[BEGAN] = server.number()

    @hookimpl
    def presence_changed(self, session: Session, presence: Presence) -> Awaitable[None] | None:
        """Show a device that has come later what the others were shown."""
        if self._desk is None or not self._given or presence.type or not self._settings.later_devices:
            return None
        return self._show_later(self._desk, session)

    async def _show_later(self, desk: Desk, session: Session) -> None:
        for (id, agent), given in list(self._given.items()):
            if agent != session.bare or (session.jid, given.client) in self._shown:
                continue
            conversation = desk.floor.conversations.get(id)
            if conversation is None or agent not in conversation.agents:
                del self._given[id, agent]
            else:
                # What the agent's own archive has, a new device reads there.
                await self._show(desk, given, [session], reads_archive=True)

    async def _show(
        self, desk: Desk, given: Given, sessions: Sequence[Session], *, reads_archive: bool = False
    ) -> None:
        if not sessions:
            return
        agent, client, history = sessions[0].bare, given.client, History(desk)
        said = await history.newest(client, self._settings.messages, up_to=given.up_to, waiting=given.waiting)
        same, copied = await history.known(said, agent, client)
        own = same | copied
        for session in sessions:
            is_reader = reads_archive or READS_ARCHIVE in session.features
            began = session.features.get(BEGAN, 0)
            shown = self._remember(session.jid, given, began, is_reader=is_reader)
            missing = [
                one
                for one in said
                if one.number > shown and not (one.number in own and (is_reader or one.number >= began))
            ]
            self._send(desk, history, session, client, missing)

    def _remember(self, device: JID, given: Given, began: int, *, is_reader: bool) -> int:
        """Note what a device is being shown now, and return up to where it was before.

        One that does not read its archive may have forgotten everything since it was here last.
        """
        before, when = self._shown.pop((device, given.client), (0, 0))
        self._shown[device, given.client] = (given.up_to, began)
        if len(self._shown) > MOST_REMEMBERED:
            self._shown.popitem(last=False)
        return before if is_reader or when == began else 0

    def _send(
        self, desk: Desk, history: History, session: Session, client: JID, said: Sequence[Said]
    ) -> None:
        """Send it to one device only; nobody keeps it, counts it or answers it."""
        device, agent, has_carbons = desk.device_of(client), session.bare, session.carbons_since is not None
        for one in said:
            if history.is_client(one.sender):
                message = wording.from_client(one, device, session.jid)
            elif has_carbons:
                sent = wording.dated(wording.from_us(one, client, agent), one, agent)
                session.send(wording.carbon(sent, session.jid))
                continue
            else:
                message = wording.from_client_with_name(one, device, session.jid)
            session.send(wording.dated(message, one, agent))
        if not has_carbons:
            return
        # COMPAT: Gajim looks for the newest message of all, others for the newest that was received.
        heard = [one for one in said if history.is_client(one.sender)]
        for one in dict.fromkeys((*heard[-1:], *said[-1:])):
            session.send(wording.carbon(wording.has_been_read(one, client, agent), session.jid))

    # Whoever reads on

    @hookimpl
    async def find_archive(self, asker: JID, peer: JID) -> SharedArchive | None:
        """Let agents page through everything that was said with a client (XEP-0313)."""
        desk = self._desk
        if desk is None or peer.domain not in desk.channels:
            return None
        await check_access(desk, asker, peer, for_ever=self._settings.access_outlives_conversation)
        owners = await archives_of(desk, peer)
        return SharedArchive(owners, partial(History(desk).show, asker, peer))
