"""How clients are, as their agents see it: presence that tells how long they have been waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from imserver.desk import contacts
from imserver.desk.conversation import State
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.routing.sessions import Session

#: How often it is looked whose status reads otherwise by now, in seconds.
LOOK_SECONDS: Final = 20.0
#: How soon it shows that somebody wrote, in seconds: not with every message.
SOON_SECONDS: Final = 1.0


class Statuses:
    """Shows agents how their clients are, when that has changed."""

    def __init__(self, desk: Desk, look_after: Callable[[], None]) -> None:
        self._desk = desk
        self._look_after = look_after
        #: What each agent was shown last.
        self._shown: dict[tuple[int, str], tuple[str, str]] = {}
        self._changed: set[int] = set()
        self._soon: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look now and then."""
        self._task = asyncio.create_task(self._look())

    def stop(self) -> None:
        """Look no more."""
        for one in (self._task, self._soon):
            if one is not None:
                one.cancel()

    def soon(self, conversation: Conversation) -> None:
        """Show in a while that somebody wrote."""
        self._changed.add(conversation.id)
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_SECONDS, self.show_changed)

    def show_changed(self) -> None:
        """Show those in whose conversations somebody wrote."""
        self._soon = None
        changed, self._changed = self._changed, set()
        for id in changed:
            if (conversation := self._desk.floor.conversations.get(id)) is not None:
                self.show(conversation)

    def show_all(self) -> None:
        """Show the agents which of their clients have waited so long that it reads otherwise."""
        for id in {id for id, _ in self._shown}:
            if (conversation := self._desk.floor.conversations.get(id)) is not None:
                self.show(conversation)

    def show(self, conversation: Conversation, *, only: Session | None = None) -> None:
        """Show its agents how a client is, if they do not know it."""
        if conversation.state is not State.ACTIVE:
            return
        desk = self._desk
        contact = desk.contact(conversation)
        for agent in conversation.agents if only is None else (only.bare,):
            jid = JID.parse(agent)
            lang = desk.language_of(jid)
            shown = (contact.name, contacts.status(contact, desk.now(), lang=lang))
            if only is None and self._shown.get((conversation.id, agent)) == shown:
                continue
            self._shown[conversation.id, agent] = shown
            for session in [only] if only is not None else desk.server.sessions.of(jid):
                if session.is_available:
                    session.send(contacts.presence(contact, session.jid, desk.now(), lang=lang))

    def forget(self, conversation: Conversation, agent: str) -> None:
        """Show it anew the next time."""
        self._shown.pop((conversation.id, agent), None)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.show_all()
            self._look_after()
