"""How the figures look in a terminal."""

from __future__ import annotations

from rich.table import Table

from contrib.bench.figures import MEASURES, Figure, Results, compare, figure


def draw(archive: bool, results: Results) -> Table:
    """Draw a table with a row for each measure and a column for each server and ratio."""
    cases = [case for case in results if case.archive == archive]
    table = Table(
        title=f"archive {'on' if archive else 'off'}",
        caption=f"median ± half the spread of {len(results[cases[0]])} runs",
    )
    table.add_column("")
    for case in cases:
        table.add_column(case.server, justify="right")
    for case in cases[1:]:
        table.add_column(f"{cases[0].server} /\n{case.server}", justify="right")
    ratios = {(theirs, measure): ratio for _, theirs, measure, ratio in compare(results)}
    for measure in MEASURES:
        table.add_row(
            f"{measure.title}, {measure.unit}",
            *(show(figure(measure, results[case]), measure.digits) for case in cases),
            *(show(ratios.get((case, measure)), 2) for case in cases[1:]),
        )
    return table


def show(value: Figure | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value.median:,.{digits}f} ±{value.spread:.0%}"
