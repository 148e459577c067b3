"""What an admin can set about files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from imserver_file_policy import Plugin
from imserver_file_policy.settings import Rule, Settings

CONFIG = Path(__file__).parents[3] / "config" / "imserver.toml"


@pytest.mark.parametrize(
    "table",
    [
        {"clamd": "localhost"},
        {"clamd": "tcp:localhost:x"},
        {"scan_seconds": 61},
        {"on_scan_failure": "pray"},
        {"rules": [{"extensions": ["a.b"]}]},
        {"rules": [{"types": ["image"]}]},
        {"rules": [{"role": "boss"}]},
        {"rules": [{"chanel": "web"}]},
    ],
)
def test_a_setting_that_means_nothing_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(table)


def test_extensions_may_be_written_as_people_do() -> None:
    assert Rule.model_validate({"extensions": [".PDF", "jpg "]}).extensions == ("pdf", "jpg")


def test_the_config_file_shows_every_setting_with_its_default() -> None:
    _, _, rest = CONFIG.read_text().partition("# [plugins.file_policy]\n")
    table = rest.partition("\n\n")[0]
    shown = "\n".join(line.removeprefix("# ") for line in table.splitlines())
    read = tomllib.loads(shown)
    [rule] = read.pop("plugins")["file_policy"]["rules"]

    assert Settings(**read, rules=(Rule(**rule),)) == Settings()
    assert read.keys() | {"rules"} == Settings.model_fields.keys()
    assert rule.keys() == Rule.model_fields.keys()
    for model in (Settings, Rule):
        for name, field in model.model_fields.items():
            place = "[[plugins.file_policy.rules]]" if name == "rules" else f"{name} = "
            assert f"# {field.description}\n{place}" in shown
    assert list(Plugin.register_settings()) == [Settings]
