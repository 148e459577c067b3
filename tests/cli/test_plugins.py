"""`imserver plugins` and `imserver plugin new`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from imserver.cli import app
from imserver.loading import BUILT_IN

COMMAND = Path(sys.executable).with_name("imserver")

COUNTER = """
from pydantic import BaseModel
from imserver import hookimpl

class Settings(BaseModel, extra="forbid"):
    size: int = 1

class Plugin:
    def __init__(self, settings): ...

    @staticmethod
    @hookimpl
    def register_settings():
        return [Settings]

    @hookimpl
    def refine_message(self, message): ...
"""

Plugins = Callable[..., Result]


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    """Run `imserver plugins` with this text as the settings."""

    def run(toml: str, *arguments: str) -> Result:
        config = tmp_path / "imserver.toml"
        config.write_text(toml)
        return CliRunner().invoke(app, ["plugins", "--config", str(config), *arguments])

    return run


def listed(done: Result) -> Mapping[str, Mapping[str, Any]]:
    assert done.exit_code == 0, done.stderr
    return {line["name"]: line for line in json.loads(done.stdout)}


def test_what_is_built_in_is_shown_in_its_order(plugins: Plugins) -> None:
    lines = listed(plugins("", "--json"))

    assert [name for name, line in lines.items() if line["is_loaded"]] == list(BUILT_IN)
    assert lines["ping"] == {
        "name": "ping",
        "is_loaded": True,
        "source": "built in",
        "place": "",
        "hooks": ["register_iq_handlers"],
        "settings": "",
    }


def test_a_file_is_shown_with_its_hooks_and_its_table(plugins: Plugins, tmp_path: Path) -> None:
    file = tmp_path / "counter.py"
    file.write_text(COUNTER)

    done = plugins('[plugins]\npaths = ["counter.py"]')

    (line,) = [line.split() for line in done.stdout.splitlines() if line.startswith("counter ")]
    assert line == [
        "counter",
        "file:",
        str(file),
        "[plugins.counter]",
        "register_settings,",
        "refine_message",
    ]


def test_what_is_installed_and_not_enabled_is_shown_too(plugins: Plugins) -> None:
    lines = listed(plugins("", "--json"))

    assert lines["templates"]["source"] == "bundled"
    assert lines["templates"]["place"].startswith("imserver ")
    assert not lines["templates"]["is_loaded"]
    assert "not enabled" in plugins("").stdout


def test_the_desk_is_among_them_if_there_is_one(plugins: Plugins, tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text("[queues.support]\n")

    lines = listed(plugins('[desk]\nfile = "desk.toml"', "--json"))

    assert lines["desk"]["is_loaded"]


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ('[plugins]\npaths = ["missing.py"]', "missing.py"),
        ('[plugins]\nenabled = ["nobody"]', "there is no plugin named 'nobody'"),
        ("[plugins.nobody]\nsize = 1", "[plugins.nobody]: no loaded plugin has settings of this name"),
        ("domain = 3", "domain"),
    ],
)
def test_what_can_not_be_loaded_is_named(plugins: Plugins, toml: str, reason: str) -> None:
    done = plugins(toml)

    assert done.exit_code == 1
    assert "error:" in done.stderr
    assert reason in done.stderr


# New ones


def new(folder: Path, name: str) -> Result:
    return CliRunner().invoke(app, ["plugin", "new", name, "--in", str(folder)])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no-identifier", "a Python identifier"),
        ("Loud", "small letters"),
        ("class", "a Python identifier"),
        ("paths", "no table of its own"),
        ("ping", "built in"),
        ("templates", "an installed plugin"),
        ("json", "a Python module"),
        ("pydantic", "a Python module"),
    ],
)
def test_a_name_that_can_not_be_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    done = new(tmp_path, name)

    assert done.exit_code == 1
    assert reason in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "opening").mkdir()
    (tmp_path / "opening" / "opening.py").write_text("mine")

    done = new(tmp_path, "opening")

    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert [file.name for file in (tmp_path / "opening").iterdir()] == ["opening.py"]
    assert (tmp_path / "opening" / "opening.py").read_text() == "mine"


def test_it_bears_its_name_everywhere_and_the_next_steps_are_told(tmp_path: Path) -> None:
    done = new(tmp_path, "opening_words")

    files = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert files == [
        "opening_words/README.md",
        "opening_words/opening_words.py",
        "opening_words/pyproject.toml",
        "opening_words/tests/test_opening_words.py",
    ]
    assert not [file for file in tmp_path.rglob("*.*") if "my_plugin" in file.read_text()]
    for step in (f"cd {tmp_path / 'opening_words'}", "pytest", 'enabled = ["opening_words"]'):
        assert step in done.stdout


def test_its_own_test_passes_and_the_server_takes_it(tmp_path: Path) -> None:
    new(tmp_path, "opening_words")
    made = tmp_path / "opening_words"

    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "3 passed" in tested.stdout
