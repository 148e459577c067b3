"""`imserver templates check`."""

from pathlib import Path

from typer.testing import CliRunner

from imserver.cli import app
from imserver.cli.templates import examples


def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("Hello")
    (tmp_path / "bad.md").write_text("Hello\n{% if %}")

    done = CliRunner().invoke(app, ["templates", "check", str(tmp_path)])

    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "error: bad.md:2: Expected an expression, got 'end of statement block'"
    ]
    assert done.stdout == "1 templates can be used.\n"


def test_the_examples_are_right() -> None:
    folder = examples()
    assert folder is not None

    done = CliRunner().invoke(app, ["templates", "check", str(folder)])

    assert done.exit_code == 0
    assert done.stdout == "18 templates can be used.\n"
