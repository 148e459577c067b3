"""The bundled ways to choose whom to ask: those who are returned are asked at once, and the first to accept has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from imserver.desk.agents import Agent
from imserver.hooks import hookimpl

if TYPE_CHECKING:
    from imserver.desk.conversation import Conversation
    from imserver.desk.settings import QueueSettings

#: Looks at those who could be asked, of whom there is at least one.
Strategy = Callable[[Sequence[Agent]], list[str]]


def longest_idle(candidates: Sequence[Agent]) -> list[str]:
    """Ask who has gone longest without being given a conversation or ending one; those last who are being asked."""
    return [
        min(candidates, key=lambda agent: (len(agent.offers), agent.idle_since, agent.turn, agent.jid)).jid
    ]


def least_busy(candidates: Sequence[Agent]) -> list[str]:
    """Ask who has the fewest conversations, wrap-up included; among equals, who has been idle longest."""
    return [min(candidates, key=lambda agent: (agent.load, agent.idle_since, agent.turn, agent.jid)).jid]


def round_robin(candidates: Sequence[Agent]) -> list[str]:
    """Ask one after the other."""
    return [min(candidates, key=lambda agent: (agent.turn, agent.jid)).jid]


def all_at_once(candidates: Sequence[Agent]) -> list[str]:
    """Ask everybody who has room."""
    return [agent.jid for agent in candidates]


STRATEGIES: Final[Mapping[str, Strategy]] = {
    "longest-idle": longest_idle,
    "least-busy": least_busy,
    "round-robin": round_robin,
    "all-at-once": all_at_once,
}


@hookimpl
def choose_agent(
    queue: QueueSettings, conversation: Conversation, candidates: Sequence[Agent]
) -> list[str] | None:
    """Choose as the queue wants it; a strategy that is not ours is left to the plugin whose it is."""
    strategy = STRATEGIES.get(queue.strategy)
    return strategy(candidates) if strategy else None
