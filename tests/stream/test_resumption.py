"""XEP-0198: who has counted what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.stream.resumption import MODULUS, Acknowledgements, acknowledgement, read_count
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError


def sent(count: int, *, before: int = 0) -> Acknowledgements[int]:
    """Let so many stanzas wait, after others that are long acknowledged."""
    counted: Acknowledgements[int] = Acknowledgements()
    counted.total = before
    for number in range(count):
        counted.sending(number)
    return counted


def test_what_is_acknowledged_is_let_go() -> None:
    counted = sent(5)
    counted.asked = True

    assert counted.acknowledge(3) == [0, 1, 2]

    assert list(counted.waiting) == [3, 4]
    assert not counted.asked


def test_the_same_count_again_is_nothing_new() -> None:
    counted = sent(5)
    counted.acknowledge(3)

    assert counted.acknowledge(3) == []
    assert list(counted.waiting) == [3, 4]


@pytest.mark.parametrize("h", [6, 100, MODULUS - 1])
def test_nobody_has_more_than_was_sent(h: int) -> None:
    counted = sent(5)

    with pytest.raises(StreamError) as refused:
        counted.acknowledge(h)

    assert refused.value.condition == "undefined-condition"
    assert str(refused.value.application) == (
        f"<handled-count-too-high xmlns='urn:xmpp:sm:3' h='{h}' send-count='5'/>"
    )
    assert len(counted.waiting) == 5


def test_nobody_takes_an_acknowledgement_back() -> None:
    counted = sent(5)
    counted.acknowledge(3)

    with pytest.raises(StreamError):
        counted.acknowledge(2)


def test_counting_goes_on_at_2_to_the_32() -> None:
    counted = sent(5, before=MODULUS - 2)

    assert counted.acknowledge(MODULUS - 1) == [0]
    assert counted.acknowledge(0) == [1]
    assert counted.acknowledge(3) == [2, 3, 4]
    with pytest.raises(StreamError):
        counted.acknowledge(4)


def test_what_was_handled_is_counted_past_2_to_the_32_too() -> None:
    counted: Acknowledgements[int] = Acknowledgements()
    counted.handled = MODULUS - 1

    counted.handle()

    assert counted.handled == 0


@given(st.integers(0, 2 * MODULUS), st.lists(st.booleans(), max_size=50))
def test_whatever_happens_nothing_is_lost_or_let_go_twice(before: int, steps: list[bool]) -> None:
    counted = sent(0, before=before)
    given_out = 0
    let_go: list[int] = []

    for is_sent in steps:
        if is_sent:
            counted.sending(given_out)
            given_out += 1
        elif counted.waiting:
            let_go += counted.acknowledge((before + len(let_go) + 1) % MODULUS)

    assert let_go + list(counted.waiting) == list(range(given_out))


@pytest.mark.parametrize("h", ["0", "17", str(MODULUS - 1)])
def test_a_count_is_read(h: str) -> None:
    assert read_count(Element("a", attributes={"h": h})) == int(h)


@pytest.mark.parametrize("h", [str(MODULUS), "-1", "+1", "", "1.0", "0x1", "²", " 1", "9" * 5_000])
def test_what_is_no_count_is_refused(h: str) -> None:
    with pytest.raises(StreamError, match="undefined-condition"):
        read_count(Element("a", attributes={"h": h}))


def test_a_count_is_told() -> None:
    assert str(acknowledgement(7)) == "<a xmlns='urn:xmpp:sm:3' h='7'/>"
