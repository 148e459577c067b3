"""Offers after they were put: declined, missed, withdrawn; and agents who come, go and pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from imserver.desk.agents import MISSED, Agent
from imserver.desk.conversation import Conversation, State, step
from imserver.desk.effects import TellAgent, Withdraw

if TYPE_CHECKING:
    from imserver.desk.book import Book
    from imserver.desk.outbox import Outbox

Reason = Literal["away", "paused", "removed", "moved"]


class Asking:
    """Keeps who is asked in step with who can answer."""

    def __init__(self, book: Book, outbox: Outbox) -> None:
        self._book = book
        self._outbox = outbox

    # Answers, or none

    def answered(self, agent: Agent) -> None:
        """Forget what an agent has missed before."""
        if agent.misses:
            agent.misses = 0
            self._book.changed_agents[agent.jid] = agent

    def decline(self, conversation: Conversation, agent: Agent, now: float) -> None:
        self.answered(agent)
        asked_for = self._asked_for(conversation, agent.jid, now)
        self._pass_over(conversation, agent.jid, now)
        self._outbox.add(Withdraw(conversation, agent.jid, "declined"))
        self._outbox.happened(conversation, "declined", now, asked_for, agent=agent.jid)

    def attend(self, conversation: Conversation, now: float) -> None:
        """Wait no longer for those whose time is over."""
        for jid in [jid for jid, deadline in conversation.offered.items() if deadline <= now]:
            # Whoever is paused for it is not asked for anything any more, this included.
            if jid in conversation.offered:
                self._miss(conversation, self._book.agents[jid], now)

    def _miss(self, conversation: Conversation, agent: Agent, now: float) -> None:
        asked_for = self._asked_for(conversation, agent.jid, now)
        self._pass_over(conversation, agent.jid, now)
        self._outbox.add(Withdraw(conversation, agent.jid, "expired"))
        self._outbox.happened(conversation, "missed", now, asked_for, agent=agent.jid)
        agent.misses += 1
        self._book.changed_agents[agent.jid] = agent
        limit = self._book.queue_of(conversation).settings.misses_before_pause
        if limit and agent.misses >= limit and not agent.paused:
            self._outbox.add(TellAgent(agent.jid, "paused_missed", {"misses": agent.misses}))
            self.pause(agent, MISSED, now)

    def _asked_for(self, conversation: Conversation, agent: str, now: float) -> float:
        """Tell how long ago an agent was asked."""
        left = conversation.offered[agent] - now
        return self._book.queue_of(conversation).settings.offer_seconds - left

    def _pass_over(self, conversation: Conversation, agent: str, now: float) -> None:
        """Do not ask an agent again in this round."""
        again_at = now + self._book.queue_of(conversation).settings.ask_again_seconds
        with self._book.changing(conversation, now):
            _drop(conversation, agent)
            conversation.declined.add(agent)
            conversation.again_at = again_at

    # Not asked any more

    def withdraw(self, conversation: Conversation, agent: str, reason: Reason, now: float) -> None:
        with self._book.changing(conversation, now):
            _drop(conversation, agent)
        self._outbox.add(Withdraw(conversation, agent, reason))

    def release(self, conversation: Conversation, now: float) -> None:
        """Let anybody be asked, not only the one who was preferred."""
        with self._book.changing(conversation, now):
            conversation.preferred = ""

    # Agents

    def presence(self, agent: Agent, *, ready: bool, online: bool, now: float) -> None:
        """Note whether an agent is there, and may be asked."""
        was_ready, was_online = agent.is_ready, agent.is_online
        agent.is_ready, agent.is_online = ready and online, online
        if online != was_online or (online and agent.offline_since is not None):
            self._came_or_went(agent, now)
        if agent.is_ready and not was_ready:
            agent.idle_since = now
            self._book.changed_agents[agent.jid] = agent
            # Whoever was away and comes back is there.
            if agent.paused == MISSED:
                agent.paused = ""
        if not agent.is_ready:
            self._stop(agent, "away", now)
        self._book.refresh(agent)

    def pause(self, agent: Agent, reason: str, now: float) -> None:
        agent.paused = reason
        agent.misses = 0
        self._book.changed_agents[agent.jid] = agent
        self._stop(agent, "paused", now)
        self._book.refresh(agent)

    def unpause(self, agent: Agent, now: float) -> None:
        agent.paused = ""
        agent.misses = 0
        agent.idle_since = now
        self._book.changed_agents[agent.jid] = agent
        self._book.refresh(agent)

    def _came_or_went(self, agent: Agent, now: float) -> None:
        agent.offline_since = None if agent.is_online else now
        self._book.changed_agents[agent.jid] = agent
        for id in sorted(agent.conversations):
            conversation = self._book.conversations[id]
            if conversation.state is State.ACTIVE:
                conversation.lost_since = agent.offline_since
                self._book.touch(conversation, now)

    def _stop(self, agent: Agent, reason: Reason, now: float) -> None:
        """Ask an agent for nothing any more, and wait for them no longer."""
        for id in sorted(agent.offers):
            self.withdraw(self._book.conversations[id], agent.jid, reason, now)
        for queue in self._book.queues_of(agent.jid):
            for _, _, id in list(queue.reserved.get(agent.jid, ())):
                self.release(self._book.conversations[id], now)


def _drop(conversation: Conversation, agent: str) -> None:
    del conversation.offered[agent]
    if conversation.preferred == agent:
        conversation.preferred = ""
    if not conversation.offered:
        step(conversation, "withdraw")
