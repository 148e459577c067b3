"""The command line."""

from typing import Annotated

import typer

from imserver import __version__
from imserver.cli import accounts, clients, demo, new_plugin, plugins, report, server, templates

app = typer.Typer(
    name="imserver",
    help="An instant-messaging server for contact centres: any XMPP client is a full agent console.",
    epilog="Start with: imserver demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.start)
app.command("run")(server.run)
app.command("check")(server.check)
app.command("report")(report.report)
app.command("plugins")(plugins.show)
app.add_typer(accounts.app, name="account")
app.add_typer(clients.app, name="client")
app.add_typer(new_plugin.app, name="plugin")
app.add_typer(templates.app, name="templates")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imserver {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Stand for the options that belong to no command."""


def main() -> None:
    """Run what the arguments say; exits with 0, with 1 if it failed, with 2 if they make no sense."""
    app()
