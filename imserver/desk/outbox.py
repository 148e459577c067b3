"""What has come of an event so far, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imserver.desk.effects import NOTHING, Happened, TellAgent, TellClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from imserver.desk.conversation import Conversation
    from imserver.desk.effects import Effect, Kind


class Outbox:
    """Effects that wait to be carried out."""

    __slots__ = ("_effects",)

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def add(self, *effects: Effect) -> None:
        self._effects += effects

    def extend(self, effects: Iterable[Effect]) -> None:
        self._effects += effects

    def tell_client(self, conversation: Conversation, key: str, values: Mapping[str, Any] = NOTHING) -> None:
        self._effects.append(TellClient(conversation, key, values))

    def tell_agent(self, conversation: Conversation, key: str, values: Mapping[str, Any] = NOTHING) -> None:
        """Tell the agent of a conversation something about it."""
        self._effects.append(TellAgent(conversation.agent, key, values, conversation))

    def happened(
        self, conversation: Conversation, kind: Kind, at: float, seconds: float = 0.0, *, agent: str = ""
    ) -> None:
        """Note an event for the figures; a clock that was put back makes no time negative."""
        event = Happened(conversation.id, conversation.queue, agent, kind, at, max(seconds, 0.0))
        self._effects.append(event)

    def take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects
