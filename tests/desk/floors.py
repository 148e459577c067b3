"""A floor to play on: what is stored, and effects that can be asked for by their kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, TypeVar

from imserver.desk.agents import Agent
from imserver.desk.assignment import Question
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Effect, Happened, Refused, TellClient
from imserver.desk.floor import Floor
from imserver.desk.settings import DeskSettings
from imserver.desk.strategies import choose_agent
from imserver.storage.conversations import AgentRow, ConversationRow

EffectT = TypeVar("EffectT")

ANA, LUIS, EVA = "ana@example.com", "luis@example.com", "eva@example.com"
MONDAY = 1_767_600_000.0  # 2026-01-05 08:00 UTC


def settings(**queues: dict[str, Any]) -> DeskSettings:
    return DeskSettings.model_validate({"queues": queues})


def choose(question: Question) -> Sequence[str] | None:
    return choose_agent(question.queue, question.conversation, question.candidates)


class Stage:
    """A floor with a clock and a database."""

    def __init__(self, **queues: dict[str, Any]) -> None:
        self.now = MONDAY
        self.floor = Floor(settings(**queues), choose)
        self.stored: dict[int, str] = {}
        self.stored_agents: dict[str, str] = {}
        self.effects: list[Effect] = []
        self._ids = count(1)

    # Events

    def done(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Store what has changed, as JSON, and keep the effects."""
        for conversation in self.floor.take_changed():
            self.stored[conversation.id] = json.dumps(conversation.to_row())
        for agent in self.floor.take_changed_agents():
            self.stored_agents[agent.jid] = json.dumps(agent.to_row())
        self.effects = list(effects)
        return self.effects

    def writes(self, client: str, queue: str = "support", **hints: Any) -> Conversation:
        conversation, effects = self.floor.client_wrote(
            client, queue, self.now, new_id=lambda: next(self._ids), **hints
        )
        self.done(effects)
        return conversation

    def comes(self, *agents: str) -> None:
        for agent in agents:
            self.done(self.floor.agent_changed(agent, self.now, ready=True, online=True))

    def is_away(self, agent: str) -> None:
        self.done(self.floor.agent_changed(agent, self.now, ready=False, online=True))

    def goes(self, agent: str) -> None:
        self.done(self.floor.agent_changed(agent, self.now, ready=False, online=False))

    def accepts(self, agent: str, conversation: Conversation) -> None:
        self.done(self.floor.accept(conversation, agent, self.now))

    def attended(self, client: str, agent: str, queue: str = "support") -> Conversation:
        """Bring a client to an agent."""
        conversation = self.writes(client, queue)
        if conversation.state is not State.ACTIVE:
            self.accepts(agent, conversation)
        return conversation

    def passes(self, seconds: float) -> list[Effect]:
        """Let time pass, as it is due."""
        until = self.now + seconds
        effects: list[Effect] = []
        while (at := self.floor.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            effects += self.done(self.floor.tick(self.now))
        self.now = until
        self.effects = effects
        return effects

    def crashes(self) -> None:
        """Start again with what was stored."""
        self.floor = Floor(self.floor.settings, choose)
        conversations = [
            Conversation.from_row(ConversationRow(**json.loads(row))) for row in self.stored.values()
        ]
        agents = [Agent.from_row(AgentRow(**json.loads(row))) for row in self.stored_agents.values()]
        self.done(self.floor.restore(conversations, agents, self.now))

    def again(self, conversation: Conversation) -> Conversation:
        """Find a conversation after a crash."""
        return self.floor.conversations[conversation.id]

    # Look

    def happened(self) -> list[tuple[str, str, float]]:
        return [(event.kind, event.agent, event.seconds) for event in of(Happened, self.effects)]

    def told(self) -> list[str]:
        """What clients were told just now."""
        return [effect.key for effect in of(TellClient, self.effects)]


def of(kind: type[EffectT], effects: Iterable[Effect]) -> list[EffectT]:
    return [effect for effect in effects if isinstance(effect, kind)]


def refusal(refused: BaseException) -> tuple[str, dict[str, Any]]:
    assert isinstance(refused, Refused)
    return refused.key, refused.values
