"""Make docs/hooks.md from imserver/hookspecs.py, and the code in docs/plugins.md: `python contrib/docs/hooks.py`."""

import ast
import inspect
from pathlib import Path

from imserver import hookspecs
from imserver.cli.new_plugin import NAME, SKELETON
from imserver.hooks import Kind, kind_of

ROOT = Path(__file__).parents[2]

HEAD = """\
# Hooks

Made by `make docs` from `imserver/hookspecs.py`. [How to write a plugin](plugins.md) comes first. A plugin is a module,
or a class `Plugin` in one; its functions marked with `imserver.hookimpl` implement the hooks of their name, and take
only those arguments they want. All may be `async` but the `register_…` ones and those that say so.

| kind | returns | several plugins | if one fails |
|---|---|---|---|
| declare (`register_…`) | a list | joined; two that claim the same stop the start | the start stops, and names it |
| refine (`refine_…`) | something better, `None` to leave it, or `DROP` | in order, each sees the last result | \
a `StanzaError` goes to the sender; anything else is logged, and the stanza bounces |
| ask (`find_ choose_ keep_ may_…`) | an answer, or `None` | the first answer counts | as refine |
| announce (the rest) | nothing | all are told | it is logged, and the rest are told |

To fail is to raise, to answer something of another type, or to take longer than 10 seconds.
"""
KINDS: tuple[Kind, ...] = ("declare", "refine", "ask", "announce")
#: What the plugin in docs/plugins.md is called.
EXAMPLE = "spell_out"


def specifications() -> list[ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(hookspecs))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def signature(node: ast.FunctionDef) -> str:
    returns = ast.unparse(node.returns) if node.returns is not None else "None"
    return f"def {node.name}({ast.unparse(node.args)}) -> {returns}"


def as_markdown() -> str:
    parts = [HEAD]
    for kind in KINDS:
        parts.append(f"## {kind.capitalize()}\n")
        parts += [
            f"```python\n{signature(node)}\n```\n\n{ast.get_docstring(node)}\n"
            for node in specifications()
            if kind_of(node.name) == kind
        ]
    return "\n".join(parts)


def signatures() -> str:
    """List all hooks, kind by kind."""
    return "\n\n".join(
        "\n".join(signature(node) for node in specifications() if kind_of(node.name) == kind)
        for kind in KINDS
    )


def filled(page: str) -> str:
    """Put the code in its places: behind a comment that names its file stands a block."""
    test = _skeleton("tests/test_my_plugin.py").split("\n\n\nasync def test_other")[0]
    page = _filled(page, "skeleton/my_plugin.py", _skeleton("my_plugin.py"))
    page = _filled(page, "skeleton/tests/test_my_plugin.py", test)
    return _filled(page, "hookspecs.py", signatures())


def _filled(page: str, place: str, code: str) -> str:
    before, mark, rest = page.partition(f"<!-- {place} -->\n```python\n")
    assert mark, place
    return f"{before}{mark}{code.rstrip()}\n{rest[rest.index('```') :]}"


def _skeleton(file: str) -> str:
    return (SKELETON / file).read_text().replace(NAME, EXAMPLE)


if __name__ == "__main__":
    (ROOT / "docs" / "hooks.md").write_text(as_markdown())
    guide = ROOT / "docs" / "plugins.md"
    guide.write_text(filled(guide.read_text()))
