"""One thing after the other, each once, whatever breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from imserver_whatsapp.codes import RULES, UNCLEAR, Action
from imserver_whatsapp.codes import rule as rule_of
from imserver_whatsapp.lane import Item, Lane, Outcome, Patience, Result, Step
from imserver_whatsapp.pace import Rate
from imserver_whatsapp.status import State

NOW = 1_000.0
FAST = Rate(0.001, 1_000)


def lane_of(*ids: str, pair: Rate = FAST) -> Lane:
    lane = Lane(pair=pair)
    for id in ids:
        lane.add(Item(id, {"type": "text", "text": {"body": id}}))
    return lane


def results(outcomes: list[Outcome]) -> list[tuple[str, Result]]:
    return [(one.item.id, one.result) for one in outcomes]


def steps(lane: Lane) -> list[tuple[str, Step]]:
    return [(item.id, item.step) for item in lane.items]


def test_the_next_waits_until_the_former_is_sent() -> None:
    lane = lane_of("picture", "text")

    assert lane.take(NOW).id == "picture"
    assert lane.ready_at(NOW) is None
    assert results(lane.accepted("picture", "wamid.1", NOW)) == [("picture", Result.ACCEPTED)]
    assert lane.ready_at(NOW) is None
    assert lane.reported("picture", "wamid.1", State.SENT, NOW) == []
    assert lane.ready_at(NOW) == NOW
    assert lane.take(NOW).id == "text"


def test_it_does_not_wait_for_ever() -> None:
    lane = lane_of("picture", "text")
    lane.take(NOW)
    lane.accepted("picture", "wamid.1", NOW)

    assert lane.wakes_at() == NOW + 20
    assert lane.wake(NOW + 19.9) == []
    assert lane.ready_at(NOW + 19.9) is None
    assert lane.wake(NOW + 20) == []
    assert lane.ready_at(NOW + 20) == NOW + 20


def test_what_is_refused_for_good_fails_and_the_next_goes() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)

    (outcome,) = lane.declined("a", rule_of(131026), NOW, code=131026, details="no WhatsApp")

    assert (outcome.result, outcome.code, outcome.details) == (Result.FAILED, 131026, "no WhatsApp")
    assert lane.take(NOW).id == "b"


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        (131056, [1, 4, 16, 64, 256, 1_024, 1_024]),
        (130429, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]),
        (131000, [1, 4, 16, 64]),
    ],
)
def test_what_may_work_later_is_tried_again_in_its_place(code: int, waits: list[int]) -> None:
    lane, now = lane_of("a", "b"), NOW
    for wait in waits:
        lane.take(now)
        assert results(lane.declined("a", rule_of(code), now)) == [("a", Result.DELAYED)]
        assert lane.ready_at(now) == now + wait
        now += wait
    lane.take(now)

    assert results(lane.declined("a", rule_of(code), now)) == [("a", Result.FAILED)]
    assert steps(lane) == [("b", Step.WAITING)]


def test_what_never_got_out_is_tried_again() -> None:
    lane = lane_of("a")
    lane.take(NOW)

    assert results(lane.unsent("a", NOW)) == [("a", Result.DELAYED)]
    assert lane.ready_at(NOW) == NOW + 1


def test_without_a_token_everything_is_kept() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)

    assert results(lane.declined("a", rule_of(190), NOW, code=190)) == [("a", Result.HELD)]
    assert lane.ready_at(NOW + 1e6) is None
    lane.release(NOW + 5)
    assert lane.take(NOW + 5).id == "a"


def test_after_a_timeout_nothing_is_posted_until_a_status_tells() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)
    lane.unclear("a", NOW + 30)

    assert lane.ready_at(NOW + 80) is None
    assert results(lane.reported("a", "wamid.1", State.DELIVERED, NOW + 80)) == [("a", Result.ACCEPTED)]
    assert lane.take(NOW + 80).id == "b"


def test_if_no_status_comes_nobody_knows_and_it_is_not_posted_again() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)
    lane.unclear("a", NOW)

    (outcome,) = lane.wake(NOW + 60)

    assert (outcome.item.id, outcome.result, outcome.rule) == ("a", Result.UNKNOWN, UNCLEAR)
    assert lane.take(NOW + 60).id == "b"


def test_a_status_may_be_faster_than_the_answer() -> None:
    lane = lane_of("a")
    lane.take(NOW)

    assert results(lane.reported("a", "wamid.1", State.ACCEPTED, NOW)) == [("a", Result.ACCEPTED)]
    assert lane.accepted("a", "wamid.1", NOW) == []
    assert lane.reported("a", "wamid.1", State.SENT, NOW) == []
    assert lane.accepted("a", "wamid.1", NOW) == []
    assert lane.items == ()


def test_what_was_refused_and_is_reported_sent_is_not_posted_again() -> None:
    lane = lane_of("a")
    lane.take(NOW)
    lane.declined("a", rule_of(131000), NOW)

    assert lane.reported("a", "wamid.1", State.FAILED, NOW, rule=rule_of(131000)) == []
    assert results(lane.reported("a", "wamid.1", State.SENT, NOW)) == [("a", Result.ACCEPTED)]
    assert lane.items == ()


def test_what_fails_later_lets_the_next_go() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)
    lane.accepted("a", "wamid.1", NOW)

    outcomes = lane.reported("a", "wamid.1", State.FAILED, NOW, rule=rule_of(131047), code=131047)

    assert results(outcomes) == [("a", Result.FAILED)]
    assert lane.take(NOW).id == "b"
    (outcome,) = lane.reported("b", "wamid.2", State.FAILED, NOW, rule=rule_of(368), code=368)
    assert outcome.rule == rule_of(368).ended


def test_what_was_not_posted_can_be_given_up_and_what_was_can_not() -> None:
    lane = lane_of("a", "b", "c")
    lane.take(NOW)

    assert lane.give_up("a", rule_of(131047)) == []
    assert results(lane.give_up("b", rule_of(131047))) == [("b", Result.FAILED)]
    assert lane.give_up("b", rule_of(131047)) == []
    assert steps(lane) == [("a", Step.POSTING), ("c", Step.WAITING)]


def test_the_same_is_not_put_there_twice() -> None:
    lane = lane_of("a", "a")

    assert steps(lane) == [("a", Step.WAITING)]


def test_more_than_one_client_may_get_waits() -> None:
    lane, now = lane_of(*"abc", pair=Rate(6.0, 2)), NOW
    for id in "ab":
        lane.take(now)
        lane.reported(id, id, State.SENT, now)

    assert lane.ready_at(now) == NOW + 6


def test_what_was_taken_when_the_server_died_is_unclear() -> None:
    lane = lane_of("a", "b")
    lane.take(NOW)

    lane = Lane.from_row(json.loads(json.dumps(lane.to_row())), pair=FAST)
    lane.recover(NOW + 500)

    assert steps(lane) == [("a", Step.UNCLEAR), ("b", Step.WAITING)]
    assert lane.wakes_at() == NOW + 560


class Meta(RuleBasedStateMachine):
    """A shell as the lane wants it, a disk, and Meta; each may break at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.lane = self._new()
        self.disk: dict[str, Any] = self.lane.to_row()
        #: What is on the disk besides the lane, in the same transaction.
        self.told: dict[str, Result] = {}
        self.untold: list[Outcome] = []
        self.added: list[str] = []
        #: What Meta has, in its order; and what it has sent.
        self.taken: list[str] = []
        self.refused: set[str] = set()
        self.reported: dict[str, State] = {}

    @staticmethod
    def _new() -> Lane:
        return Lane(Patience(sent=20, unclear=60), Rate(6.0, 3))

    def store(self) -> None:
        self.disk = json.loads(json.dumps(self.lane.to_row()))
        for outcome in self.untold:
            self.told[outcome.item.id] = outcome.result
        self.untold = []

    def crash(self) -> None:
        self.lane = Lane.from_row(self.disk, patience=Patience(20, 60), pair=Rate(6.0, 3))
        self.lane.recover(self.now)
        self.untold = []
        self.store()

    @rule(is_stored=st.booleans())
    def somebody_writes(self, is_stored: bool) -> None:
        id = f"m{len(self.added)}"
        self.lane.add(Item(id, {}))
        if not is_stored:
            self.crash()  # it was never acknowledged: the agent sends it again
            self.lane.add(Item(id, {}))
        self.added.append(id)
        self.store()

    @precondition(lambda self: (ready := self.lane.ready_at(self.now)) is not None and ready <= self.now)
    @rule(
        breaks=st.sampled_from(["no", "before store", "before post", "after post", "after answer"]),
        answer=st.sampled_from(
            ["ok", "ok", "ok", "lost on the way", "answer lost", "no route", *sorted(RULES)]
        ),
    )
    def the_shell_posts(self, breaks: str, answer: str | int) -> None:
        item = self.lane.take(self.now)
        if breaks == "before store":
            return self.crash()
        self.store()
        if breaks == "before post":
            return self.crash()
        if answer in ("ok", "answer lost"):
            self.taken.append(item.id)
        if breaks == "after post":
            return self.crash()
        self._hear(item.id, answer)
        if breaks == "after answer":
            return self.crash()
        self.store()
        return None

    def _hear(self, id: str, answer: str | int) -> None:
        match answer:
            case "ok":
                self.untold += self.lane.accepted(id, f"wamid.{id}", self.now)
            case "no route":
                self.untold += self.lane.unsent(id, self.now)
            case int():
                self.refused.add(id)
                self.untold += self.lane.declined(id, rule_of(answer), self.now, code=answer)
            case _:
                self.untold += self.lane.unclear(id, self.now)

    @precondition(lambda self: self.taken)
    @rule(
        which=st.integers(0, 3),
        state=st.sampled_from([State.SENT, State.SENT, State.DELIVERED, State.READ, State.FAILED]),
        breaks=st.booleans(),
    )
    def a_status_comes(self, which: int, state: State, breaks: bool) -> None:
        id = self.taken[-1 - which % len(self.taken)]
        self.reported.setdefault(id, state)
        self._hear_status(id)
        if breaks:
            self.crash()  # the update is on the disk, and is processed again
            self._hear_status(id)
        self.store()

    def _hear_status(self, id: str) -> None:
        self.untold += self.lane.reported(
            id, f"wamid.{id}", self.reported[id], self.now, rule=rule_of(131026), code=131026
        )

    @rule(seconds=st.sampled_from([0.5, 5.0, 25.0, 70.0, 300.0, 1_100.0]), breaks=st.booleans())
    def time_goes_by(self, seconds: float, breaks: bool) -> None:
        self.now += seconds
        self.untold += self.lane.wake(self.now)
        if breaks:
            self.crash()
        self.store()

    @rule()
    def an_admin_helps(self) -> None:
        self.lane.release(self.now)
        self.store()

    @rule()
    def another_lane_is_held(self) -> None:
        self.lane.hold()
        self.store()

    @rule()
    def it_dies(self) -> None:
        self.crash()

    @invariant()
    def nothing_is_posted_twice(self) -> None:
        assert len(set(self.taken)) == len(self.taken)

    @invariant()
    def the_order_is_kept(self) -> None:
        assert self.taken == sorted(self.taken, key=self.added.index)
        left = [item.id for item in self.lane.items]
        assert left == sorted(left, key=self.added.index)

    @invariant()
    def nothing_is_lost(self) -> None:
        left = {item.id for item in self.lane.items}
        for id in self.added:
            assert id in left or id in self.taken or id in self.told

    @invariant()
    def what_failed_meta_has_not_or_said_so(self) -> None:
        for id, result in self.told.items():
            if result is Result.FAILED and id in self.taken:
                assert self.reported.get(id) is State.FAILED

    @invariant()
    def only_one_is_on_its_way(self) -> None:
        assert all(item.step is Step.WAITING for item in self.lane.items[1:])

    def teardown(self) -> None:
        """In the end, when all works, everything is there, or is said not to be."""
        for _ in range(2_000):
            if not self.lane.items:
                break
            self.lane.release(self.now)
            self.untold += self.lane.wake(self.now)
            ready = self.lane.ready_at(self.now)
            if ready is not None:
                self.now = max(self.now, ready)
                self.the_shell_posts_well()
            elif (wakes := self.lane.wakes_at()) is not None:
                self.now = max(self.now, wakes)
            self.store()
        assert self.lane.items == ()
        for id in self.added:
            assert id in self.taken or self.told[id] in (Result.FAILED, Result.UNKNOWN)
            if self.told.get(id) is Result.FAILED and id not in self.reported:
                assert id in self.refused or id not in self.taken

    def the_shell_posts_well(self) -> None:
        item = self.lane.take(self.now)
        self.taken.append(item.id)
        assert len(set(self.taken)) == len(self.taken)
        self._hear(item.id, "ok")
        self.untold += self.lane.reported(item.id, "wamid", State.SENT, self.now)


TestMeta = Meta.TestCase
TestMeta.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_every_action_of_the_table_has_an_end() -> None:
    for action in Action:
        found = next(rule for rule in RULES.values() if rule.action is action)
        lane, now = lane_of("a"), NOW
        for _ in range(20):
            if not lane.items:
                break
            now = max(now, lane.ready_at(now) or now)
            if lane.is_held:
                break
            lane.take(now)
            lane.declined("a", found, now)
        assert lane.items == () or lane.is_held
