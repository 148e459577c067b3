"""docs/bench.md: the figures, with everything that is needed to repeat them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contrib.bench.archive_paging import Paging
from contrib.bench.figures import Results, laggards, refusals, remarks
from contrib.bench.machine import Machine
from contrib.bench.rows import Layout, blocks, paging_block
from contrib.bench.targets import Verdict


def write_page(
    results: Results,
    paging: Sequence[Paging],
    verdicts: Sequence[Verdict],
    *,
    machine: Machine,
    versions: Mapping[str, str],
    command: str,
    date: str,
) -> str:
    parts = [
        "# How fast",
        "![Messages a second and CPU a message, server by server](bench.svg)",
        f"Measured on {date} by `{command}`: every server on the same machine, in turns, under the same load."
        " [How it is measured](../contrib/bench/README.md).",
        "\n".join(
            [f"- Machine: {machine}", *(f"- {server}: {version}" for server, version in versions.items())]
        ),
        "## Are the targets met?",
        table(
            ["", "wanted", "found", "met"],
            [[each.target, each.wanted, each.found, each.word] for each in verdicts],
        ),
        "## Side by side",
        "The median of the runs, ± half the distance between the best and the worst where there were several."
        " A dash: not measured, or not to be compared.",
        *_side_by_side(results),
        *_paging(paging),
        *_notes(results),
    ]
    return "\n\n".join(parts) + "\n"


def _side_by_side(results: Results) -> Iterator[str]:
    layout = Layout.of(results)
    for block in blocks(results):
        yield f"### {block.title[0].upper()}{block.title[1:]}"
        rows = [[title, *cells] for title, cells in block.rows]
        used = [
            column
            for column in range(len(layout.headings) + 1)
            if column == 0 or any(row[column] != "–" for row in rows)
        ]
        headings = ["", *layout.headings]
        yield table([headings[column] for column in used], [[row[column] for column in used] for row in rows])


def _paging(paging: Sequence[Paging]) -> Iterator[str]:
    if paging:
        yield "### The last 50 with a contact (imserver on SQLite)"
        yield table(*paging_block(paging))


def _notes(results: Results) -> Iterator[str]:
    if notes := [*refusals(results), *laggards(results), *remarks(results)]:
        yield "## Notes"
        yield "\n".join(f"- {note}" for note in notes)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    lines = [headings, ["---", *["--:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
