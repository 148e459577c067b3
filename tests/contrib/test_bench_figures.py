"""contrib/bench: when it compares, when it refuses to, and which targets are met."""

from dataclasses import replace

import pytest

from contrib.bench.figures import (
    CPU,
    LOGINS,
    THROUGHPUT,
    Case,
    Figure,
    Results,
    compare,
    laggards,
    refusals,
    remarks,
)
from contrib.bench.report import PERFECT, Correctness, Report
from contrib.bench.rows import blocks, plural
from contrib.bench.targets import TARGETS, judge
from tests.contrib.bench_results import OURS, PAGING, REPORT, STEP, THEIRS, everything


def test_ratios_are_made_run_by_run() -> None:
    ours = [replace(REPORT, per_second=speed) for speed in (8000.0, 4000.0)]
    theirs = [replace(REPORT, per_second=speed) for speed in (1000.0, 500.0)]

    assert compare(OURS, THEIRS, THROUGHPUT, {OURS: ours, THEIRS: theirs}) == Figure(8.0, 8.0, 8.0)


@pytest.mark.parametrize(
    "report",
    [
        replace(REPORT, generator_cpu_share=0.95, server_cpu_share=0.6),
        replace(REPORT, correctness=replace(PERFECT, lost=1)),
    ],
)
def test_no_ratio_is_made_of_what_cannot_be_trusted(report: Report) -> None:
    results = {OURS: [REPORT, report], THEIRS: [REPORT, REPORT]}

    assert compare(OURS, THEIRS, CPU, results) is None
    assert len(list(refusals(results))) == 1


def test_logins_alone_may_be_beyond_comparison() -> None:
    report = replace(REPORT, login_generator_share=0.95, login_server_share=0.5)
    results = {OURS: [report], THEIRS: [REPORT]}

    assert compare(OURS, THEIRS, LOGINS, results) is None
    assert compare(OURS, THEIRS, CPU, results) is not None


def test_a_busy_generator_is_fine_when_the_server_was_saturated_too() -> None:
    report = replace(REPORT, generator_cpu_share=0.95, server_cpu_share=0.97)

    assert list(refusals({OURS: [report], THEIRS: [REPORT]})) == []


def test_a_busy_machine_is_said_once() -> None:
    report = replace(REPORT, others_cpu_share=0.5)

    assert list(remarks({OURS: [REPORT], THEIRS: [REPORT]})) == []
    assert len(list(remarks({OURS: [report], THEIRS: [report]}))) == 1


def test_a_server_that_does_not_keep_up_is_named() -> None:
    case = Case(replace(STEP, rate=1000), "prosody")

    assert list(laggards({case: [REPORT]})) == []
    assert "handled 800 of 1,000" in next(laggards({case: [replace(REPORT, per_second=800.0)]}))


def test_what_went_wrong_is_said_in_words() -> None:
    assert str(Correctness(lost=2, out_of_order=1)) == "2 lost, 1 out of order"


def test_copies_are_spelt_well() -> None:
    assert [plural(unit) for unit in ("copys/s", "messages/s", "µs a copy")] == [
        "copies/s",
        "messages/s",
        "µs a copy",
    ]


def test_every_step_has_a_block_with_a_cell_for_each_server_and_ratio() -> None:
    found = list(blocks(everything()))

    assert "100 clients" in found[0].title
    assert {len(cells) for block in found for _, cells in block.rows} == {4 + 3}


def test_a_server_that_is_as_good_as_another_meets_some_targets() -> None:
    verdicts = {(verdict.target, verdict.wanted): verdict for verdict in judge(everything(), PAGING)}

    assert len(verdicts) == len(TARGETS) + 2
    assert verdicts["archive on: messages/s", "≥ 8 × the better peer"].is_met is False
    assert verdicts["p99 at 1,000 messages/s, archive on", "≤ 1 × the better peer"].is_met is True
    assert verdicts["memory of an idle TLS client", "≤ 35 kB"].found == "30.0 kB"
    assert verdicts["last 50 with a contact, 1 M against 10 k stored", "≤ 1.2 ×"].is_met is True


def test_the_better_peer_is_the_one_that_is_harder_to_beat() -> None:
    ejabberd = Case(STEP, "ejabberd")
    results: Results = {
        OURS: [replace(REPORT, per_second=9000.0)],
        THEIRS: [replace(REPORT, per_second=1000.0)],
        ejabberd: [replace(REPORT, per_second=3000.0)],
    }

    verdict = judge(results, [])[0]

    assert (verdict.found, verdict.is_met) == ("3.00 × ejabberd", False)


def test_a_target_is_not_known_while_a_peer_is_missing() -> None:
    verdicts = judge({OURS: [REPORT], THEIRS: [REPORT]}, [])

    assert {verdict.is_met for verdict in verdicts if "peer" in verdict.wanted} == {None}
