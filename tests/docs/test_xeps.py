"""What we claim to support is there, and shown."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from contrib.docs import xeps

TABLE = xeps.read_table()


@pytest.mark.parametrize("xep", TABLE, ids=lambda xep: xep["number"])
def test_the_file_says_which_xep_it_is_and_a_scene_shows_it(xep: dict[str, str]) -> None:
    assert f"XEP-{xep['number']}" in (xeps.ROOT / xep["file"]).read_text()
    assert "def test_" in (xeps.ROOT / xep["scene"]).read_text()


def test_the_table_is_in_order() -> None:
    numbers = [xep["number"] for xep in TABLE]

    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("file", "content"), [("xeps.md", xeps.as_markdown(TABLE)), ("doap.xml", xeps.as_doap(TABLE))]
)
def test_what_is_made_from_the_table_is_up_to_date(file: str, content: str) -> None:
    assert Path(xeps.ROOT / "docs" / file).read_text() == content, "run `make docs`"


def test_the_doap_file_is_xml() -> None:
    root = ElementTree.parse(xeps.ROOT / "docs" / "doap.xml").getroot()

    assert len(root.findall(".//{https://linkmauve.fr/ns/xmpp-doap#}SupportedXep")) == len(TABLE)
