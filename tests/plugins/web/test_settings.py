"""What an admin can set about visitors."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from imserver_web.settings import Question, Settings

CONFIG = Path(__file__).parents[3] / "config" / "imserver.toml"


def test_the_config_file_shows_every_setting_with_its_default() -> None:
    lines = CONFIG.read_text().splitlines()
    block = []
    for line in lines[lines.index("# [plugins.web]") :]:
        if not line.startswith("#"):
            break
        block.append(line.removeprefix("# "))

    table = tomllib.loads("\n".join(block))["plugins"]["web"]

    assert Settings.model_validate(table) == Settings()
    assert list(table) == list(Settings.model_fields)
    descriptions = [line.removeprefix("# ") for line in block if line.startswith("#")]
    assert descriptions == [field.description for field in Settings.model_fields.values()]


@pytest.mark.parametrize(
    "table",
    [
        {"origins": ["shop.example"]},
        {"origins": ["https://shop.example/page"]},
        {"clock_skew_seconds": 301},
        {"sites": {"shop": {"keys": {"1": "short"}}}},
        {"sites": {"shop": {"keys": {"a b": "k" * 40}}}},
        {"sites": {"Shop": {}}},
        {"sites": {"web.example": {}}},
        {"queues": {"support": {"form": [{"name": "a", "label": "A", "type": "list-single"}]}}},
        {"queues": {"support": {"form": [{"name": "FORM_TYPE", "label": "A"}]}}},
        {"nothing": 1},
    ],
)
def test_a_setting_that_means_nothing_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(table)


def test_a_key_is_not_shown_where_it_is_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"sites": {"shop": {"keys": {"1": "hush-hush"}}}})

    assert "hush-hush" not in str(refused.value)


def test_origins_are_compared_as_browsers_write_them() -> None:
    assert Settings.model_validate({"origins": ["https://Shop.example"]}).origins == ("https://shop.example",)


def test_every_question_has_a_description() -> None:
    assert all(field.description for field in Question.model_fields.values())
