"""How the figures look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from contrib.bench.archive_paging import Paging
from contrib.bench.figures import Results
from contrib.bench.rows import Layout, blocks, paging_block
from contrib.bench.targets import Verdict

COLOURS = {True: "green", False: "red", None: "yellow"}


def draw(results: Results, paging: Sequence[Paging], verdicts: Sequence[Verdict]) -> Table:
    """Draw one table: the servers side by side, the archive's pages, and whether the targets are met."""
    table = Table(show_header=False, box=None, pad_edge=False)
    if results:
        table.add_row(draw_results(results))
    if paging:
        table.add_row(draw_paging(paging))
    if results or paging:
        table.add_row(draw_verdicts(verdicts))
    return table


def draw_results(results: Results) -> Table:
    table = Table(caption="median ± half the distance between the best and the worst run")
    layout = Layout.of(results)
    table.add_column("", no_wrap=True)
    for heading in layout.headings:
        table.add_column(heading.replace(" / ", " /\n"), justify="right", no_wrap=True)
    for block in blocks(results):
        table.add_section()
        table.add_row(f"[bold]{block.title}")
        for title, cells in block.rows:
            table.add_row(f"  {title}", *cells)
    return table


def draw_paging(paging: Sequence[Paging]) -> Table:
    headings, rows = paging_block(paging)
    table = Table(title="the last 50 with a contact (imserver on SQLite)")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def draw_verdicts(verdicts: Sequence[Verdict]) -> Table:
    table = Table(title="target met?")
    for heading in ("", "wanted", "found", "met"):
        table.add_column(heading)
    for verdict in verdicts:
        colour = COLOURS[verdict.is_met]
        table.add_row(verdict.target, verdict.wanted, verdict.found, f"[{colour}]{verdict.word}")
    return table
