import asyncio
import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app
from imserver.cli.periods import Period, read_day, read_month, read_span, read_week
from imserver.cli.report import as_time
from imserver.storage.database import Database
from imserver.storage.desk import DeskStore
from imserver.storage.happenings import EventRow

ANA = "ana@example.com"
LUIS = "luis@example.com"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
TODAY = date(2026, 7, 1)  # a Wednesday

Report = Callable[..., Result]

EVENTS = [
    EventRow(1, "support", "", "opened", NOON),
    EventRow(1, "support", ANA, "offered", NOON),
    EventRow(1, "support", ANA, "declined", NOON + 5, 5),
    EventRow(1, "support", LUIS, "offered", NOON + 5),
    EventRow(1, "support", LUIS, "accepted", NOON + 10, 10),
    EventRow(1, "support", LUIS, "first_response", NOON + 15, 5),
    EventRow(1, "support", LUIS, "reply", NOON + 60, 20.5),
    EventRow(1, "support", LUIS, "handled", NOON + 110, 100),
    EventRow(1, "support", LUIS, "closed", NOON + 110, 110),
    EventRow(1, "support", LUIS, "wrapped_up", NOON + 140, 30),
    EventRow(2, "sales", "", "opened", NOON),
    EventRow(2, "sales", "", "abandoned", NOON + 4000, 4000),
    EventRow(3, "sales", "", "opened", NOON + 24 * 3600),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "imserver.toml"
    file.write_text('domain = "example.com"\ndata = "."')
    return file


@pytest.fixture
def happened(config: Path) -> Callable[[list[EventRow]], None]:
    def save(events: list[EventRow]) -> None:
        async def open_and_save() -> None:
            database = await Database.open(f"sqlite:///{config.parent / 'imserver.db'}")
            await DeskStore(database).save([], events)
            await database.close()

        asyncio.run(open_and_save())

    return save


@pytest.fixture
def report(config: Path) -> Report:
    """Run `imserver report …`, where days begin at midnight UTC."""

    def run(*arguments: str, zone: str = "UTC") -> Result:
        return CliRunner().invoke(app, ["report", *arguments, "--zone", zone, "--config", str(config)])

    return run


Happened = Callable[[list[EventRow]], None]


def read_csv(done: Result) -> dict[str, dict[str, str]]:
    assert done.exit_code == 0, done.stderr
    rows = list(csv.DictReader(StringIO(done.stdout)))
    return {next(iter(row.values())): row for row in rows}


def lines(done: Result, name: str) -> list[str]:
    """Find the lines of one queue or agent in the tables, without the space between the columns."""
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    return [row for row in rows if row.split(" ")[0] == name]


def test_the_tables_have_a_line_for_each_queue_and_one_for_all(report: Report, happened: Happened) -> None:
    happened(EVENTS)

    done = report("--day", "2026-07-01")

    assert done.exit_code == 0
    assert done.stdout.startswith("The desk, 2026-07-01\n")
    assert lines(done, "support") == [
        "support 1 0 0 0.0% 0 0 1",
        "support 2 1 50.0% 1 0 1 0",
        "support 0:10 0:10 – 0:05 0:20 1:40 0:30 2:10 1:50",
    ]
    assert lines(done, "sales") == [
        "sales 1 0 1 100.0% 0 0 0",
        "sales 0 0 – 0 0 0 0",
        "sales – 1:06:40 1:06:40 – – – – – –",
    ]
    assert lines(done, "all")[0] == "all 2 0 1 50.0% 0 0 1"


def test_each_agent_has_a_line_without_what_nobody_attended(report: Report, happened: Happened) -> None:
    happened(EVENTS)

    done = report("--day", "2026-07-01", "--by", "agent")

    assert "Abandoned" not in done.stdout
    assert lines(done, ANA) == [f"{ANA} 0 0", f"{ANA} 1 0 0.0% 1 0 0 0", f"{ANA} – – – – – – –"]
    assert lines(done, LUIS)[1] == f"{LUIS} 1 1 100.0% 0 0 1 0"


def test_the_tables_fit_on_a_small_screen_and_are_never_cut(report: Report, happened: Happened) -> None:
    long_name = (
        "a-queue-that-somebody-gave-a-very-long-name-of-more-than-eighty-letters-just-to-see-what-happens"
    )
    happened(EVENTS)
    small = report("--day", "2026-07-01")
    happened([EventRow(9, long_name, "", "opened", NOON)])
    large = report("--day", "2026-07-01")

    assert max(map(len, small.stdout.splitlines())) <= 80
    assert lines(large, long_name)[0] == f"{long_name} 1 0 0 – 0 0 0"


def test_the_csv_has_counts_and_sums_and_what_is_made_of_them(report: Report, happened: Happened) -> None:
    happened(EVENTS)

    support = read_csv(report("--day", "2026-07-01", "--csv"))["support"]

    assert (support["queue"], support["accepted"], support["accepted_seconds"]) == ("support", "1", "10")
    assert (support["reply"], support["reply_seconds"], support["reply_time"]) == ("1", "20.5", "20.5")
    assert (support["handle_time"], support["queue_abandon_time"]) == ("130", "")


def test_a_long_period_is_the_sum_of_its_days(report: Report, happened: Happened) -> None:
    happened(EVENTS)

    figures = read_csv(report("--from", "2026-01-01", "--to", "2026-12-31", "--csv"))

    assert (figures["sales"]["opened"], figures["support"]["opened"]) == ("2", "1")


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [
        (["--day", "2026-06-30"], None),
        (["--day", "2026-07-02"], "1"),
        (["--week", "2026-W27"], "2"),
        (["--week", "2026-07-05"], "2"),
        (["--month", "2026-07"], "2"),
        (["--month", "2026-06"], None),
        (["--from", "2026-07-02"], "1"),
    ],
)
def test_a_period_has_what_happened_in_it(
    report: Report, happened: Happened, arguments: list[str], opened: str | None
) -> None:
    happened(EVENTS)

    assert read_csv(report(*arguments, "--csv")).get("sales", {}).get("opened") == opened


def test_days_begin_at_midnight_in_the_zone(report: Report, happened: Happened) -> None:
    happened([EventRow(1, "support", "", "opened", NOON)])

    figures = read_csv(report("--day", "2026-07-02", "--csv", zone="Pacific/Auckland"))

    assert figures["support"]["opened"] == "1"


def test_a_day_without_anything_is_told(report: Report, happened: Happened) -> None:
    nothing_ever = report("--day", "2026-07-01")
    happened(EVENTS)
    nothing_then = report("--day", "2026-06-01")

    for done, day in ((nothing_ever, "2026-07-01"), (nothing_then, "2026-06-01")):
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == f"Nothing happened in the desk on {day}.\n"


def test_today_is_what_is_shown_if_nothing_is_said(report: Report, happened: Happened) -> None:
    happened([EventRow(1, "support", "", "opened", datetime.now(UTC).timestamp())])

    assert "support" in report().stdout


def test_a_name_is_shown_as_it_is(report: Report, happened: Happened) -> None:
    happened([EventRow(1, "[red]", "", "opened", NOON)])

    assert "[red]" in report("--day", "2026-07-01").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--by", "client"], '"client" is neither queue nor agent'),
        (["--day", "1.7.2026"], '"1.7.2026" is not a day: say today, yesterday, or a date such as'),
        (["--day", "9999-12-31"], '"9999-12-31" is not a day'),
        (["--week", "2026-W54"], '"2026-W54" is not a week: say this, last, a week such as 2026-W27'),
        (["--month", "July"], '"July" is not a month: say this, last, or a month such as 2026-07'),
        (["--to", "2026-07-01"], "say the first day too, with --from"),
        (["--from", "2026-07-02", "--to", "2026-07-01"], "the last day, 2026-07-01, comes before the first"),
        (["--day", "today", "--week", "this"], "they name different periods: say one"),
        (
            ["--zone", "Europe/Atlantis"],
            '"Europe/Atlantis" is not a time zone: say one such as Europe/Madrid',
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    config: Path, arguments: list[str], complaint: str
) -> None:
    done = CliRunner().invoke(app, ["report", *arguments, "--config", str(config)], env={"COLUMNS": "200"})

    assert done.exit_code == 2
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (read_day("today", TODAY), "2026-07-01", "2026-07-01"),
        (read_day("Yesterday", TODAY), "2026-06-30", "2026-06-30"),
        (read_week("this", TODAY), "2026-06-29", "2026-07-05"),
        (read_week("last", TODAY), "2026-06-22", "2026-06-28"),
        (read_week("2026w1", TODAY), "2025-12-29", "2026-01-04"),
        (read_month("this", TODAY), "2026-07-01", "2026-07-31"),
        (read_month("last", TODAY), "2026-06-01", "2026-06-30"),
        (read_month("last", date(2026, 3, 31)), "2026-02-01", "2026-02-28"),
        (read_month("2025-12", TODAY), "2025-12-01", "2025-12-31"),
        (read_span("2026-06-01", "", TODAY), "2026-06-01", "2026-07-01"),
        (read_span("2026-08-01", "", TODAY), "2026-08-01", "2026-08-01"),
    ],
)
def test_periods_are_understood(period: Period, first: str, last: str) -> None:
    assert (str(period.first), str(period.last)) == (first, last)


def test_the_days_of_a_period_leave_no_hour_out_when_clocks_change() -> None:
    moments = list(Period(date(2026, 10, 24), date(2026, 10, 26)).moments(ZoneInfo("Europe/Madrid")))

    assert [timedelta(seconds=end - start) / timedelta(hours=1) for start, end in moments] == [24, 25, 24]
    assert moments[0][1] == moments[1][0]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (59.6, "1:00"), (187, "3:07"), (3723, "1:02:03"), (360_000, "100:00:00")],
)
def test_times_are_shown_as_on_a_clock(seconds: float, shown: str) -> None:
    assert as_time(seconds) == shown
