"""What has become of a message never goes backwards."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.status import (
    TRANSITIONS,
    Effect,
    State,
    advance,
    effects,
    overall,
    read_state,
)

ORDER = [State.QUEUED, State.ACCEPTED, State.SENT, State.DELIVERED, State.READ, State.PLAYED]


def run(*reports: State, start: State = State.ACCEPTED) -> tuple[State, list[Effect]]:
    state, told = start, []
    for report in reports:
        after = advance(state, report)
        told += effects(state, after)
        state = after
    return state, told


def test_the_usual_way() -> None:
    assert run(State.SENT, State.DELIVERED, State.READ) == (
        State.READ,
        [Effect.RECEIVED, Effect.DISPLAYED],
    )


@pytest.mark.parametrize("reports", list(permutations([State.SENT, State.DELIVERED, State.READ])))
def test_in_any_order_it_is_read_in_the_end_and_each_thing_told_once(reports: tuple[State, ...]) -> None:
    assert run(*reports, *reports) == (State.READ, [Effect.RECEIVED, Effect.DISPLAYED])


def test_what_is_read_at_once_was_delivered() -> None:
    assert run(State.READ)[1] == [Effect.RECEIVED, Effect.DISPLAYED]


@pytest.mark.parametrize("state", [State.QUEUED, State.ACCEPTED, State.SENT])
def test_a_late_failure_is_a_failure(state: State) -> None:
    assert run(State.FAILED, start=state) == (State.FAILED, [Effect.FAILED])


@pytest.mark.parametrize("state", [State.DELIVERED, State.READ, State.PLAYED])
def test_what_was_on_the_phone_has_not_failed(state: State) -> None:
    assert run(State.FAILED, start=state) == (state, [])


def test_what_failed_and_is_on_the_phone_got_there_after_all() -> None:
    assert run(State.FAILED, State.SENT, State.READ, State.FAILED) == (
        State.READ,
        [Effect.FAILED, Effect.RECOVERED, Effect.RECEIVED, Effect.DISPLAYED],
    )


def test_what_nobody_knew_of_is_found_again() -> None:
    assert run(State.UNKNOWN, State.SENT, State.DELIVERED, start=State.QUEUED) == (
        State.DELIVERED,
        [Effect.FAILED, Effect.RECOVERED, Effect.RECEIVED],
    )


@given(st.lists(st.sampled_from(State)))
def test_nothing_that_is_reported_goes_back_nor_is_told_twice(reports: list[State]) -> None:
    state, told = State.ACCEPTED, []
    for report in reports:
        after = advance(state, report)
        told += effects(state, after)
        if state in ORDER and after in ORDER:
            assert ORDER.index(after) >= ORDER.index(state)
        state = after
    assert told.count(Effect.RECEIVED) <= 1
    assert told.count(Effect.DISPLAYED) <= 1
    assert told.count(Effect.FAILED) <= 1


@pytest.mark.parametrize(
    ("state", "report"), [(a, b) for a in State for b in State if b not in TRANSITIONS[a]]
)
def test_what_is_not_in_the_table_changes_nothing(state: State, report: State) -> None:
    assert advance(state, report) is state


def test_names() -> None:
    assert read_state("played") is State.PLAYED
    assert read_state("deleted") is None
    assert read_state("unknown") is None
    assert read_state("queued") is None


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([State.READ, State.SENT], State.SENT),
        ([State.READ, State.FAILED], State.FAILED),
        ([State.DELIVERED, State.UNKNOWN], State.UNKNOWN),
        ([State.READ], State.READ),
    ],
)
def test_a_message_that_became_several_is_where_the_last_of_them_is(
    states: list[State], whole: State
) -> None:
    assert overall(states) is whole
