"""What may be answered to a hook, by the annotation of its specification."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, Literal, NamedTuple

import pytest

from imserver import hookspecs
from imserver.answers import answers_to, check_of


class Row(NamedTuple):
    number: int


class LongRow(Row):
    pass


async def later() -> None: ...


@pytest.mark.parametrize(
    ("annotation", "answer"),
    [
        (int, 3),
        (float, 3),
        (Row, LongRow(1)),
        (str | bool | None, "yes"),
        (str | bool | None, None),
        (Sequence[Row], [Row(1), LongRow(2)]),
        (Sequence[Row], []),
        (Sequence[Row], (Row(1),)),
        (Iterable[tuple[int, str]], [(1, "a"), (2, "b")]),
        (Iterable[type[Row]], [LongRow]),
        (Mapping[str, int], {"a": 1}),
        (tuple[int, ...], (1, 2, 3)),
        (Literal["a", "b"], "b"),
        (Callable[[int], str], len),
        (Any, object()),
    ],
)
def test_what_is_wanted_fits(annotation: Any, answer: object) -> None:
    assert check_of(annotation)(answer)


@pytest.mark.parametrize(
    ("annotation", "answer"),
    [
        (int, "3"),
        (Row, (1,)),
        (str | bool | None, 3),
        (Sequence[Row], [Row(1), None]),
        (Sequence[Row], Row),
        (Sequence[str], "text"),
        (Sequence[str], (one for one in "text")),
        (Iterable[tuple[int, str]], [(1, 2)]),
        (Iterable[tuple[int, str]], [(1, "a", "b")]),
        (Iterable[type[Row]], [Row(1)]),
        (Mapping[str, int], {"a": "b"}),
        (Mapping[str, int], ["a"]),
        (Literal["a", "b"], "c"),
    ],
)
def test_what_is_not_wanted_does_not(annotation: Any, answer: object) -> None:
    assert not check_of(annotation)(answer)


def test_an_awaitable_fits_nothing() -> None:
    pending = later()

    assert not check_of(Any)(pending)
    pending.close()


def test_names_are_found_that_only_type_checkers_import() -> None:
    answers = answers_to(hookspecs.refine_message, hookspecs)

    assert [kind.__name__ for kind in sorted(answers.kinds, key=lambda one: one.__name__)] == [
        "Dropped",
        "Message",
    ]
    assert answers.wanted == "Message | Dropped | None"


def test_a_specification_may_say_nothing() -> None:
    def find(): ...  # type: ignore[no-untyped-def]

    assert answers_to(find, ModuleType("specifications")).fits(object())
