"""What the floor has in memory: queues, agents, conversations, and where each conversation is found.

A conversation is changed `with book.changing(…)`: it is taken out of all indexes, and put in again where it then
belongs. So no index can disagree with what it is an index of.
"""

from __future__ import annotations

from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from imserver.desk import deadlines
from imserver.desk.agents import Agent
from imserver.desk.conversation import Conversation, State
from imserver.desk.queues import Queue
from imserver.desk.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imserver.desk.queues import Place, Wanted
    from imserver.desk.settings import DeskSettings

#: What takes up the room of agents and queues.
SERVED: Final = frozenset({State.OFFERED, State.ACTIVE, State.WRAPPING})


class _Standing(NamedTuple):
    """Where one who waits stands."""

    place: Place
    is_in_lane: bool
    wanted: Wanted
    preferred: str


class Book:
    """Everything that is known, found without searching."""

    def __init__(self, settings: DeskSettings) -> None:
        self.settings = settings
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        #: Those that are open, and those that may be reopened.
        self.conversations: dict[int, Conversation] = {}
        self.timers: Timers[int] = Timers()
        self.opening_times: Timers[str] = Timers()
        #: What is to be stored.
        self.changed: dict[int, Conversation] = {}
        self.changed_agents: dict[str, Agent] = {}
        #: Who may be matched now: conversations that want an agent, agents and queues that have room again.
        self.hungry: set[int] = set()
        self.roomy: dict[str, None] = {}
        self.roomy_queues: dict[str, None] = {}
        self._by_client: dict[str, dict[str, int]] = {}
        self._queues_of: dict[str, list[Queue]] = {}
        self._standings: dict[int, _Standing] = {}
        #: How agents were when the queues were told last; their lowest and highest capacity in any queue.
        self._seen: dict[str, tuple[bool, int]] = {}
        self._capacities: dict[str, tuple[int, int]] = {}

    # Find

    def queue_of(self, conversation: Conversation) -> Queue:
        return self.queues[conversation.queue]

    def queues_of(self, agent: str) -> list[Queue]:
        """Find the queues that an agent is a member of."""
        return self._queues_of.get(agent, [])

    def of_client(self, client: str) -> list[Conversation]:
        """Find a client's conversations, with those that may be reopened."""
        return [self.conversations[id] for id in self._by_client.get(client, {}).values()]

    def find(self, client: str, entrance: str) -> Conversation | None:
        """Find what a client's words to a queue belong to."""
        id = self._by_client.get(client, {}).get(entrance)
        return None if id is None else self.conversations[id]

    def position(self, conversation: Conversation) -> int:
        """Tell which number in the queue it is; 0 if it does not wait."""
        standing = self._standings.get(conversation.id)
        return self.queue_of(conversation).line.before(standing.place) + 1 if standing else 0

    # Change

    def add(self, conversation: Conversation, now: float) -> None:
        self.conversations[conversation.id] = conversation
        self._by_client.setdefault(conversation.client, {})[conversation.entrance] = conversation.id
        self._put_in(conversation, now, set())

    def forget(self, conversation: Conversation) -> None:
        """Drop one that is closed."""
        del self.conversations[conversation.id]
        self.timers.set(conversation.id, None)
        his = self._by_client[conversation.client]
        if his.get(conversation.entrance) == conversation.id:
            del his[conversation.entrance]
        if not his:
            del self._by_client[conversation.client]

    @contextmanager
    def changing(self, conversation: Conversation, now: float) -> Iterator[None]:
        """Let it be changed in any way, and find it again where it belongs then."""
        queue = self.queues.get(conversation.queue)
        touched = self._take_out(conversation)
        try:
            yield
        finally:
            self.changed[conversation.id] = conversation
            self._put_in(conversation, now, touched)
            if queue is not None and queue.is_retired and not queue.open_ids:
                self._drop(queue)

    def place_anew(self, conversation: Conversation, now: float) -> None:
        """Let time do to it what it does."""
        self._put_in(conversation, now, self._take_out(conversation))

    def touch(self, conversation: Conversation, now: float) -> None:
        """Note that somebody wrote: nothing that it is found by has changed."""
        self.changed[conversation.id] = conversation
        self._set_timer(conversation, now)

    def refresh(self, agent: Agent) -> None:
        """Note what became of an agent's readiness or room."""
        may_be_asked, load = agent.may_be_asked, agent.load
        before = self._seen.get(agent.jid)
        self._seen[agent.jid] = (may_be_asked, load)
        if before is not None and before[0] == may_be_asked:
            lowest, highest = self._capacities.get(agent.jid, (0, 0))
            # The usual case: there was room everywhere and still is, or nowhere and still is not.
            if max(load, before[1]) < lowest or min(load, before[1]) >= highest:
                return
        for queue in self.queues_of(agent.jid):
            if queue.update(agent):
                self.roomy[agent.jid] = None

    def adopt(self, settings: DeskSettings, now: float) -> dict[str, Queue]:
        """Take over other settings; conversations are found under those. Return the queues as they were."""
        conversations = list(self.conversations.values())
        for conversation in conversations:
            self._take_out(conversation)
        before = self.queues
        self.settings = settings
        self.queues = {name: Queue(name, its) for name, its in settings.queues.items()}
        needed = {conversation.queue for conversation in conversations if conversation.state in _IN_QUEUE}
        for name, old in before.items():
            if name not in self.queues and name in needed:
                self.queues[name] = Queue(name, old.settings)
                self.queues[name].is_retired = True
            if name in self.queues:
                self.queues[name].average_handle = old.average_handle
        self._seat_agents(now)
        for conversation in conversations:
            self._put_in(conversation, now, set())
        for agent in self.agents.values():
            self.refresh(agent)
        self._let_go_of_agents()
        return before

    def _seat_agents(self, now: float) -> None:
        self._queues_of = {}
        self.opening_times = Timers()
        for queue in self.queues.values():
            self.opening_times.set(queue.name, _finite(queue.looks_again_at(now)))
            for jid in queue.members:
                self._queues_of.setdefault(jid, []).append(queue)
                self.agents.setdefault(jid, Agent(jid))
        self._seen = {}
        self._capacities = {}
        for jid, queues in self._queues_of.items():
            capacities = [queue.settings.capacity_of(jid) for queue in queues]
            self._capacities[jid] = min(capacities), max(capacities)

    def _let_go_of_agents(self) -> None:
        for jid, agent in list(self.agents.items()):
            if jid not in self._queues_of and not (agent.load or agent.visits):
                del self.agents[jid]

    def open_and_close(self, now: float) -> None:
        """Look at the queues whose opening hours begin or end now."""
        for name in self.opening_times.take(now):
            self.opening_times.set(name, _finite(self.queues[name].looks_again_at(now)))
            self.roomy_queues[name] = None

    # Indexes

    def _take_out(self, conversation: Conversation) -> set[str]:
        if conversation.state is State.CLOSED:
            return set()
        queue = self.queue_of(conversation)
        queue.open_ids.discard(conversation.id)
        if standing := self._standings.pop(conversation.id, None):
            queue.line.remove(standing.place)
            if standing.is_in_lane:
                queue.leave_lane(standing.wanted, standing.preferred, standing.place)
        if conversation.state in SERVED:
            was_full = not queue.has_room
            queue.served -= 1
            if was_full:
                self.roomy_queues[queue.name] = None
        touched = self._involved(conversation)
        for agent in touched:
            agent.offers.discard(conversation.id)
            agent.conversations.discard(conversation.id)
            agent.visits.discard(conversation.id)
        return {agent.jid for agent in touched}

    def _put_in(self, conversation: Conversation, now: float, touched: Iterable[str]) -> None:
        self._set_timer(conversation, now)
        if conversation.state is not State.CLOSED:
            queue = self.queue_of(conversation)
            queue.open_ids.add(conversation.id)
            if conversation.state is State.WAITING:
                self._line_up(conversation, queue, now)
            else:
                queue.served += 1
        involved = self._involved(conversation)
        for agent in involved:
            if agent.jid in conversation.offered:
                agent.offers.add(conversation.id)
            elif agent.jid == conversation.agent:
                agent.conversations.add(conversation.id)
            else:
                agent.visits.add(conversation.id)
        for jid in {agent.jid for agent in involved}.union(touched):
            self.refresh(self.agents[jid])

    def _line_up(self, conversation: Conversation, queue: Queue, now: float) -> None:
        standing = _Standing(
            deadlines.place(conversation, queue.settings),
            deadlines.may_be_offered(conversation, queue.settings, now),
            deadlines.wanted(conversation, queue.settings, now),
            conversation.preferred,
        )
        self._standings[conversation.id] = standing
        queue.line.add(standing.place)
        if standing.is_in_lane:
            queue.lane(standing.wanted, standing.preferred).add(standing.place)
            self.hungry.add(conversation.id)

    def standing(self, conversation: Conversation) -> _Standing | None:
        """Tell where one stands who waits."""
        return self._standings.get(conversation.id)

    def _involved(self, conversation: Conversation) -> list[Agent]:
        """Find who is asked, or in it; whoever has no queue any more is still known as long as they are."""
        jids = conversation.agents or conversation.offered
        return [self.agents.setdefault(jid, Agent(jid)) for jid in jids]

    def _set_timer(self, conversation: Conversation, now: float) -> None:
        queue = self.queues.get(conversation.queue)
        at = now if queue is None else deadlines.next_look(conversation, queue.settings, now)
        self.timers.set(conversation.id, at)

    def _drop(self, queue: Queue) -> None:
        """Let a queue go that is not in the settings any more, now that nobody is in it."""
        del self.queues[queue.name]
        self.opening_times.set(queue.name, None)
        for jid in queue.members:
            self._queues_of[jid].remove(queue)


_IN_QUEUE: Final = frozenset(State) - {State.CLOSED}


def _finite(at: float) -> float | None:
    return None if at == inf else at
