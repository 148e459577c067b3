"""`[desk] file`: what is wrong with it is told before anything starts, with file, table and key."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app

COMMANDS = pytest.mark.parametrize("command", ["run", "check"])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "imserver.toml"
    file.write_text('domain = "example.com"\n[desk]\nfile = "desk.toml"')
    return file


def refused(command: str, config: Path) -> list[str]:
    done: Result = CliRunner().invoke(app, [command, "--config", str(config)])
    assert done.exit_code == 1
    return done.stderr.splitlines()


@COMMANDS
def test_everything_wrong_is_told(command: str, config: Path) -> None:
    desk = config.parent / "desk.toml"
    desk.write_text(
        'langage = "en"\n[queues.support]\nmembers = ["ana"]\n[queues.sales]\noffer_seconds = "soon"'
    )

    assert refused(command, config) == [
        f'error: {desk}: [queues.support] members (number 1): is "ana"; '
        "expected an account, such as ana@example.com",
        f'error: {desk}: [queues.sales] offer_seconds: is "soon"; expected a number',
        f'error: {desk}: langage: there is no such setting (its value is "en"); expected language?',
    ]


@COMMANDS
def test_a_file_that_is_not_there_is_told(command: str, config: Path) -> None:
    (line,) = refused(command, config)

    assert line == (
        f"error: [desk] file: {config.parent / 'desk.toml'} can't be read: No such file or directory"
    )


@COMMANDS
def test_a_file_that_is_not_toml_is_told(command: str, config: Path) -> None:
    (config.parent / "desk.toml").write_text("[queues.support")

    (line,) = refused(command, config)

    assert line.startswith(f"error: {config.parent / 'desk.toml'}: not TOML: ")


def test_a_good_file_is_fine(config: Path) -> None:
    (config.parent / "desk.toml").write_text('[queues.support]\nmembers = ["ana@example.com"]')

    done = CliRunner().invoke(app, ["check", "--config", str(config)])

    assert done.exit_code == 0
