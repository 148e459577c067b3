"""Clients who wait: how they come, what they are told, and what time does to them."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from imserver.desk import deadlines, hours
from imserver.desk.conversation import Conversation, State, step
from imserver.desk.effects import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver.desk.asking import Asking
    from imserver.desk.assignment import Assignment
    from imserver.desk.book import Book
    from imserver.desk.outbox import Outbox
    from imserver.desk.queues import Queue


class Waiting:
    """Opens conversations, reopens them, and looks after them until an agent does."""

    def __init__(self, book: Book, outbox: Outbox, assignment: Assignment, asking: Asking) -> None:
        self._book = book
        self._outbox = outbox
        self._assignment = assignment
        self._asking = asking

    # Coming

    def find(self, client: str, entrance: str, now: float) -> Conversation | None:
        """Find the conversation that a client's words go on with."""
        conversation = self._book.find(client, entrance)
        if conversation is None or conversation.state is not State.CLOSED:
            return conversation
        queue = self._home(conversation)
        if queue is None or now > (conversation.closed or now) + queue.settings.reopen_seconds:
            return None
        return conversation

    def new(
        self, client: str, name: str, now: float, new_id: Callable[[], int], known_agent: str
    ) -> Conversation:
        """Make a conversation; it waits when it is greeted.

        Raises:
            Refused: If there is no such queue, or it is about to go.
        """
        queue = self._book.queues.get(name)
        if queue is None or queue.is_retired:
            raise Refused("target_unknown", target=name)
        conversation = Conversation(new_id(), client, name, name, now)
        conversation.waiting_since = conversation.queued_at = now
        conversation.entered = _when_open(queue, now)
        conversation.told_at = now
        _prefer(conversation, queue, known_agent, now)
        return conversation

    def greet(self, conversation: Conversation, now: float) -> None:
        """Let it wait, and say so if nobody takes it at once."""
        self._book.add(conversation, now)
        self._outbox.happened(conversation, "opened", now)
        self._outbox.tell_client(conversation, "welcome")
        self._assignment.settle(now)
        self._tell_wait(conversation, now)

    def reopen(self, conversation: Conversation, now: float) -> None:
        """Go on with one that is closed."""
        seconds = now - (conversation.closed or now)
        queue, last = self._home(conversation), conversation.agent
        assert queue is not None  # `find` has looked
        with self._book.changing(conversation, now):
            step(conversation, "reopen")
            send_to_wait(conversation, queue, "reopened", now)
            conversation.waiting_since = conversation.queued_at = now
            conversation.entered = _when_open(queue, now)
            conversation.closed = conversation.unanswered_since = None
            conversation.code = ""
            _prefer(conversation, queue, last, now)
        self._outbox.happened(conversation, "reopened", now, seconds)
        if conversation.preferred in queue.free and queue.serves(now):
            # They said goodbye a moment ago: no need to ask.
            self._assignment.give(conversation, last, "assign", now)
            return
        self._assignment.settle(now)
        self._tell_wait(conversation, now)

    def go_on(self, conversation: Conversation, now: float) -> None:
        """Go on with one that is being wrapped up: it is still its agent's."""
        seconds = now - (conversation.closed or now)
        is_there = self._book.agents[conversation.agent].is_online
        with self._book.changing(conversation, now):
            step(conversation, "reopen")
            conversation.closed = conversation.wrap_until = conversation.answered = None
            conversation.code = ""
            conversation.accepted = now
            conversation.lost_since = None if is_there else now
        self._outbox.happened(conversation, "reopened", now, seconds, agent=conversation.agent)
        self._outbox.tell_agent(conversation, "reopened")

    def _home(self, conversation: Conversation) -> Queue | None:
        """Find the queue it belongs to; if that is gone, where the client came in."""
        queues = self._book.queues
        return queues.get(conversation.queue) or queues.get(conversation.entrance)

    # Waiting

    def attend(self, conversation: Conversation, now: float) -> None:
        """Do what time does to it."""
        queue = self._book.queue_of(conversation).settings
        overflow = self._book.queues.get(queue.overflow_queue)
        is_overdue = deadlines.is_overdue(conversation, queue, now)
        if is_overdue and overflow and not overflow.is_retired and overflow.is_open(now):
            self.move(conversation, overflow, now)
            return
        if conversation.again_at is not None and conversation.again_at <= now:
            with self._book.changing(conversation, now):
                conversation.declined = set()
                conversation.again_at = None
        if conversation.preferred and conversation.preferred_until <= now:
            self._asking.release(conversation, now)
        if queue.position_seconds and conversation.told_at + queue.position_seconds <= now:
            self._tell_position(conversation, now)
        self._book.place_anew(conversation, now)

    def move(self, conversation: Conversation, queue: Queue, now: float) -> None:
        """Let it wait in another queue, in its place by age."""
        self._outbox.happened(conversation, "overflowed", now, now - conversation.entered)
        with self._book.changing(conversation, now):
            step(conversation, "move")
            conversation.queue = queue.name
            conversation.entered = now
            conversation.preferred = ""
            conversation.declined = set()
            conversation.again_at = None
            conversation.rest_until = 0.0

    # Telling

    def _tell_wait(self, conversation: Conversation, now: float) -> None:
        """Say what is to be expected to a client who has come, and is not attended yet."""
        if conversation.state is not State.WAITING:
            return
        queue = self._book.queue_of(conversation)
        if not queue.is_open(now):
            opens = hours.opens_at(queue.settings, now)
            key, values = ("away_until", {"opens": opens}) if opens else ("away", {})
            self._outbox.tell_client(conversation, key, values)
        elif not queue.ready:
            self._outbox.tell_client(conversation, "no_agents")
        else:
            self._tell_position(conversation, now)

    def _tell_position(self, conversation: Conversation, now: float) -> None:
        """Say the position, if it is another one than was said before."""
        conversation.told_at = now
        position = self._book.position(conversation)
        queue = self._book.queue_of(conversation)
        if position == conversation.told_position or not queue.ready or not queue.is_open(now):
            return
        conversation.told_position = position
        values: dict[str, Any] = {"position": position}
        key = "position"
        if (seconds := queue.estimate(position)) is not None:
            key, values["minutes"] = "position_estimate", in_minutes(seconds)
        self._outbox.tell_client(conversation, key, values)


def send_to_wait(conversation: Conversation, queue: Queue, reason: str, now: float) -> None:
    """Take it from its agent, who is remembered with the reason; it keeps its place by age."""
    conversation.queue = queue.name
    conversation.previous, conversation.reason = conversation.agent, reason
    conversation.agent = conversation.preferred = ""
    conversation.guests = set()
    conversation.declined = set()
    conversation.again_at = conversation.lost_since = conversation.warned_at = None
    conversation.accepted = conversation.answered = None
    conversation.rest_until = 0.0
    conversation.entered = conversation.told_at = now
    conversation.told_position = 0


def in_minutes(seconds: float) -> int:
    return max(ceil(seconds / 60), 1)


def _prefer(conversation: Conversation, queue: Queue, agent: str, now: float) -> None:
    """Keep it for an agent who is there and knows the client."""
    if queue.settings.prefer_last_agent and agent in queue.ready:
        conversation.preferred = agent
        conversation.preferred_until = now + queue.settings.prefer_seconds


def _when_open(queue: Queue, now: float) -> float:
    """Tell when the waiting begins to count: not before the queue opens."""
    if queue.is_open(now):
        return now
    opening = hours.opens_at(queue.settings, now)
    return opening.timestamp() if opening else now
