"""What happens in the desk, and what is to be done about it: no clock, no network, no database.

Every event returns its effects. Store what `take_changed` and `take_changed_agents` return first, then carry the
effects out, in their order. Call `tick` when `next_deadline` has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.desk.asking import Asking
from imserver.desk.assignment import Assignment
from imserver.desk.book import Book
from imserver.desk.checks import (
    check_is_in,
    check_may_accept,
    check_may_close,
    check_may_come,
    find_target,
)
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import HandOver, Refused, TakeAway
from imserver.desk.outbox import Outbox
from imserver.desk.parting import Parting
from imserver.desk.succession import Succession
from imserver.desk.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from imserver.desk.agents import Agent
    from imserver.desk.assignment import Choose
    from imserver.desk.effects import Effect
    from imserver.desk.queues import Queue
    from imserver.desk.settings import DeskSettings


class Floor:
    """All agents, and all conversations that are open or may be reopened."""

    def __init__(self, settings: DeskSettings, choose: Choose) -> None:
        self._outbox = Outbox()
        self._book = Book(settings)
        self._assignment = Assignment(self._book, choose, self._outbox)
        self._asking = Asking(self._book, self._outbox)
        self._waiting = Waiting(self._book, self._outbox, self._assignment, self._asking)
        self._parting = Parting(self._book, self._outbox, self._assignment)
        self._succession = Succession(self._book, self._outbox, self._asking, self._waiting)
        self._book.adopt(settings, 0.0)

    # Look

    @property
    def settings(self) -> DeskSettings:
        return self._book.settings

    @property
    def conversations(self) -> Mapping[int, Conversation]:
        """All that are open, and those that may be reopened."""
        return self._book.conversations

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The members of all queues, and whoever else still has a conversation."""
        return self._book.agents

    @property
    def queues(self) -> Mapping[str, Queue]:
        """The queues of the settings, and those gone from them where somebody still is."""
        return self._book.queues

    @property
    def looked(self) -> int:
        """How many agents and conversations routing has looked at."""
        return self._assignment.looked

    def find(self, client: str, queue: str) -> Conversation | None:
        """Find what a client's words to a queue belong to; one that is closed may be reopened by them."""
        return self._book.find(client, queue)

    def of_client(self, client: str) -> list[Conversation]:
        return self._book.of_client(client)

    def of_agent(self, agent: str) -> list[Conversation]:
        """Find the conversations that an agent is in, wrap-up included, the oldest first."""
        known = self._book.agents.get(agent)
        ids = sorted(known.conversations | known.visits) if known else []
        return [self._book.conversations[id] for id in ids]

    def between(self, agent: str, client: str) -> Conversation | None:
        """Find what an agent's words to a client belong to: where both are in several, where the client wrote last."""
        known = self._book.agents.get(agent)
        if known is None:
            return None
        conversations = self._book.conversations
        shared = [
            conversations[id]
            for ids in (known.conversations, known.visits)
            for id in ids
            if conversations[id].client == client
        ]
        if len(shared) < 2:
            return shared[0] if shared else None
        return max(shared, key=lambda one: (one.state is State.ACTIVE, one.last_client, one.id))

    def waiting(self, queue: str) -> list[Conversation]:
        """List who waits in a queue, in order."""
        return [self._book.conversations[id] for _, _, id in self._book.queues[queue].line]

    def position(self, conversation: Conversation) -> int:
        """Tell the client's number in the queue; 0 for one who does not wait: an agent is being asked, or is there."""
        return self._book.position(conversation)

    def estimate(self, conversation: Conversation) -> float | None:
        """Guess how long a client still waits, in seconds."""
        position = self.position(conversation)
        return self._book.queue_of(conversation).estimate(position) if position else None

    def next_deadline(self) -> float | None:
        """Tell when `tick` is due."""
        due = (self._book.timers.next(), self._book.opening_times.next())
        return min((at for at in due if at is not None), default=None)

    # Keep

    def take_changed(self) -> list[Conversation]:
        """Take the conversations that are to be stored; write them down before anything else happens."""
        changed = list(self._book.changed.values())
        self._book.changed.clear()
        return changed

    def take_changed_agents(self) -> list[Agent]:
        """Take the agents that are to be stored; write them down before anything else happens."""
        changed = list(self._book.changed_agents.values())
        self._book.changed_agents.clear()
        return changed

    def restore(
        self, conversations: Iterable[Conversation], agents: Iterable[Agent], now: float
    ) -> list[Effect]:
        """Go on after a start with what was stored; tell who is there afterwards, with `agent_changed`.

        Whoever was being asked is asked again once they are there; who has conversations has the grace to come back.
        """
        self._succession.restore(conversations, agents, now)
        return self._done(now)

    def reload(self, settings: DeskSettings, now: float) -> list[Effect]:
        """Take over settings that were read anew; tell afterwards who of the new agents is there.

        Clients who wait in a queue that is gone go to its overflow queue. If there is none, the queue goes on as it
        was, with its agents, until its last conversation is closed; no new client gets in.
        """
        self._succession.adopt(settings, now)
        self._assignment.settle_all(now)
        return self._done(now)

    # Clients

    def client_wrote(
        self,
        client: str,
        queue: str,
        now: float,
        *,
        new_id: Callable[[], int],
        lang: str = "",
        known_agent: str = "",
        skills: Mapping[str, int] | None = None,
        priority: int = 0,
    ) -> tuple[Conversation, list[Effect]]:
        """Find the conversation that a client's words belong to: the open one, the last one reopened, or a new one.

        Raises:
            Refused: If there is no such queue.
        """
        conversation = self._waiting.find(client, queue, now)
        if conversation is None:
            conversation = self._waiting.new(client, queue, now, new_id, known_agent)
            conversation.lang = lang
            conversation.skills = dict(skills or {})
            conversation.priority = priority
            self._waiting.greet(conversation, now)
        elif conversation.state is State.CLOSED:
            self._waiting.reopen(conversation, now)
        elif conversation.state is State.WRAPPING:
            self._waiting.go_on(conversation, now)
        conversation.lang = lang or conversation.lang
        conversation.last_client = now
        conversation.warned_at = None
        if conversation.unanswered_since is None:
            conversation.unanswered_since = now
        self._book.touch(conversation, now)
        return conversation, self._done(now)

    def client_left(self, conversation: Conversation, now: float) -> list[Effect]:
        """End it: the client has gone and will not read an answer."""
        if conversation.is_open:
            if conversation.state is State.ACTIVE:
                self._outbox.tell_agent(conversation, "client_left")
            self._parting.end(conversation, now, key="")
        return self._done(now)

    # Agents come, go and rest

    def agent_changed(self, agent: str, now: float, *, ready: bool, online: bool) -> list[Effect]:
        """Note an agent's presence, all devices taken together: `online` if any is available, `ready` if not away."""
        if known := self._book.agents.get(agent):
            self._asking.presence(known, ready=ready, online=online, now=now)
        return self._done(now)

    def pause(self, agent: str, reason: str, now: float) -> list[Effect]:
        """Do not ask an agent any more; what they have stays theirs."""
        if known := self._book.agents.get(agent):
            self._asking.pause(known, reason or "pause", now)
        return self._done(now)

    def unpause(self, agent: str, now: float) -> list[Effect]:
        """Ask an agent again."""
        if known := self._book.agents.get(agent):
            self._asking.unpause(known, now)
        return self._done(now)

    # Agents answer offers

    def accept(self, conversation: Conversation, agent: str, now: float) -> list[Effect]:
        """Let an agent have it who is asked, or who helps themselves from the queue.

        Raises:
            Refused: If somebody else has it, is being asked, or there is no room.
        """
        if conversation.state is State.ACTIVE and conversation.agent == agent:
            return []  # said twice, from two devices perhaps
        check_may_accept(self._book, conversation, agent)
        self._asking.answered(self._book.agents[agent])
        self._assignment.give(conversation, agent, "accept", now)
        return self._done(now)

    def decline(self, conversation: Conversation, agent: str, now: float) -> list[Effect]:
        """Have the next one asked.

        Raises:
            Refused: If the agent is not asked.
        """
        if agent not in conversation.offered:
            if conversation.state is State.ACTIVE and conversation.agent != agent:
                raise Refused("taken", agent=conversation.agent)
            raise Refused("not_offered")
        self._asking.decline(conversation, self._book.agents[agent], now)
        return self._done(now)

    # Agents in a conversation

    def agent_wrote(self, conversation: Conversation, agent: str, now: float) -> list[Effect]:
        """Note that an agent answered.

        Raises:
            Refused: If the agent is not in it.
        """
        check_is_in(conversation, agent)
        accepted = now if conversation.accepted is None else conversation.accepted
        if conversation.answered is None:
            conversation.answered = now
            self._outbox.happened(conversation, "first_response", now, now - accepted, agent=agent)
        elif conversation.unanswered_since is not None:
            since = max(conversation.unanswered_since, accepted)
            self._outbox.happened(conversation, "reply", now, now - since, agent=agent)
        conversation.last_agent = now
        conversation.unanswered_since = conversation.warned_at = None
        self._book.touch(conversation, now)
        return self._done(now)

    def transfer(self, conversation: Conversation, to: str, reason: str, by: str, now: float) -> list[Effect]:
        """Pass it on to a queue, by name, or to an agent, by JID; the place by age is kept.

        An agent who does not take it leaves it to the queue.

        Raises:
            Refused: If it is not theirs, or the other is unknown, closed, away or full.
        """
        check_is_in(conversation, by)
        queue, target = find_target(self._book, conversation, to, now)
        self._parting.transfer(conversation, queue, target, reason, now)
        return self._done(now)

    def invite(self, conversation: Conversation, agent: str, by: str, now: float) -> list[Effect]:
        """Bring a second agent in, who may be away but must be there; it does not count as theirs.

        Raises:
            Refused: If it is not theirs to invite to, or the other is unknown, offline or in it already.
        """
        check_is_in(conversation, by)
        check_may_come(self._book, conversation, agent)
        with self._book.changing(conversation, now):
            conversation.guests.add(agent)
        self._outbox.add(HandOver(conversation, agent, by, "invited", is_guest=True))
        return self._done(now)

    def leave(self, conversation: Conversation, agent: str, now: float) -> list[Effect]:
        """Let a guest go.

        Raises:
            Refused: If the agent is no guest of it.
        """
        check_is_in(conversation, agent)
        if agent not in conversation.guests:
            raise Refused("leave_owner")
        with self._book.changing(conversation, now):
            conversation.guests.discard(agent)
        self._outbox.add(TakeAway(conversation, agent, "left"))
        return self._done(now)

    def close(self, conversation: Conversation, code: str, by: str, now: float) -> list[Effect]:
        """End it with a wrap-up code, or end its wrap-up; `by` is "" for the desk itself.

        Raises:
            Refused: If it is over, not theirs, or the code is not one of the queue's, or missing.
        """
        if conversation.state is State.CLOSED:
            raise Refused("gone")
        if by:
            check_may_close(self._book, conversation, code, by)
        if conversation.state is State.WRAPPING:
            self._parting.finish(conversation, now, code=code)
        else:
            self._parting.end(conversation, now, key="closed", code=code)
        return self._done(now)

    # Time

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        return self._done(now)

    def _attend(self, conversation: Conversation, now: float) -> None:
        match conversation.state:
            case State.WAITING:
                self._waiting.attend(conversation, now)
            case State.OFFERED:
                self._asking.attend(conversation, now)
            case State.ACTIVE:
                self._parting.attend(conversation, now)
            case State.WRAPPING:
                self._parting.finish(conversation, now)
            case State.CLOSED:
                self._book.forget(conversation)

    def _done(self, now: float) -> list[Effect]:
        """Do what else is due, match whom this has set free or brought, and return what is to be done."""
        for id in self._book.timers.take(now):
            self._attend(self._book.conversations[id], now)
        self._book.open_and_close(now)
        self._assignment.settle(now)
        return self._outbox.take()
