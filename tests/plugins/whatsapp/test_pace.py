"""Never more than Meta allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.codes import Action
from imserver_whatsapp.pace import NUMBER, PAIR, SCHEDULES, Pace, Rate


def sent_at(pace: Pace, gaps: list[float], start: float = 1_000.0) -> list[float]:
    """Send as soon as one may, with pauses before."""
    now, times = start, []
    for gap in gaps:
        now = pace.free_at(now + gap)
        pace.take(now)
        times.append(now)
    return times


def test_a_burst_of_45_goes_at_once_and_then_one_every_six_seconds() -> None:
    times = sent_at(Pace(PAIR), [0.0] * 48)

    assert times[:45] == [1_000.0] * 45
    assert times[45:] == [1_006.0, 1_012.0, 1_018.0]


def test_a_burst_is_paid_back() -> None:
    pace = Pace(PAIR)
    sent_at(pace, [0.0] * 20)

    # After two minutes, 20 times 6 seconds, it is as if nothing had been.
    assert sent_at(pace, [0.0] * 45, start=1_120.0)[-1] == 1_120.0


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=150),
    st.sampled_from([PAIR, NUMBER, Rate(2.0, 1), Rate(0.5, 3)]),
)
def test_in_no_stretch_of_time_is_more_sent_than_allowed(gaps: list[float], rate: Rate) -> None:
    times = sent_at(Pace(rate), gaps)

    for first in range(len(times)):
        for last in range(first, len(times)):
            allowed = rate.burst + (times[last] - times[first]) / rate.seconds
            assert last - first + 1 <= allowed + 1e-6


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_it_goes_on_from_the_one_time_that_is_kept(gaps: list[float]) -> None:
    whole, broken = Pace(PAIR), Pace(PAIR)
    now = 1_000.0
    for gap in gaps:
        now = whole.free_at(now + gap)
        broken = Pace(PAIR, broken.due)
        assert broken.free_at(now) == now
        whole.take(now)
        broken.take(now)


def test_after_metas_word_there_is_no_burst_left() -> None:
    pace = Pace(PAIR)
    pace.spend(1_000.0)

    assert pace.free_at(1_000.0) == 1_006.0


def test_a_clock_that_is_set_back_stops_nobody_for_long() -> None:
    pace = Pace(PAIR)
    sent_at(pace, [0.0] * 45, start=100_000.0)

    assert pace.free_at(1_000.0) <= 1_000.0 + 6.0


def test_the_wait_for_a_pair_is_four_to_the_power_of_x() -> None:
    schedule = SCHEDULES[Action.PAIR]

    assert [schedule.delay(count) for count in range(1, 8)] == [1, 4, 16, 64, 256, 1_024, 1_024]
    assert schedule.delay(8) is None


@pytest.mark.parametrize("action", SCHEDULES)
def test_every_schedule_ends_and_never_gets_shorter(action: Action) -> None:
    delays: list[float] = []
    while (delay := SCHEDULES[action].delay(len(delays) + 1)) is not None:
        delays.append(delay)

    assert delays == sorted(delays)
    assert delays
