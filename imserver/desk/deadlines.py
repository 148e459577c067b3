"""What time does to a conversation: what it wants of an agent by now, and when to look at it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk.conversation import Conversation, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imserver.desk.queues import Place, Wanted
    from imserver.desk.settings import QueueSettings

#: Seconds since 1970 have so few digits left behind the point that a step just due may seem not to be.
_ROUNDING: Final = 1e-6


def place(conversation: Conversation, queue: QueueSettings) -> Place:
    """Tell its place among those who wait."""
    return (conversation.priority or queue.priority, conversation.queued_at, conversation.id)


def wanted(conversation: Conversation, queue: QueueSettings, now: float) -> Wanted:
    """Tell what an agent must know by now: each step of relaxing takes one from every level."""
    levels = {**queue.skills, **conversation.skills}
    if not levels:
        return ()
    steps = _times(now - conversation.entered, queue.relax_after_seconds)
    return tuple(sorted((skill, level - steps) for skill, level in levels.items() if level > steps))


def may_be_offered(conversation: Conversation, queue: QueueSettings, now: float) -> bool:
    """Tell whether it has waited as long as it has to."""
    return now >= max(conversation.entered + queue.delay_seconds, conversation.rest_until)


def is_overdue(conversation: Conversation, queue: QueueSettings, now: float) -> bool:
    """Tell whether it has waited so long that it goes to the overflow queue."""
    waited = now - conversation.entered + _ROUNDING
    return bool(queue.overflow_queue) and waited >= queue.overflow_after_seconds


def silent_since(conversation: Conversation) -> float | None:
    """Tell since when nobody has said a word that the other could answer; None if the client waits for an answer."""
    if conversation.unanswered_since is not None or conversation.lost_since is not None:
        return None
    return max(conversation.last_client, conversation.last_agent, conversation.accepted or 0.0)


def next_look(conversation: Conversation, queue: QueueSettings, now: float) -> float | None:
    """Tell when something is due in a conversation; None if time does nothing to it."""
    match conversation.state:
        case State.WAITING:
            due = _waiting(conversation, queue, now)
        case State.OFFERED:
            due = iter(conversation.offered.values())
        case State.ACTIVE:
            due = _active(conversation, queue)
        case State.WRAPPING:
            due = iter([conversation.wrap_until or now])
        case State.CLOSED:
            due = iter([(conversation.closed or now) + queue.reopen_seconds])
    return min(due, default=None)


def _waiting(conversation: Conversation, queue: QueueSettings, now: float) -> Iterator[float]:
    entered = conversation.entered
    for until in (entered + queue.delay_seconds, conversation.rest_until):
        if until > now:
            yield until
    if conversation.again_at is not None:
        yield conversation.again_at
    if conversation.preferred:
        yield conversation.preferred_until
    if queue.relax_after_seconds and wanted(conversation, queue, now):
        yield _next_time(entered, queue.relax_after_seconds, now)
    if queue.overflow_queue:
        # Once it is due it is tried again from time to time: the other queue may be closed.
        yield _next_time(entered, queue.overflow_after_seconds, now)
    if queue.position_seconds:
        yield conversation.told_at + queue.position_seconds


def _active(conversation: Conversation, queue: QueueSettings) -> Iterator[float]:
    if conversation.lost_since is not None:
        yield conversation.lost_since + queue.lost_agent_grace_seconds
    if conversation.warned_at is not None:
        yield conversation.warned_at + queue.silent_close_seconds
    elif queue.silent_warning_seconds and (since := silent_since(conversation)) is not None:
        yield since + queue.silent_warning_seconds


def _times(passed: float, period: float) -> int:
    return max(int(passed / period + _ROUNDING), 0) if period else 0


def _next_time(start: float, period: float, now: float) -> float:
    return start + (_times(now - start, period) + 1) * period
