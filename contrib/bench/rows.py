"""The table as text, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contrib.bench.archive_paging import Paging
from contrib.bench.figures import Case, Figure, Results, compare, figure, shown
from contrib.bench.plan import Step
from contrib.bench.workloads import WORKLOADS

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Block:
    """What one step found: a row for each measure, a cell for each server and ratio."""

    title: str
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns: each server, and ours divided by each of the others."""

    servers: Sequence[str]

    @classmethod
    def of(cls, results: Results) -> Layout:
        return cls(list(dict.fromkeys(case.server for case in results)))

    @property
    def others(self) -> Sequence[str]:
        return self.servers[1:]

    @property
    def headings(self) -> list[str]:
        return [*self.servers, *(f"{self.servers[0]} / {other}" for other in self.others)]


def blocks(results: Results) -> Iterator[Block]:
    layout = Layout.of(results)
    for step in dict.fromkeys(case.step for case in results):
        yield Block(step.heading, list(_rows(step, layout, results)))


def _rows(step: Step, layout: Layout, results: Results) -> Iterator[tuple[str, list[str]]]:
    counts = WORKLOADS[step.workload].counts
    ours = Case(step, layout.servers[0])
    for measure in shown(step):
        reports = [results.get(Case(step, server)) for server in layout.servers]
        found = [figure(measure, each) if each else None for each in reports]
        ratios = [compare(ours, Case(step, other), measure, results) for other in layout.others]
        unit = plural(measure.unit.format(counts))
        yield (
            f"{measure.title}, {unit}",
            [
                *(show(each, measure.digits) for each in found),
                *(f"{show(each, 2)} ×" if each else NOTHING for each in ratios),
            ],
        )


def plural(unit: str) -> str:
    return unit.replace("copys", "copies")


def show(found: Figure | None, digits: int) -> str:
    if found is None or not found.median:
        return NOTHING
    spread = f" ±{found.spread:.0%}" if found.lowest != found.highest else ""
    return f"{found.median:,.{digits}f}{spread}"


def paging_block(paging: Sequence[Paging]) -> tuple[list[str], list[list[str]]]:
    """Give the headings and the rows."""
    headings = ["messages stored", "first page, ms", "median, ms", "p99, ms", "median, ratio"]
    rows = [
        [
            f"{each.messages:,}",
            f"{each.first_ms:.2f}",
            f"{each.median_ms:.2f}",
            f"{each.p99_ms:.2f}",
            f"{each.median_ms / paging[0].median_ms:.2f}",
        ]
        for each in paging
    ]
    return headings, rows
