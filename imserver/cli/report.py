"""`imserver report`: what the desk did."""

import asyncio
import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imserver.cli import config as configuration
from imserver.cli.config import ConfigOption
from imserver.cli.console import err, out
from imserver.cli.database import open_database
from imserver.cli.periods import Period, read_day, read_month, read_span, read_week
from imserver.desk.figures import FIGURES, KINDS, MOMENTS, Figure, Tallies, Unit, gather, total
from imserver.settings import Settings
from imserver.storage.desk import DeskStore
from imserver.storage.happenings import By, Sum

# Reading fewer days than this takes no time worth a progress bar.
MANY_DAYS = 7

DayOption = Annotated[
    str, typer.Option("--day", metavar="DAY", help="One day: today, yesterday, or a date such as 2026-07-01.")
]
WeekOption = Annotated[
    str,
    typer.Option("--week", metavar="WEEK", help="Monday to Sunday: this, last, 2026-W27, or a day in it."),
]
MonthOption = Annotated[
    str, typer.Option("--month", metavar="MONTH", help="One month: this, last, or such as 2026-07.")
]
FromOption = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")]
ToOption = Annotated[str, typer.Option("--to", metavar="DAY", help="The last day; today if it is left out.")]
ByOption = Annotated[
    str, typer.Option("--by", metavar="WHOSE", help="A line for each [bold]queue[/], or each [bold]agent[/].")
]
ZoneOption = Annotated[
    str,
    typer.Option(
        "--zone",
        metavar="ZONE",
        help="Where days begin at midnight: Europe/Madrid. This machine's by default.",
    ),
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV, for spreadsheets and programs.")]


def report(
    by: ByOption = "queue",
    day: DayOption = "",
    week: WeekOption = "",
    month: MonthOption = "",
    start: FromOption = "",
    end: ToOption = "",
    zone: ZoneOption = "",
    as_csv: CsvOption = False,
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Show how many clients came to the desk, how long they waited, and how they were served: today, or any period.

    [bold]Example:[/] imserver report --week last --by agent --csv > agents.csv
    """
    whose = _whose(by)
    midnight = _zone(zone)
    period = _period(
        {"--day": day, "--week": week, "--month": month, "--from": start, "--to": end},
        datetime.now(midnight).date() if midnight else date.today(),  # noqa: DTZ011 - the machine's is meant
    )
    sums = asyncio.run(_read(configuration.read(config), period, midnight, whose))
    figures = gather(sums)
    if as_csv:
        _write_csv(whose, figures)
    elif figures:
        _print_tables(whose, period, figures)
    else:
        err.print(f"Nothing happened in the desk on {period}.", markup=False)


def _whose(by: str) -> By:
    match by:
        case "queue" | "agent":
            return by
    raise typer.BadParameter(f'"{by}" is neither queue nor agent', param_hint="--by")


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(
            f'"{name}" is not a time zone: say one such as Europe/Madrid', param_hint="--zone"
        ) from error


def _period(said: Mapping[str, str], today: date) -> Period:
    asked = [option for option, value in said.items() if value]
    if len(asked) > 1 and asked != ["--from", "--to"]:
        raise typer.BadParameter("they name different periods: say one", param_hint=" and ".join(asked))
    try:
        match asked:
            case []:
                return read_day("today", today)
            case ["--day"]:
                return read_day(said["--day"], today)
            case ["--week"]:
                return read_week(said["--week"], today)
            case ["--month"]:
                return read_month(said["--month"], today)
            case ["--to"]:
                raise ValueError("say the first day too, with --from")
            case _:
                return read_span(said["--from"], said["--to"], today)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=" and ".join(asked)) from error


async def _read(settings: Settings, period: Period, zone: tzinfo | None, by: By) -> list[Sum]:
    """Read day after day, so that a long period neither blocks others nor stays silent."""
    sums: list[Sum] = []
    async with open_database(settings) as database:
        desk = DeskStore(database)
        if (first := await desk.first_event()) is None:
            return []
        days = [(start, end) for start, end in period.moments(zone) if end > first]
        with Progress(
            TextColumn("Reading days"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            disable=len(days) < MANY_DAYS or not err.is_terminal,
        ) as progress:
            for start, end in progress.track(days):
                sums += await desk.report(start, end, by)
    return sums


def _print_tables(by: By, period: Period, figures: Mapping[str, Tallies]) -> None:
    out.print(f"The desk, {period}", markup=False, style="bold")
    for title, group in FIGURES.items():
        table = _table(by, title, [figure for figure in group if by in figure.of], figures)
        # Where it is wider than the terminal, the terminal breaks its lines: no figure is ever cut off.
        table.width = Measurement.get(out, out.options.update(max_width=10_000), table).maximum
        out.print(table, "")


def _table(by: By, title: str, columns: Sequence[Figure], figures: Mapping[str, Tallies]) -> Table:
    everybody = total(figures)
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        show_footer=len(figures) > 1,
    )
    table.add_column(by.capitalize(), "all", no_wrap=True)
    for figure in columns:
        table.add_column(figure.title, show(figure, everybody), justify="right", no_wrap=True)
    for name, tallies in figures.items():
        table.add_row(Text(name), *(show(figure, tallies) for figure in columns))
    return table


def show(figure: Figure, tallies: Tallies) -> str:
    """Write a figure as people read it."""
    value = figure.read(tallies)
    if value is None:
        return "–"
    return WRITTEN[figure.unit](value)


def as_time(seconds: float) -> str:
    """Write 3:07, or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


WRITTEN: dict[Unit, Callable[[float], str]] = {
    "count": lambda value: f"{value:,.0f}",
    "share": lambda value: f"{value:.1%}",
    "seconds": as_time,
}


def _write_csv(by: By, figures: Mapping[str, Tallies]) -> None:
    """Write counts and sums, of which anything can be made exactly, and behind them what we make of them."""
    timed = [kind for kind in KINDS if kind not in MOMENTS]
    made = [
        figure for group in FIGURES.values() for figure in group if figure.unit != "count" and by in figure.of
    ]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([by, *KINDS, *(f"{kind}_seconds" for kind in timed), *(figure.name for figure in made)])
    for name, tallies in figures.items():
        writer.writerow(
            [
                name,
                *(tallies[kind].count for kind in KINDS),
                *_numbers(tallies[kind].seconds for kind in timed),
                *_numbers(figure.read(tallies) for figure in made),
            ]
        )


def _numbers(values: Iterable[float | None]) -> list[str]:
    return ["" if value is None else f"{value:.6f}".rstrip("0").rstrip(".") for value in values]
