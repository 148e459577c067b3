"""One chart as SVG: readable in light and in dark, and by those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from contrib.bench.figures import CPU, THROUGHPUT, Measure, Results, figure

WIDTH, MARGIN, GAP = 860, 24, 40
PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP) / 2
LABEL_WIDTH, VALUE_WIDTH = 148, 76
HEAD, LINE, BAR = 40, 30, 18

STYLE = """\
  svg { font: 13px system-ui, sans-serif; }
  .ground { fill: #ffffff; } text { fill: #1f2328; } .quiet { fill: #59636e; } .title { font-weight: 600; }
  .ours { fill: #0969da; } .theirs { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } text { fill: #e6edf3; } .quiet { fill: #9198a1; }
    .ours { fill: #4493f8; } .theirs { fill: #57606a; }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: float
    text: str

    @property
    def is_ours(self) -> bool:
        return self.label.startswith("imserver")


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    note: str
    bars: Sequence[Bar]


KINDS = (
    (THROUGHPUT, "messages a second", "more is better", "{:,.0f}"),
    (CPU, "server CPU a message", "less is better", "{:,.0f} µs"),
)
STEPS = (("chat-on", "archive on"), ("chat-off", "archive off"))


def panels(results: Results) -> list[Panel]:
    """Choose what the chart shows: speed and cost of messages, with and without the archive."""
    return [
        Panel(f"{title}, {where}", note, bars)
        for step, where in STEPS
        for measure, title, note, form in KINDS
        if (bars := _bars(step, measure, form, results))
    ]


def _bars(step: str, measure: Measure, form: str, results: Results) -> list[Bar]:
    return [
        Bar(case.server, found, form.format(found))
        for case, reports in results.items()
        if case.step.name == step and (found := figure(measure, reports).median)
    ]


def draw_chart(panels: Sequence[Panel], title: str) -> str:
    """Draw two panels a row."""
    rows = [panels[first : first + 2] for first in range(0, len(panels), 2)]
    tops, height = [], float(MARGIN + HEAD)
    for row in rows:
        tops.append(height)
        height += HEAD + LINE * max(len(panel.bars) for panel in row) + MARGIN
    drawn = [
        _draw_panel(panel, MARGIN + column * (PANEL_WIDTH + GAP), top)
        for row, top in zip(rows, tops, strict=True)
        for column, panel in enumerate(row)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
            f' height="{height:.0f}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(describe(panels))}</desc>',
            f"<style>\n{STYLE}</style>",
            '<rect class="ground" width="100%" height="100%" rx="8"/>',
            f'<text class="title" x="{MARGIN}" y="{MARGIN + 16}" font-size="16">{escape(title)}</text>',
            *drawn,
            "</svg>\n",
        ]
    )


def describe(panels: Sequence[Panel]) -> str:
    """Say in words what the bars show."""
    return " ".join(
        f"{panel.title} ({panel.note}): {', '.join(f'{bar.label} {bar.text}' for bar in panel.bars)}."
        for panel in panels
    )


def _draw_panel(panel: Panel, left: float, top: float) -> str:
    longest = max(bar.value for bar in panel.bars)
    bars = [
        _draw_bar(bar, longest, left, top + HEAD + number * LINE) for number, bar in enumerate(panel.bars)
    ]
    return "\n".join(
        [
            f'<text class="title" x="{left:g}" y="{top + 16:g}">{escape(panel.title)}'
            f'<tspan class="quiet" font-weight="400"> · {escape(panel.note)}</tspan></text>',
            *bars,
        ]
    )


def _draw_bar(bar: Bar, longest: float, left: float, top: float) -> str:
    begin = left + LABEL_WIDTH
    length = max((PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH) * bar.value / longest, 1.0)
    kind = "ours" if bar.is_ours else "theirs"
    baseline = top + BAR - 5
    return (
        f'<text x="{left:g}" y="{baseline:g}">{escape(bar.label)}</text>'
        f'<rect class="{kind}" x="{begin:g}" y="{top:g}" width="{length:.1f}" height="{BAR}" rx="3"/>'
        f'<text x="{begin + length + 6:.1f}" y="{baseline:g}">{escape(bar.text)}</text>'
    )
