"""`imserver plugin new`: a plugin that works, with its test, to change into one's own."""

import importlib.util
import keyword
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from imserver.cli.console import fail, out

#: A whole plugin, with this name in place of another.
SKELETON = Path(__file__).with_name("skeleton")
NAME = "my_plugin"

app = typer.Typer(help="Write plugins.", no_args_is_help=True)


@app.callback()
def _plugin() -> None:
    """Write plugins."""


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is called in the settings: a Python identifier.")
    ],
    folder: Annotated[
        Path, typer.Option("--in", metavar="FOLDER", help="Where its own folder is made.")
    ] = Path(),
) -> None:
    """Write a plugin that works, with its test, as a distribution of its own.

    [bold]Example:[/] imserver plugin new opening_hours
    """
    if reason := _objection(name):
        fail(f'a plugin can\'t be called "{name}": {reason}', "Choose another name, such as opening_hours.")
    target = folder / name
    if target.exists():
        fail(f"{target} is there already", "Nothing was changed. Choose another name, or --in FOLDER.")
    try:
        for file, text in _written(name).items():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            (target / file).write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{error.filename} can't be written: {error.strerror}", "Name another place with --in FOLDER.")
    out.print(_next_steps(name, target), markup=False)


def _objection(name: str) -> str:
    """Say why a name can't be one of a plugin; "" if it can."""
    # Only who makes a plugin waits for them.
    from imserver.loading import BUILT_IN, WITH_A_DESK, installed

    if not name.isascii() or not name.isidentifier() or name != name.lower() or keyword.iskeyword(name):
        return "it must be a Python identifier in small letters"
    if name.startswith("_") or name in ("enabled", "paths"):
        return "it would have no table of its own in the settings"
    if name in BUILT_IN or name in WITH_A_DESK:
        return "something built in has that name"
    if name in installed():
        return "an installed plugin has that name"
    if name in sys.stdlib_module_names or importlib.util.find_spec(name) is not None:
        return "there is a Python module of that name, which it would hide"
    return ""


def _written(name: str) -> Mapping[Path, str]:
    """Read all files of the skeleton, with the name in place."""
    files = sorted(file for file in SKELETON.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {
        Path(_renamed(str(file.relative_to(SKELETON)), name)): _renamed(
            file.read_text(encoding="utf-8"), name
        )
        for file in files
    }


def _renamed(text: str, name: str) -> str:
    return text.replace(NAME, name).replace(NAME.replace("_", "-"), name.replace("_", "-"))


def _next_steps(name: str, target: Path) -> str:
    return f"""\
{target} holds a plugin that works. Next:

  cd {target}
  pip install --editable '.[test]'
  pytest

Then change {name}.py into what you need. To switch it on, in imserver.toml:

  [plugins]
  enabled = ["{name}"]

  [plugins.{name}]
  words = {{brb = "be right back"}}
"""
