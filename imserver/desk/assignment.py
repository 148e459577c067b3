"""Who gets whom: conversations that want an agent, and agents who have room.

Between events nobody waits whom a free agent suits. So an event can only match what it has changed: a conversation that
has come to wait, or wants less, looks for agents; an agent who has room again looks for conversations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imserver.desk.conversation import Conversation, State, step
from imserver.desk.effects import HandOver, Offer, Withdraw
from imserver.desk.strategies import longest_idle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imserver.desk.agents import Agent
    from imserver.desk.book import Book
    from imserver.desk.outbox import Outbox
    from imserver.desk.queues import Line, Place, Queue, Wanted
    from imserver.desk.settings import QueueSettings


@dataclass(frozen=True, slots=True)
class Question:
    """Who of these is to be asked? They all suit, have room, and were not asked yet in this round."""

    queue: QueueSettings
    conversation: Conversation
    candidates: Sequence[Agent]


#: Answers a question: those named are asked at once; nobody is asked for a while if none are; None is no opinion.
Choose = Callable[[Question], Sequence[str] | None]


class Assignment:
    """Puts conversations and agents together."""

    def __init__(self, book: Book, choose: Choose, outbox: Outbox) -> None:
        self._book = book
        self._choose = choose
        self._outbox = outbox
        self._turns = 0
        #: How many agents and conversations were looked at so far: what routing costs.
        self.looked = 0

    def settle(self, now: float) -> None:
        """Leave nobody waiting whom a free agent suits."""
        book = self._book
        while book.roomy or book.roomy_queues or book.hungry:
            roomy, queues, hungry = book.roomy, book.roomy_queues, book.hungry
            book.roomy, book.roomy_queues, book.hungry = {}, {}, set()
            for jid in roomy:
                self._serve_agent(book.agents[jid], roomy.keys(), hungry, now)
            for name in queues:
                if name in book.queues:
                    self._serve_queue(book.queues[name], now)
            self._serve_hungry(hungry, now)

    def settle_all(self, now: float) -> None:
        """Match everybody who waits: everything may have changed."""
        book = self._book
        book.roomy.clear()
        book.roomy_queues.clear()
        for queue in book.queues.values():
            book.hungry.update(id for _, _, id in queue.line)
        self.settle(now)

    # A conversation looks for agents

    def _serve_hungry(self, hungry: Iterable[int], now: float) -> None:
        waiting = []
        for id in hungry:
            conversation = self._book.conversations.get(id)
            if conversation and (standing := self._book.standing(conversation)) and standing.is_in_lane:
                waiting.append((standing.place, conversation))
        # The first of them has the first choice; places are never equal.
        for _, conversation in sorted(waiting, key=lambda one: one[0]):
            self._serve(conversation, now)

    def _serve(self, conversation: Conversation, now: float) -> None:
        queue = self._book.queue_of(conversation)
        standing = self._book.standing(conversation)
        if standing is None or not queue.free or not queue.serves(now):
            return
        if standing.preferred:
            agent = queue.free.get(standing.preferred)
            agents: Sequence[Agent] = [agent] if agent else []
        else:
            agents = self._suiting(queue, standing.wanted, queue.free.values())
        self._ask(conversation, queue, agents, now)

    def _suiting(self, queue: Queue, wanted: Wanted, agents: Iterable[Agent]) -> list[Agent]:
        agents = list(agents)
        self.looked += len(agents)
        return [agent for agent in agents if queue.suits(agent.jid, wanted)] if wanted else agents

    # A queue may serve more than before

    def _serve_queue(self, queue: Queue, now: float) -> None:
        while queue.free and queue.serves(now):
            lanes = sorted((line.first, preferred, ()) for preferred, line in queue.reserved.items())
            lanes += [(line.first, "", wanted) for wanted, line in queue.lanes.items()]  # type: ignore[misc]
            if not any(
                self._serve_lane(queue, preferred, wanted, now) for _, preferred, wanted in sorted(lanes)
            ):
                return

    def _serve_lane(self, queue: Queue, preferred: str, wanted: Wanted, now: float) -> bool:
        """Have the first of a lane asked for who can be; True if there was one."""
        agents = (
            [queue.free[preferred]]
            if preferred in queue.free
            else []
            if preferred
            else self._suiting(queue, wanted, queue.free.values())
        )
        if not agents:
            return False
        for _, _, id in queue.lane(wanted, preferred):
            self.looked += 1
            if self._ask(self._book.conversations[id], queue, agents, now):
                return True
        return False

    # An agent has room again

    def _serve_agent(self, agent: Agent, roomy: Iterable[str], hungry: set[int], now: float) -> None:
        while (found := self._first_for(agent, now)) is not None:
            conversation = self._book.conversations[found[2]]
            queue = self._book.queue_of(conversation)
            if conversation.preferred:
                agents = [agent]
            elif conversation.id in hungry:
                # It has not asked anybody yet, so it may suit all who are free.
                agents = self._suiting(queue, self._wanted(conversation), queue.free.values())
            else:
                others = [queue.free[jid] for jid in roomy if jid in queue.free]
                agents = self._suiting(queue, self._wanted(conversation), others)
            self._ask(conversation, queue, agents, now)

    def _first_for(self, agent: Agent, now: float) -> Place | None:
        """Find the first of those whom an agent suits, in any of their queues."""
        first: Place | None = None
        for queue in self._book.queues_of(agent.jid):
            if not queue.line or agent.jid not in queue.free or not queue.serves(now):
                continue
            lines = [line for wanted, line in queue.lanes.items() if queue.suits(agent.jid, wanted)]
            lines += [line for line in (queue.reserved.get(agent.jid),) if line]
            self.looked += 1 + len(queue.lanes)
            for line in lines:
                found = self._first_not_declined(line, agent)
                if found is not None and (first is None or found < first):
                    first = found
        return first

    def _first_not_declined(self, line: Line, agent: Agent) -> Place | None:
        for place in line:
            self.looked += 1
            if agent.jid not in self._book.conversations[place[2]].declined:
                return place
        return None

    def _wanted(self, conversation: Conversation) -> Wanted:
        standing = self._book.standing(conversation)
        return standing.wanted if standing else ()

    # Asking

    def _ask(self, conversation: Conversation, queue: Queue, agents: Sequence[Agent], now: float) -> bool:
        """Ask one of the agents, or give it to them; False if all of them were asked already."""
        candidates = [agent for agent in agents if agent.jid not in conversation.declined]
        if not candidates:
            return False
        chosen = self._choose(Question(queue.settings, conversation, candidates))
        if chosen is None:
            chosen = longest_idle(candidates)
        known = {agent.jid for agent in candidates}
        asked = list(dict.fromkeys(jid for jid in chosen if jid in known))
        if not asked:
            with self._book.changing(conversation, now):
                conversation.rest_until = now + queue.settings.ask_again_seconds
        elif queue.settings.accept == "assign":
            self.give(conversation, asked[0], "assign", now)
        else:
            self.offer(conversation, asked, now)
        return True

    def offer(self, conversation: Conversation, agents: Sequence[str], now: float) -> None:
        """Ask agents whether they take it."""
        deadline = now + self._book.queue_of(conversation).settings.offer_seconds
        with self._book.changing(conversation, now):
            step(conversation, "offer")
            conversation.offered = dict.fromkeys(agents, deadline)
        for jid in agents:
            self._take_turn(jid)
            self._outbox.add(Offer(conversation, jid, deadline))
            self._outbox.happened(conversation, "offered", now, agent=jid)

    def give(self, conversation: Conversation, agent: str, name: str, now: float) -> None:
        """Let an agent have it; `name` is the step that leads there."""
        asked = [jid for jid in conversation.offered if jid != agent]
        was_active = conversation.state is State.ACTIVE
        waited = now - conversation.entered
        with self._book.changing(conversation, now):
            step(conversation, name)
            conversation.agent = agent
            conversation.offered = {}
            conversation.declined = set()
            conversation.guests.discard(agent)
            conversation.preferred = ""
            conversation.again_at = conversation.warned_at = conversation.answered = None
            conversation.accepted = now
            conversation.lost_since = None if self._book.agents[agent].is_online else now
        self._take_turn(agent)
        self._book.agents[agent].idle_since = now
        self._book.changed_agents[agent] = self._book.agents[agent]

        self._outbox.extend(Withdraw(conversation, jid, "taken", by=agent) for jid in asked)
        self._outbox.add(HandOver(conversation, agent, conversation.previous, conversation.reason))
        if not was_active:
            self._outbox.happened(conversation, "accepted", now, waited, agent=agent)
            self._outbox.tell_client(conversation, "attended")

    def _take_turn(self, agent: str) -> None:
        self._turns += 1
        self._book.agents[agent].turn = self._turns
