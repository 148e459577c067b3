"""config/imserver.toml says every setting of the plugin, with its default and description."""

from __future__ import annotations

import tomllib
from pathlib import Path

from imserver_templates.settings import TemplatesSettings

CONFIG = Path(__file__).parents[3] / "config" / "imserver.toml"


def test_the_file_holds_every_setting() -> None:
    lines = CONFIG.read_text().splitlines()
    start = lines.index("# [plugins.templates]")
    block = []
    for line in lines[start:]:
        if not line.startswith("#"):
            break
        block.append(line.removeprefix("# "))

    table = tomllib.loads("\n".join(block))["plugins"]["templates"]

    assert TemplatesSettings.model_validate(table) == TemplatesSettings()
    assert list(table) == list(TemplatesSettings.model_fields)
    descriptions = [line.removeprefix("# ") for line in block if line.startswith("#")]
    assert descriptions == [field.description for field in TemplatesSettings.model_fields.values()]
