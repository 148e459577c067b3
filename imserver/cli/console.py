"""How the command line talks: what went wrong, and what to do next."""

from typing import NoReturn

import typer
from rich.console import Console

# Wrapping and colouring of what we quote would only get in the way of reading and copying it.
out = Console(soft_wrap=True, highlight=False)
err = Console(soft_wrap=True, highlight=False, stderr=True)


def fail(problem: str, next_step: str = "") -> NoReturn:
    """End with exit code 1."""
    complain(problem)
    if next_step:
        err.print(next_step, markup=False)
    raise typer.Exit(1)


def complain(problem: str) -> None:
    """Tell one thing that went wrong, and go on."""
    err.print("[bold red]error:[/] ", end="")
    err.print(problem, markup=False)


def warn(problem: str) -> None:
    """Tell one thing that may go wrong."""
    err.print("[bold yellow]warning:[/] ", end="")
    err.print(problem, markup=False)
