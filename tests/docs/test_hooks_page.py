"""Every hook is documented as it is, and used by something that ships with us."""

import ast
from pathlib import Path

import pytest

from contrib.docs import hooks

BUNDLED = "\n".join(
    file.read_text()
    for folder in ("imserver/features", "imserver/desk", "contrib/example_plugin", "plugins")
    for file in Path(hooks.ROOT / folder).rglob("*.py")
    if not file.name.startswith("test_")
)


def implementations() -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(BUNDLED)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            ast.unparse(mark).partition("(")[0] == "hookimpl" for mark in node.decorator_list
        ):
            found.add(node.name)
    return found


def test_the_page_is_up_to_date() -> None:
    assert (hooks.ROOT / "docs" / "hooks.md").read_text() == hooks.as_markdown(), "run `make docs`"


@pytest.mark.parametrize("name", [node.name for node in hooks.specifications()])
def test_something_that_ships_with_us_uses_it(name: str) -> None:
    assert name in implementations()
