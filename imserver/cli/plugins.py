"""`imserver plugins`: what is loaded, from where, and what it does."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from imserver.cli import config as configuration
from imserver.cli.config import ConfigOption
from imserver.cli.console import fail, out
from imserver.hooks import PluginError
from imserver.settings import Settings, SettingsError

if TYPE_CHECKING:
    from imserver.loading import Found


@dataclass(frozen=True, slots=True)
class Line:
    """One plugin, as it is shown."""

    name: str
    is_loaded: bool
    #: `built in`, `bundled`, `installed` or `file`.
    source: str
    #: The distribution and its version, or the file.
    place: str
    hooks: Sequence[str]
    #: Its table in the settings; "" if it has none.
    settings: str


def show(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")] = False,
    config: ConfigOption = configuration.DEFAULT,
) -> None:
    """Show the plugins that the server loads with these settings, where they come from, and which hooks they have.

    [bold]Example:[/] imserver plugins --config /etc/imserver/imserver.toml
    """
    settings = configuration.read(config)
    try:
        lines = list_plugins(settings)
    except SettingsError as error:
        configuration.refuse(error)
        raise typer.Exit(1) from error
    except PluginError as error:
        fail(str(error), f"Take it out of [plugins] in {config}, or mend it.")
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        _print(lines)


def list_plugins(settings: Settings) -> list[Line]:
    """List what is loaded, in the order in which it is asked, and behind it what could be enabled.

    Raises:
        PluginError: If one can't be used; it is named.
        SettingsError: If a plugin's table does not fit, or belongs to nobody.
    """
    # Plugins, HTTP and all: only who lists them waits for them.
    from imserver.loading import bind, find, installed, place_of, source_of

    found = list(find(settings))
    hooks = bind(found, settings, structlog.get_logger())
    loaded = [_line(one, [hook.name for hook in hooks if one.name in hook.plugins]) for one in found]
    others = {name: point for name, point in installed().items() if name not in settings.plugins.enabled}
    # Nobody wanted them: they are not imported, so nobody knows their hooks.
    return loaded + [
        Line(name, False, source_of(point), place_of(point), [], "") for name, point in sorted(others.items())
    ]


def _line(found: "Found", hooks: Sequence[str]) -> Line:
    from imserver.loading import has_settings

    table = f"[plugins.{found.name}]" if has_settings(found) else ""
    return Line(found.name, True, found.source, found.place, hooks, table)


def _print(lines: Sequence[Line]) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for title in ("Plugin", "From", "Settings"):
        table.add_column(title, no_wrap=True)
    table.add_column("Hooks")
    for line in lines:
        where = f"{line.source}: {line.place}" if line.place else line.source
        hooks = ", ".join(line.hooks) if line.is_loaded else "not enabled"
        style = "" if line.is_loaded else "dim"
        table.add_row(*map(Text, (line.name, where, line.settings, hooks)), style=style)
    if not out.is_terminal:  # a line for each, for whoever searches it
        table.width = Measurement.get(out, out.options.update(max_width=10_000), table).maximum
    out.print(table)
