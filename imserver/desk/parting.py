"""How agents and clients part: transfer, a lost agent, silence, the end, and the wrap-up after it."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

from imserver.desk import deadlines
from imserver.desk.conversation import Conversation, State, step
from imserver.desk.effects import Closed, TakeAway, Withdraw
from imserver.desk.waiting import in_minutes, send_to_wait

if TYPE_CHECKING:
    from imserver.desk.agents import Agent
    from imserver.desk.assignment import Assignment
    from imserver.desk.book import Book
    from imserver.desk.outbox import Outbox
    from imserver.desk.queues import Queue


class Parting:
    """Takes conversations from agents, and ends them."""

    def __init__(self, book: Book, outbox: Outbox, assignment: Assignment) -> None:
        self._book = book
        self._outbox = outbox
        self._assignment = assignment

    # Giving away

    def transfer(
        self, conversation: Conversation, queue: Queue, target: Agent | None, reason: str, now: float
    ) -> None:
        """Pass it on to an agent, or to whoever of the queue takes it."""
        previous = conversation.agent
        if target is not None and target.jid in conversation.guests:
            self._hand_over(conversation, target.jid, "transferred", reason, now)
            return
        self._part(conversation, "transferred", now)
        with self._book.changing(conversation, now):
            step(conversation, "transfer")
            send_to_wait(conversation, queue, reason, now)
            conversation.waiting_since = now
            conversation.declined = {previous}
            conversation.again_at = now + queue.settings.ask_again_seconds
        self._outbox.happened(conversation, "transferred", now, agent=previous)
        self._outbox.tell_client(conversation, "transferred")
        if target is not None and queue.settings.accept == "assign":
            self._assignment.give(conversation, target.jid, "assign", now)
        elif target is not None:
            self._assignment.offer(conversation, [target.jid], now)

    def _hand_over(
        self,
        conversation: Conversation,
        guest: str,
        why: Literal["transferred", "lost"],
        reason: str,
        now: float,
    ) -> None:
        """Let a guest have it, who is in it already."""
        previous = conversation.agent
        self._handled(conversation, now)
        self._outbox.happened(conversation, "transferred", now, agent=previous)
        conversation.previous, conversation.reason = previous, reason
        self._assignment.give(conversation, guest, "hand_over", now)
        self._outbox.add(TakeAway(conversation, previous, why))

    def _part(self, conversation: Conversation, why: Literal["transferred", "lost"], at: float) -> None:
        """Count an agent's part in it up to then, and take the client from everybody who was in it."""
        self._handled(conversation, at)
        self._outbox.extend(TakeAway(conversation, jid, why) for jid in sorted(conversation.agents))

    def _handled(self, conversation: Conversation, at: float) -> None:
        accepted = at if conversation.accepted is None else conversation.accepted
        seconds = max(at - accepted, 0.0)
        self._outbox.happened(conversation, "handled", at, seconds, agent=conversation.agent)
        self._book.queue_of(conversation).took(seconds)
        self._is_idle(conversation.agent, at)

    def _is_idle(self, agent: str, since: float) -> None:
        known = self._book.agents[agent]
        known.idle_since = since
        self._book.changed_agents[agent] = known

    # What time does

    def attend(self, conversation: Conversation, now: float) -> None:
        """Do what is due in one that an agent has."""
        queue = self._book.queue_of(conversation).settings
        lost, warned = conversation.lost_since, conversation.warned_at
        if lost is not None and lost + queue.lost_agent_grace_seconds <= now:
            self._lose(conversation, lost, now)
        elif warned is not None and warned + queue.silent_close_seconds <= now:
            self._outbox.tell_agent(conversation, "closed_silent")
            self.end(conversation, now, key="silent_closed")
        else:
            since = deadlines.silent_since(conversation)
            warning = queue.silent_warning_seconds
            if warning and warned is None and since is not None and since + warning <= now:
                conversation.warned_at = now
                minutes = in_minutes(queue.silent_close_seconds)
                self._outbox.tell_client(conversation, "silent_warning", {"minutes": minutes})
            self._book.touch(conversation, now)

    def _lose(self, conversation: Conversation, lost_since: float, now: float) -> None:
        """Do not wait for its agent any longer: a guest has it, or the queue."""
        for guest in sorted(conversation.guests):
            if self._can_take(conversation, guest):
                self._hand_over(conversation, guest, "lost", "agent_lost", now)
                return
        lost = conversation.agent
        self._part(conversation, "lost", lost_since)
        with self._book.changing(conversation, now):
            step(conversation, "requeue")
            send_to_wait(conversation, self._book.queue_of(conversation), "agent_lost", now)
        self._outbox.happened(conversation, "requeued", now, now - lost_since, agent=lost)
        self._outbox.tell_client(conversation, "requeued")

    def _can_take(self, conversation: Conversation, agent: str) -> bool:
        known = self._book.agents[agent]
        capacity = self._book.queue_of(conversation).settings.capacity_of(agent)
        return known.is_online and known.load < capacity

    # Ending

    def end(self, conversation: Conversation, now: float, *, key: str, code: str = "") -> None:
        """Close it for the client, who is told with the text of this key; "" says nothing."""
        agent = conversation.agent
        if conversation.state is State.ACTIVE:
            self._leave_to_wrap_up(conversation, code, now)
        else:
            self._give_up(conversation, now)
        self._outbox.add(Closed(conversation, agent))
        self._outbox.happened(conversation, "closed", now, now - conversation.opened, agent=agent)
        if key:
            self._outbox.tell_client(conversation, key)
        if conversation.state is State.WRAPPING:
            self._begin_wrap_up(conversation, now)

    def _give_up(self, conversation: Conversation, now: float) -> None:
        asked = list(conversation.offered)
        self._outbox.happened(conversation, "abandoned", now, now - conversation.entered)
        with self._book.changing(conversation, now):
            step(conversation, "close")
            conversation.closed = now
            conversation.offered = {}
            conversation.preferred = ""
        self._outbox.extend(Withdraw(conversation, jid, "closed") for jid in asked)

    def _leave_to_wrap_up(self, conversation: Conversation, code: str, now: float) -> None:
        self._handled(conversation, now)
        guests = sorted(conversation.guests)
        wrap_up = self._book.queue_of(conversation).settings.wrap_up_seconds
        with self._book.changing(conversation, now):
            step(conversation, "close")
            conversation.closed = now
            conversation.code = code
            conversation.guests = set()
            conversation.warned_at = conversation.lost_since = conversation.unanswered_since = None
            conversation.wrap_until = now + wrap_up
        self._outbox.extend(TakeAway(conversation, guest, "closed") for guest in guests)

    def _begin_wrap_up(self, conversation: Conversation, now: float) -> None:
        queue = self._book.queue_of(conversation).settings
        if not queue.wrap_up_seconds:
            self.finish(conversation, now)
            return
        values = {"seconds": ceil(queue.wrap_up_seconds), "codes": queue.wrap_up_codes}
        self._outbox.tell_agent(conversation, "wrap_up_codes" if queue.wrap_up_codes else "wrap_up", values)

    def finish(self, conversation: Conversation, now: float, *, code: str = "") -> None:
        """End the wrap-up."""
        seconds = now - (conversation.closed or now)
        had_time = (conversation.wrap_until or now) > (conversation.closed or now)
        with self._book.changing(conversation, now):
            step(conversation, "wrap_up_done")
            conversation.wrap_until = None
            conversation.code = code or conversation.code
        if had_time:
            self._outbox.happened(conversation, "wrapped_up", now, seconds, agent=conversation.agent)
        self._is_idle(conversation.agent, now)
        self._outbox.add(TakeAway(conversation, conversation.agent, "closed"))
