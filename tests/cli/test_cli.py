import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

import imserver
from imserver.cli import app

COMMAND = Path(sys.executable).with_name("imserver")


def test_the_command_is_installed_and_says_its_version() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"imserver {imserver.__version__}\n"


def test_python_can_run_it_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imserver", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"imserver {imserver.__version__}\n"


def test_the_help_names_every_command_and_where_to_start() -> None:
    done = CliRunner().invoke(app, ["--help"])

    assert done.exit_code == 0
    for word in ("demo", "run", "check", "account", "Start with: imserver demo"):
        assert word in done.stdout


def test_what_makes_no_sense_exits_with_2() -> None:
    for arguments in (["dmo"], ["account", "bogus"], ["run", "--bogus"], ["account", "add"]):
        assert CliRunner().invoke(app, arguments).exit_code == 2
