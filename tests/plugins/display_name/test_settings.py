"""What an admin can set about names."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from imserver_display_name import Plugin
from imserver_display_name.settings import Settings

CONFIG = Path(__file__).parents[3] / "config" / "imserver.toml"


@pytest.mark.parametrize("claimed", ["", "{name}", "~{name}", "“{name}” ({number})"])
def test_a_claimed_name_may_look_so(claimed: str) -> None:
    assert Settings(claimed=claimed).claimed == claimed


@pytest.mark.parametrize(
    "claimed", ["claimed", "{number}", "{name", "{name!r}", "{name:>10}", "{name.x}", "{0}"]
)
def test_a_claimed_name_may_not_look_so(claimed: str) -> None:
    with pytest.raises(ValidationError):
        Settings(claimed=claimed)


@pytest.mark.parametrize(
    "aliases", [{"ana": "Ana"}, {"ana@localhost/x": "Ana"}, {"ana@localhost": "ana@localhost"}]
)
def test_an_alias_is_a_name_of_an_account(aliases: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings(aliases=aliases)


def test_the_config_file_shows_every_setting_with_its_default() -> None:
    _, _, rest = CONFIG.read_text().partition("# [plugins.display_name]\n")
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
