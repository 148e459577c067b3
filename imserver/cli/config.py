"""The configuration file, found and read."""

from pathlib import Path
from typing import Annotated

import typer

from imserver.cli.console import complain, fail
from imserver.settings import Settings, SettingsError, read_settings

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="IMSERVER_CONFIG",
        metavar="FILE",
        help="The settings (TOML).",
    ),
]
DEFAULT = Path("imserver.toml")


def read(config: Path) -> Settings:
    """Read the settings, or end with what is wrong with them."""
    try:
        return read_settings(config.read_text(encoding="utf-8"), config)
    except FileNotFoundError:
        fail(
            f"there is no {config}",
            "Name the file with --config FILE, or try the server out without one: imserver demo",
        )
    except UnicodeDecodeError:
        fail(f"{config} is not text in UTF-8", "Save it as UTF-8.")
    except OSError as error:
        fail(f"{config} cannot be read: {error.strerror}", "Have a look at its permissions.")
    except SettingsError as error:
        refuse(error)
        raise typer.Exit(1) from error


def refuse(error: SettingsError) -> None:
    """Say everything that is wrong with the settings."""
    for line in error.lines:
        complain(line)
