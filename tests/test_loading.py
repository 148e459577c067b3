"""Plugins are found, handed their settings, and named when something is wrong with them."""

from pathlib import Path

import pytest
import structlog

from imserver.hooks import PluginError
from imserver.loading import BUILT_IN, load
from imserver.settings import SettingsError
from tests.scenes.actors import settings_for

LOG = structlog.wrap_logger(None, processors=[structlog.testing.LogCapture()])

ROOM = """
from pydantic import BaseModel
from imserver import hookimpl

class Settings(BaseModel, extra="forbid"):
    size: int = 1

class Plugin:
    def __init__(self, settings):
        self.settings = settings

    @staticmethod
    @hookimpl
    def register_settings():
        return [Settings]
"""


def write(folder: Path, name: str, code: str) -> str:
    file = folder / f"{name}.py"
    file.write_text(code)
    return str(file)


def test_what_ships_with_the_server_is_loaded_in_order(tmp_path: Path) -> None:
    hooks = load(settings_for(tmp_path, {}), LOG)

    assert hooks.plugins == list(BUILT_IN)


def test_a_file_is_loaded_behind_them(tmp_path: Path) -> None:
    path = write(tmp_path, "room", ROOM)

    hooks = load(settings_for(tmp_path, {"plugins": {"paths": [path], "room": {"size": 3}}}), LOG)

    assert hooks.plugins[-1] == "room"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name", "can't be imported"),
        ("1 / 0", "can't be imported"),
        ("def (", "can't be imported"),
        ("class Plugin:\n    def __init__(self):\n        raise OSError('no disk')", "no disk"),
        (
            "from imserver import hookimpl\n@hookimpl\ndef refine_mesage(message): ...",
            "refine_mesage",
        ),
        (
            "from imserver import hookimpl\n@hookimpl\ndef refine_message(letter): ...",
            "letter",
        ),
    ],
)
def test_one_that_fails_is_named(tmp_path: Path, code: str, reason: str) -> None:
    path = write(tmp_path, "broken", code)

    with pytest.raises(PluginError) as caught:
        load(settings_for(tmp_path, {"plugins": {"paths": [path]}}), LOG)

    assert "broken" in str(caught.value)
    assert reason in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"missing\.py"):
        load(settings_for(tmp_path, {"plugins": {"paths": [str(tmp_path / "missing.py")]}}), LOG)


def test_one_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="'nobody'"):
        load(settings_for(tmp_path, {"plugins": {"enabled": ["nobody"]}}), LOG)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [write(tmp_path, "room", ROOM), write(tmp_path / "other", "room", ROOM)]

    with pytest.raises(PluginError, match="two plugins named 'room'"):
        load(settings_for(tmp_path, {"plugins": {"paths": paths}}), LOG)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"room": {"size": "large"}}, "[plugins.room] size"),
        ({"room": {"sise": 3}}, "[plugins.room] sise"),
        ({"rom": {"size": 3}}, "[plugins.rom]"),
    ],
)
def test_a_table_that_does_not_fit_is_named(tmp_path: Path, table: dict[str, object], named: str) -> None:
    path = write(tmp_path, "room", ROOM)

    with pytest.raises(SettingsError) as caught:
        load(settings_for(tmp_path, {"plugins": {"paths": [path], **table}}), LOG)

    assert named in str(caught.value)
