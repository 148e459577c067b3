"""What an admin can set about the history."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from imserver_history_by_from import Plugin
from imserver_history_by_from.settings import Settings

CONFIG = Path(__file__).parents[3] / "config" / "imserver.toml"


def test_the_config_file_shows_every_setting_with_its_default() -> None:
    _, _, rest = CONFIG.read_text().partition("# [plugins.history_by_from]\n")
    table = rest.partition("\n\n")[0]
    shown, comment = {}, ""
    for line in table.splitlines():
        if setting := re.match(r"# (\w+) = (.*)", line):
            shown[setting[1]] = (tomllib.loads(f"x = {setting[2]}")["x"], comment)
        comment = line.removeprefix("# # ")

    defaults = Settings().model_dump(mode="json")
    assert shown == {
        name: (defaults[name], field.description) for name, field in Settings.model_fields.items()
    }
    assert list(Plugin.register_settings()) == [Settings]


@pytest.mark.parametrize("wrong", [{"messages": -1}, {"messages": 501}, {"history": True}])
def test_what_can_t_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)
