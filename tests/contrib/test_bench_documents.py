"""contrib/bench: the chart and the page say what was found."""

from xml.etree import ElementTree

from contrib.bench.chart import draw_chart, panels
from contrib.bench.machine import Machine
from contrib.bench.page import write_page
from contrib.bench.targets import judge
from tests.contrib.bench_results import PAGING, everything

SVG = "{http://www.w3.org/2000/svg}"
MACHINE = Machine("A & B <processor>", 2, 24.0, "Debian, Linux 6", "CPython 3.11", 20.0)


def test_the_chart_is_well_formed_and_says_the_value_of_each_bar() -> None:
    shown = panels(everything())

    root = ElementTree.fromstring(draw_chart(shown, "Us & <them>"))

    texts = [element.text for element in root.iter(f"{SVG}text")]
    bars = [bar for panel in shown for bar in panel.bars]
    assert len(bars) == 4 + 4 + 3 + 3
    assert [text for text in texts if text in {bar.text for bar in bars}] == [bar.text for bar in bars]
    assert len(list(root.iter(f"{SVG}rect"))) == len(bars) + 1


def test_the_chart_can_be_read_in_the_dark_and_by_those_who_do_not_see_it() -> None:
    root = ElementTree.fromstring(draw_chart(panels(everything()), "Us and them"))

    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Us and them"
    assert "imserver 1,000, imserver-postgresql 1,000" in (root.findtext(f"{SVG}desc") or "")
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")


def test_no_bar_leaves_the_chart() -> None:
    root = ElementTree.fromstring(draw_chart(panels(everything()), "Us and them"))

    for bar in root.iter(f"{SVG}rect"):
        if bar.get("x"):
            assert float(bar.get("x", "")) + float(bar.get("width", "")) < float(root.get("width", ""))


def test_the_page_has_the_machine_the_versions_the_command_and_every_verdict() -> None:
    verdicts = judge(everything(), PAGING)

    page = write_page(
        everything(),
        PAGING,
        verdicts,
        machine=MACHINE,
        versions={"prosody": "Prosody 0.12"},
        command="make bench",
        date="2025-01-01",
    )

    for text in ("A & B", "prosody: Prosody 0.12", "`make bench`", "2025-01-01", "bench.svg", "1,000,000"):
        assert text in page
    assert all(verdict.target in page for verdict in verdicts)
    assert {line.count("|") for line in page.splitlines() if line.startswith("| last 50")} == {5}
