import re
from pathlib import Path

import pytest

from imserver.desk.figures import FIGURES, KINDS, Figure, Tallies, gather, total
from imserver.storage.happenings import Sum

ANA = "ana@example.com"
DOCUMENT = Path(__file__).parents[2] / "docs" / "figures.md"
BY_NAME = {figure.name: figure for group in FIGURES.values() for figure in group}


def happened(**kinds: list[float]) -> Tallies:
    """Let things happen, each kind as often as it has durations."""
    tallies = Tallies()
    for kind, durations in kinds.items():
        tallies[kind].add(len(durations), sum(durations), max(durations))
    return tallies


def read(name: str, tallies: Tallies) -> float | None:
    return BY_NAME[name].read(tallies)


def test_of_nothing_there_are_counts_and_no_averages() -> None:
    for figure in BY_NAME.values():
        assert figure.read(Tallies()) == (0 if figure.unit == "count" else None)


def test_an_average_is_of_those_it_happened_to() -> None:
    tallies = happened(accepted=[10, 20, 60], first_response=[3], reply=[1, 2], closed=[100])

    assert read("accepted", tallies) == 3
    assert read("queue_answer_time", tallies) == 30
    assert read("first_response_time", tallies) == 3
    assert read("reply_time", tallies) == 1.5
    assert read("duration", tallies) == 100


def test_handle_time_is_the_conversation_and_the_work_after_it() -> None:
    tallies = happened(handled=[100, 200], wrapped_up=[30])

    assert read("interaction_time", tallies) == 150
    assert read("after_contact_work_time", tallies) == 30
    assert read("handle_time", tallies) == 165


def test_the_longest_wait_is_also_that_of_who_gave_up_or_was_sent_on() -> None:
    assert read("longest_wait", happened(accepted=[10], abandoned=[300])) == 300
    assert read("longest_wait", happened(accepted=[10], overflowed=[40])) == 40
    assert read("longest_wait", happened(opened=[0])) is None


def test_shares_are_of_what_came_to_an_end() -> None:
    tallies = happened(
        opened=[0] * 9,
        offered=[0] * 9,
        accepted=[1, 1, 1],
        declined=[1],
        missed=[1, 1],
        abandoned=[1],
        overflowed=[1],
    )

    assert read("abandonment_rate", tallies) == 1 / 5
    assert read("answer_rate", tallies) == 3 / 6


def test_what_happened_on_several_days_is_put_together() -> None:
    gathered = gather(
        [
            Sum("support", "accepted", 1, 10, 10),
            Sum("sales", "opened", 5, 0, 0),
            Sum("support", "accepted", 3, 90, 60),
        ]
    )

    assert list(gathered) == ["sales", "support"]
    assert read("queue_answer_time", gathered["support"]) == 25
    assert read("longest_wait", gathered["support"]) == 60


def test_the_whole_is_not_the_average_of_averages() -> None:
    everybody = total({"a": happened(accepted=[100]), "b": happened(accepted=[0, 0, 0])})

    assert read("queue_answer_time", everybody) == 25


@pytest.mark.parametrize("figure", BY_NAME.values(), ids=list(BY_NAME))
def test_every_figure_is_defined_in_the_document(figure: Figure) -> None:
    assert re.search(rf"^\| {figure.title} \| `{figure.name}` \|", DOCUMENT.read_text(), re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_is_defined_in_the_document(kind: str) -> None:
    assert re.search(rf"^\| `{kind}` \|", DOCUMENT.read_text(), re.MULTILINE)
