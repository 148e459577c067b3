"""Going on after a start, and after the settings were read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.desk.conversation import Conversation, State, step
from imserver.desk.effects import Closed, TakeAway

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver.desk.agents import Agent
    from imserver.desk.asking import Asking
    from imserver.desk.book import Book
    from imserver.desk.outbox import Outbox
    from imserver.desk.queues import Queue
    from imserver.desk.settings import DeskSettings
    from imserver.desk.waiting import Waiting


class Succession:
    """Brings conversations over to another process, or to other queues."""

    def __init__(self, book: Book, outbox: Outbox, asking: Asking, waiting: Waiting) -> None:
        self._book = book
        self._outbox = outbox
        self._asking = asking
        self._waiting = waiting

    # After a start

    def restore(self, conversations: Iterable[Conversation], agents: Iterable[Agent], now: float) -> None:
        book = self._book
        book.agents.update({agent.jid: agent for agent in agents if agent.jid in book.agents})
        # Who was erased is nobody's client any more.
        for conversation in [one for one in conversations if one.client]:
            if conversation.queue in book.queues:
                self._pick_up(conversation, now)
            elif conversation.entrance in book.queues:
                conversation.queue = conversation.entrance
                self._pick_up(conversation, now)
            elif conversation.state is not State.CLOSED:
                self._give_up(conversation, now)

    def _pick_up(self, conversation: Conversation, now: float) -> None:
        match conversation.state:
            case State.OFFERED:
                conversation.offered = {}
                step(conversation, "withdraw")
            case State.ACTIVE:
                conversation.lost_since = now
        # Who is there is not known yet: nobody is waited for who may not come.
        conversation.preferred = ""
        if conversation.state is not State.CLOSED:
            self._book.changed[conversation.id] = conversation
        self._book.add(conversation, now)

    def _give_up(self, conversation: Conversation, now: float) -> None:
        """Close what no queue is left for."""
        agent = conversation.agent
        conversation.state = State.CLOSED
        conversation.closed = now
        conversation.offered, conversation.guests = {}, set()
        conversation.wrap_until = None
        self._book.changed[conversation.id] = conversation
        self._outbox.add(Closed(conversation, agent))
        if agent:
            self._outbox.add(TakeAway(conversation, agent, "closed"))
        self._outbox.tell_client(conversation, "unserved")
        self._outbox.happened(conversation, "closed", now, now - conversation.opened, agent=agent)

    # After other settings

    def adopt(self, settings: DeskSettings, now: float) -> None:
        before = self._book.adopt(settings, now)
        for queue in list(self._book.queues.values()):
            if queue.name in before:
                self._say_goodbye(queue, before[queue.name].members, now)
            if queue.is_retired and (heir := self._heir(queue)):
                for id in sorted(queue.open_ids):
                    self._inherit(self._book.conversations[id], heir, now)

    def _say_goodbye(self, queue: Queue, before: frozenset[str], now: float) -> None:
        """Do not ask those any more who are no members any more, and wait for them no longer."""
        for jid in before - queue.members:
            agent = self._book.agents.get(jid)
            for id in sorted(agent.offers) if agent else []:
                conversation = self._book.conversations[id]
                if conversation.queue == queue.name:
                    self._asking.withdraw(conversation, jid, "removed", now)
            for _, _, id in list(queue.reserved.get(jid, ())):
                self._asking.release(self._book.conversations[id], now)

    def _heir(self, queue: Queue) -> Queue | None:
        heir = self._book.queues.get(queue.settings.overflow_queue)
        return heir if heir and not heir.is_retired else None

    def _inherit(self, conversation: Conversation, heir: Queue, now: float) -> None:
        """Bring one who waits in a queue that is gone to its overflow queue."""
        for agent in list(conversation.offered):
            self._asking.withdraw(conversation, agent, "moved", now)
        if conversation.state is State.WAITING:
            self._waiting.move(conversation, heir, now)
