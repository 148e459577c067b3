"""What an agent may do with a conversation, and whom it can be passed on to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Refused

if TYPE_CHECKING:
    from imserver.desk.agents import Agent
    from imserver.desk.book import Book
    from imserver.desk.queues import Queue


def check_is_in(conversation: Conversation, agent: str) -> None:
    """Let only those go on who have it, or are guests; "" is the desk itself.

    Raises:
        Refused: If the agent is not in it.
    """
    match conversation.state:
        case State.WRAPPING | State.CLOSED:
            raise Refused("gone")
        case State.WAITING | State.OFFERED:
            raise Refused("not_active")
    if agent and agent not in conversation.agents:
        raise Refused("not_yours", agent=conversation.agent)


def check_may_accept(book: Book, conversation: Conversation, agent: str) -> None:
    """Let an agent accept what they are asked for, or what nobody is asked for.

    Raises:
        Refused: If somebody else has it or is asked, or there is no room.
    """
    match conversation.state:
        case State.ACTIVE:
            raise Refused("taken", agent=conversation.agent)
        case State.WRAPPING | State.CLOSED:
            raise Refused("gone")
        case State.OFFERED if agent not in conversation.offered:
            raise Refused("not_offered")
        case State.WAITING:
            _check_room(book, conversation, agent)


def _check_room(book: Book, conversation: Conversation, agent: str) -> None:
    queue = book.queue_of(conversation)
    if agent not in queue.members:
        raise Refused("not_a_member", queue=queue.settings.title or queue.name)
    if book.agents[agent].load >= queue.settings.capacity_of(agent):
        raise Refused("no_room", capacity=queue.settings.capacity_of(agent))
    if not queue.has_room:
        raise Refused("no_room", capacity=queue.settings.capacity)


def check_may_close(book: Book, conversation: Conversation, code: str, by: str) -> None:
    """Let those who are in it close it with one of the queue's codes, and its agent end the wrap-up.

    Raises:
        Refused: If it is not theirs, or the code is missing or not one of them.
    """
    queue = book.queue_of(conversation).settings
    if conversation.state is not State.WRAPPING:
        check_is_in(conversation, by)
    elif by != conversation.agent:
        raise Refused("not_yours", agent=conversation.agent)
    if code and queue.wrap_up_codes and code not in queue.wrap_up_codes:
        raise Refused("code_unknown", code=code, codes=queue.wrap_up_codes)
    if queue.wrap_up_required and not (code or conversation.code):
        raise Refused("code_required", codes=queue.wrap_up_codes)


def check_may_come(book: Book, conversation: Conversation, guest: str) -> None:
    """Let those be invited who are there.

    Raises:
        Refused: If there is no such agent, or they are offline, or in it already.
    """
    known = book.agents.get(guest)
    if known is None:
        raise Refused("target_unknown", target=guest)
    if guest in conversation.agents:
        raise Refused("already_in", agent=guest)
    if not known.is_online:
        raise Refused("target_away", target=guest)


def find_target(book: Book, conversation: Conversation, to: str, now: float) -> tuple[Queue, Agent | None]:
    """Find the queue that a conversation would be in, and the agent who would be asked.

    Raises:
        Refused: If there is neither, or they would not take it.
    """
    queue = book.queues.get(to)
    if queue is not None and not queue.is_retired:
        if not queue.is_open(now):
            raise Refused("target_away", target=to)
        return queue, None
    agent = book.agents.get(to)
    if agent is None:
        raise Refused("target_unknown", target=to)
    if to == conversation.agent:
        raise Refused("target_same", target=to)
    if not agent.may_be_asked:
        raise Refused("target_away", target=to)
    home = book.queue_of(conversation)
    if agent.load >= home.settings.capacity_of(to):
        raise Refused("target_full", target=to)
    return home, agent
