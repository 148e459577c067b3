from hypothesis import given
from hypothesis import strategies as st

from imserver.desk.timers import Timers


def test_keys_come_up_in_time_and_once() -> None:
    timers: Timers[int] = Timers()
    timers.set(1, 30.0)
    timers.set(2, 10.0)
    timers.set(3, 20.0)

    assert timers.next() == 10.0
    assert timers.take(20.0) == [2, 3]
    assert timers.take(20.0) == []
    assert timers.next() == 30.0


def test_what_is_put_off_every_second_does_not_grow() -> None:
    timers: Timers[int] = Timers()
    for second in range(10_000):
        timers.set(1, 100.0 + second)

    assert len(timers._heap) == 1


def test_what_is_moved_forward_over_and_over_does_not_grow() -> None:
    timers: Timers[int] = Timers()
    for second in range(10_000):
        timers.set(1, 100_000.0 - second)

    assert len(timers._heap) <= 66
    assert timers.next() == 90_001.0


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 50).map(float)), st.integers(0, 9))
    )
)
def test_it_is_a_table_of_deadlines(calls: list[tuple[int, float | None, int]]) -> None:
    timers: Timers[int] = Timers()
    table: dict[int, float] = {}
    for key, at, take in calls:
        timers.set(key, at)
        table.pop(key, None)
        if at is not None:
            table[key] = at
        assert timers.next() == min(table.values(), default=None)
        if take == 0:
            due = [key for key, at in table.items() if at <= 25]
            assert sorted(timers.take(25.0)) == sorted(due)
            table = {key: at for key, at in table.items() if at > 25}
