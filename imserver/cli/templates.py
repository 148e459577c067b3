"""`imserver templates`: answers written beforehand, looked through before agents meet them."""

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from imserver.cli.console import complain, fail, out

PLUGIN = "imserver_templates"

app = typer.Typer(no_args_is_help=True, help="Look after the templates.")


@app.callback()
def _group() -> None:
    """Look after the templates."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the templates.")] = Path(
        "templates"
    ),
) -> None:
    """Say what is wrong with the templates in a folder, each with file and line.

    [bold]Example:[/] imserver templates check config/templates
    """
    if not is_installed():
        fail("templates need Jinja2", "Install it: pip install 'imserver[templates]'")
    count, problems = importlib.import_module(PLUGIN).check_folder(folder)
    for problem in problems:
        complain(problem)
    out.print(f"{count} templates can be used.")
    if problems:
        raise typer.Exit(1)


def is_installed() -> bool:
    """Tell whether the plugin can be switched on."""
    return find_spec(PLUGIN) is not None and find_spec("jinja2") is not None


def examples() -> Path | None:
    """Find the examples that ship with us: in an installed package, or beside the code."""
    found = find_spec(PLUGIN)
    if found is None or found.origin is None or not is_installed():
        return None
    package = Path(found.origin).parent
    places = (package / "examples", package.parents[1] / "config" / "templates")
    return next((place for place in places if place.is_dir()), None)
