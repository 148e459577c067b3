"""Clients, agents, time and crashes, in any order: what holds always."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imserver.desk import deadlines
from imserver.desk.book import SERVED
from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Closed, HandOver, Offer, Refused, TakeAway, Withdraw
from imserver.desk.queues import Queue
from tests.desk.floors import Stage
from tests.desk.floors import settings as desk_settings

AGENTS = [f"agent{number}@example.com" for number in range(4)]
CLIENTS = [f"c{number}@xmpp.example.com" for number in range(7)]
QUEUES = ["support", "sales"]

agents = st.sampled_from(AGENTS)
clients = st.sampled_from(CLIENTS)
queues = st.sampled_from(QUEUES)

STRATEGIES = ["all-at-once", "longest-idle", "least-busy", "round-robin"]

queue_settings: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "members": st.lists(agents, unique=True, min_size=2),
        "accept": st.sampled_from(["offer", "offer", "assign"]),
        "strategy": st.sampled_from(STRATEGIES),
        "capacity": st.sampled_from([0, 0, 2]),
        "agent_capacity": st.sampled_from([1, 1, 2, 3]),
        "misses_before_pause": st.sampled_from([0, 2]),
        "skills": st.sampled_from([{}, {}, {}, {"german": 2}]),
        "relax_after_seconds": st.sampled_from([0, 40]),
        "priority": st.sampled_from([10, 50]),
        "delay_seconds": st.sampled_from([0, 0, 0, 0, 15]),
        "wrap_up_seconds": st.sampled_from([0, 20]),
        "overflow_after_seconds": st.sampled_from([50, 5000]),
        "silent_warning_seconds": st.sampled_from([0, 300]),
        "lost_agent_grace_seconds": st.sampled_from([0, 60]),
        "hours": st.sampled_from([{}, {}, {}, {}, {}, {"monday": ["07:00-08:01", "08:03-08:20"]}]),
    }
)


@st.composite
def desks(draw: st.DrawFn) -> dict[str, Any]:
    desk: dict[str, dict[str, Any]] = {name: draw(queue_settings) for name in QUEUES}
    desk["support"]["overflow_queue"] = draw(st.sampled_from(["", "sales"]))
    for queue in desk.values():
        queue["agents"] = {jid: {"skills": {"german": 2}} for jid in queue["members"] if jid in AGENTS[:2]}
    return desk


class Desk(RuleBasedStateMachine):
    """Everything that can happen, and after each of it what must be so."""

    stage: Stage

    @initialize(desk=desks())
    def opens(self, desk: dict[str, Any]) -> None:
        self.stage = Stage(**desk)
        self.waiting_since: dict[int, float] = {}
        self.owners: dict[int, str] = {}
        self.offers: set[tuple[int, str]] = set()
        self.loads: dict[str, int] = {}
        self.serving: dict[str, int] = {}
        self.presences = dict.fromkeys(AGENTS, "ready")
        self.agents_are_announced()

    # What happens

    @rule(newcomers=st.lists(clients, unique=True, min_size=1, max_size=4), queue=queues)
    def clients_write(self, newcomers: list[str], queue: str) -> None:
        for client in newcomers:
            self.client_writes(client, queue)

    @rule(client=clients, queue=queues)
    def client_writes(self, client: str, queue: str) -> None:
        known = self.stage.floor.queues.get(queue)
        try:
            conversation = self.stage.writes(client, queue)
        except Refused:
            assert known is None or known.is_retired
            return
        if conversation.id not in self.waiting_since or "reopened" in self.kinds():
            self.waiting_since[conversation.id] = conversation.waiting_since
        self.check_effects()

    @precondition(lambda self: len(self.conversations()) > 3)
    @rule(data=st.data())
    def client_leaves(self, data: st.DataObject) -> None:
        conversation = self.some(data)
        self.stage.done(self.stage.floor.client_left(conversation, self.stage.now))
        self.check_effects()

    @rule(agent=agents, presence=st.sampled_from(["ready", "ready", "away", "offline"]))
    def agent_changes(self, agent: str, presence: str) -> None:
        self.presences[agent] = presence
        self.stage.done(
            self.stage.floor.agent_changed(
                agent, self.stage.now, ready=presence == "ready", online=presence != "offline"
            )
        )
        self.check_effects()

    def agents_are_announced(self) -> None:
        for agent, presence in self.presences.items():
            self.agent_changes(agent, presence)

    @rule(agent=agents, paused=st.booleans())
    def agent_pauses(self, agent: str, paused: bool) -> None:
        floor = self.stage.floor
        now = self.stage.now
        self.stage.done(floor.pause(agent, "lunch", now) if paused else floor.unpause(agent, now))
        self.check_effects()

    @precondition(lambda self: self.there_is(State.OFFERED))
    @rule(data=st.data(), second=agents)
    def agents_accept(self, data: st.DataObject, second: str) -> None:
        conversation = self.some(data, State.OFFERED)
        first = data.draw(st.sampled_from(sorted(conversation.offered)))
        self.stage.accepts(first, conversation)
        self.check_effects()
        assert conversation.agent == first
        if second == first:
            return
        with pytest.raises(Refused) as refused:
            self.stage.accepts(second, conversation)
        assert (refused.value.key, refused.value.values) == ("taken", {"agent": first})

    @precondition(lambda self: self.there_is())
    @rule(data=st.data(), agent=agents)
    def agent_answers(self, data: st.DataObject, agent: str) -> None:
        conversation = self.some(data)
        with suppress(Refused):
            answer = data.draw(st.sampled_from(["accept", "decline", "agent_wrote", "leave"]))
            self.stage.done(getattr(self.stage.floor, answer)(conversation, agent, self.stage.now))
        self.check_effects()

    @precondition(lambda self: self.there_is(State.ACTIVE))
    @rule(data=st.data())
    def agent_writes(self, data: st.DataObject) -> None:
        conversation = self.some(data, State.ACTIVE)
        self.stage.done(self.stage.floor.agent_wrote(conversation, conversation.agent, self.stage.now))
        assert conversation.unanswered_since is None

    @precondition(lambda self: self.there_is(State.ACTIVE))
    @rule(data=st.data(), to=st.sampled_from([*AGENTS, *QUEUES]))
    def agent_transfers(self, data: st.DataObject, to: str) -> None:
        conversation = self.some(data, State.ACTIVE)
        with suppress(Refused):
            self.stage.done(
                self.stage.floor.transfer(conversation, to, "please", conversation.agent, self.stage.now)
            )
            if conversation.state is not State.ACTIVE or "handled" in self.kinds():
                self.waiting_since[conversation.id] = conversation.waiting_since
        self.check_effects()

    @precondition(lambda self: self.there_is(State.ACTIVE))
    @rule(data=st.data(), guest=agents)
    def agent_invites(self, data: st.DataObject, guest: str) -> None:
        conversation = self.some(data, State.ACTIVE)
        with suppress(Refused):
            self.stage.done(self.stage.floor.invite(conversation, guest, conversation.agent, self.stage.now))
        self.check_effects()

    @precondition(lambda self: self.there_is(State.ACTIVE, State.WRAPPING))
    @rule(data=st.data())
    def agent_closes(self, data: st.DataObject) -> None:
        conversation = self.some(data, State.ACTIVE, State.WRAPPING)
        self.stage.done(self.stage.floor.close(conversation, "", conversation.agent, self.stage.now))
        self.check_effects()

    @precondition(lambda self: self.there_is(State.ACTIVE))
    @rule(data=st.data(), seconds=st.sampled_from([0, 30, 61]))
    def an_agent_is_lost(self, data: st.DataObject, seconds: float) -> None:
        conversation = self.some(data, State.ACTIVE)
        lost = conversation.agent
        self.agent_changes(lost, "offline")
        self.time_passes(seconds)
        assert (conversation.agent != lost) or not self.is_over(conversation)

    @rule(seconds=st.sampled_from([1, 5, 10, 15, 31, 61, 130, 1000]))
    def time_passes(self, seconds: float) -> None:
        until = self.stage.now + seconds
        for _ in range(10_000):
            at = self.stage.floor.next_deadline()
            if at is None or at > until:
                break
            self.stage.now = max(self.stage.now, at)
            self.stage.done(self.stage.floor.tick(self.stage.now))
            self.check_effects()
        else:
            raise AssertionError("time stands still")
        self.stage.now = until
        self.stage.done(self.stage.floor.tick(until))
        self.check_effects()

    @rule(come_back=st.booleans())
    def server_crashes(self, come_back: bool) -> None:
        before = {one.id: one for one in self.conversations()}
        self.stage.crashes()
        self.offers.clear()

        for conversation in self.conversations():
            was = before[conversation.id]
            assert conversation.waiting_since == was.waiting_since
            # Where there is no grace, nobody is waited for.
            assert conversation.agent == was.agent or conversation.reason == "agent_lost"
        self.check_effects()
        if come_back:
            self.agents_are_announced()
        else:
            self.presences = dict.fromkeys(AGENTS, "offline")

    @rule(desk=desks(), removed=st.sampled_from([None, "sales"]))
    def admin_reloads(self, desk: dict[str, Any], removed: str | None) -> None:
        if removed:
            del desk[removed]
            desk["support"]["overflow_queue"] = ""
        self.stage.done(self.stage.floor.reload(desk_settings(**desk), self.stage.now))
        self.check_effects()
        self.agents_are_announced()

    # What is always so

    @invariant()
    def nobody_waits_whom_a_free_agent_suits(self) -> None:
        floor, now = self.stage.floor, self.stage.now
        for conversation in self.conversations():
            queue = floor.queues[conversation.queue]
            if conversation.state is not State.WAITING or not queue.is_open(now) or not queue.has_room:
                continue
            if not deadlines.may_be_offered(conversation, queue.settings, now):
                continue
            for jid in queue.settings.members:
                agent = floor.agents[jid]
                is_free = agent.may_be_asked and agent.load < queue.settings.capacity_of(jid)
                assert not (is_free and self.suits(jid, conversation, queue)), (jid, conversation)

    @invariant()
    def nothing_that_was_due_is_forgotten(self) -> None:
        now = self.stage.now
        for conversation in self.conversations():
            if conversation.state is State.WAITING:
                assert bool(conversation.declined) <= (conversation.again_at is not None)
                assert conversation.again_at is None or conversation.again_at > now
                assert not conversation.preferred or conversation.preferred_until > now
            assert all(deadline > now for deadline in conversation.offered.values())
            assert conversation.wrap_until is None or conversation.wrap_until > now

    @invariant()
    def capacity_is_counted_from_what_is_there(self) -> None:
        held: Counter[str] = Counter()
        served: Counter[str] = Counter()
        for conversation in self.conversations():
            held.update(list(conversation.offered))
            if conversation.state in (State.ACTIVE, State.WRAPPING):
                assert conversation.agent
                assert conversation.agent not in conversation.guests
                held[conversation.agent] += 1
            else:
                assert not conversation.agent
                assert not conversation.guests
            assert bool(conversation.offered) == (conversation.state is State.OFFERED)
            served[conversation.queue] += conversation.state in SERVED
        loads = {jid: agent.load for jid, agent in self.stage.floor.agents.items() if agent.load}
        assert loads == +held, (loads, held)
        serving = {name: one.served for name, one in self.stage.floor.queues.items() if one.served}
        assert serving == +served, (serving, served)

    @invariant()
    def capacity_is_never_exceeded(self) -> None:
        floor = self.stage.floor
        most = max(queue.settings.agent_capacity for queue in floor.queues.values())
        loads = {jid: agent.load for jid, agent in floor.agents.items()}
        serving = {name: queue.served for name, queue in floor.queues.items()}
        # What an admin has made too much stays, but does not grow.
        for jid, load in loads.items():
            assert load <= max(most, self.loads.get(jid, 0)), jid
        for name, served in serving.items():
            capacity = floor.queues[name].settings.capacity
            assert not capacity or served <= max(capacity, self.serving.get(name, 0)), name
        self.loads, self.serving = loads, serving

    @invariant()
    def waiting_time_survives(self) -> None:
        for conversation in self.conversations():
            assert conversation.waiting_since == self.waiting_since[conversation.id]

    @invariant()
    def a_client_has_one_conversation_with_a_queue(self) -> None:
        found = Counter((one.client, one.entrance) for one in self.conversations())
        assert not found or max(found.values()) == 1

    @invariant()
    def the_line_is_who_waits(self) -> None:
        floor = self.stage.floor
        for name in floor.queues:
            waiting = floor.waiting(name)
            expected = [
                one for one in self.conversations() if one.queue == name and one.state is State.WAITING
            ]
            assert {one.id for one in waiting} == {one.id for one in expected}
            assert [floor.position(one) for one in waiting] == list(range(1, len(waiting) + 1))

    # By the effects alone

    def check_effects(self) -> None:
        """Follow who has whom by the effects: an agent's contacts must be what the floor believes."""
        floor = self.stage.floor
        for effect in self.stage.effects:
            match effect:
                case Offer(conversation, agent):
                    self.offers.add((conversation.id, agent))
                case Withdraw(conversation, agent):
                    self.offers.remove((conversation.id, agent))
                case HandOver(conversation, agent, is_guest=False):
                    self.offers.discard((conversation.id, agent))
                    self.owners[conversation.id] = agent
                case TakeAway(conversation, agent):
                    if self.owners.get(conversation.id) == agent:
                        del self.owners[conversation.id]
                case Closed(conversation):
                    assert not conversation.is_open
                case _:
                    pass
        self.stage.effects = []
        in_hand = {
            one.id: one.agent for one in self.conversations() if one.state in (State.ACTIVE, State.WRAPPING)
        }
        assert self.owners == in_hand
        offered = {(one.id, jid) for one in floor.conversations.values() for jid in one.offered}
        assert self.offers == offered

    # Helpers

    def is_over(self, conversation: Conversation) -> bool:
        """Tell whether the grace for its agent is over."""
        since = conversation.lost_since
        grace = self.stage.floor.queues[conversation.queue].settings.lost_agent_grace_seconds
        return conversation.state is State.ACTIVE and since is not None and since + grace < self.stage.now

    def kinds(self) -> set[str]:
        return {kind for kind, _, _ in self.stage.happened()}

    def conversations(self) -> list[Conversation]:
        return [one for one in self.stage.floor.conversations.values() if one.state is not State.CLOSED]

    def there_is(self, *states: State) -> bool:
        return any(not states or one.state in states for one in self.conversations())

    def some(self, data: st.DataObject, *states: State) -> Conversation:
        return data.draw(
            st.sampled_from([one for one in self.conversations() if not states or one.state in states])
        )

    def suits(self, jid: str, conversation: Conversation, queue: Queue) -> bool:
        if jid in conversation.declined or conversation.preferred not in ("", jid):
            return False
        wanted = deadlines.wanted(conversation, queue.settings, self.stage.now)
        return bool(conversation.preferred) or queue.suits(jid, wanted)


TestDesk = Desk.TestCase
TestDesk.settings = settings(
    max_examples=80,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
