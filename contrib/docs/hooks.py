"""Make docs/hooks.md from imserver/hookspecs.py: `python contrib/docs/hooks.py`."""

import ast
import inspect
from pathlib import Path

from imserver import hookspecs
from imserver.hooks import kind_of

ROOT = Path(__file__).parents[2]

HEAD = """\
# Hooks

Made by `make docs` from `imserver/hookspecs.py`. A plugin is a module, or a class `Plugin` in one; its functions marked
with `imserver.hookimpl` implement the hooks of their name, and take only those arguments they want. All but the
`register_…` ones and `may_talk` may be `async`. [An example](../contrib/example_plugin/README.md).

| kind | returns | several plugins | if one fails |
|---|---|---|---|
| declare (`register_…`) | a list | joined; two that claim the same stop the start | the start stops, and names it |
| refine (`refine_…`) | something better, `None` to leave it, or `DROP` | in order, each sees the last result | \
a `StanzaError` goes to the sender; anything else is logged, and the stanza bounces |
| ask (`find_ choose_ keep_ may_…`) | an answer, or `None` | the first answer counts | as refine |
| announce (the rest) | nothing | all are told | it is logged, and the rest are told |
"""


def specifications() -> list[ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(hookspecs))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def as_markdown() -> str:
    parts = [HEAD]
    for kind in ("declare", "refine", "ask", "announce"):
        parts.append(f"## {kind.capitalize()}\n")
        for node in specifications():
            if kind_of(node.name) == kind:
                arguments = ast.unparse(node.args)
                returns = ast.unparse(node.returns) if node.returns is not None else "None"
                signature = f"def {node.name}({arguments}) -> {returns}"
                parts.append(f"```python\n{signature}\n```\n\n{ast.get_docstring(node)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "hooks.md").write_text(as_markdown())
