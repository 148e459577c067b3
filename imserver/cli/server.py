"""`imserver run` and `imserver check`."""

import datetime
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from imserver.cli import config as configuration
from imserver.cli.config import ConfigOption
from imserver.cli.console import fail, out, warn
from imserver.hooks import PluginError
from imserver.net.tls import Certificate, CertificateError, Certificates
from imserver.settings import Settings, SettingsError

if TYPE_CHECKING:
    from imserver.server import Server

# When to remind of a certificate that has to be renewed.
SOON = datetime.timedelta(days=14)


def run(config: ConfigOption = configuration.DEFAULT) -> None:
    """Run the server until SIGTERM or Ctrl+C; SIGHUP reads the settings again.

    [bold]Example:[/] imserver run --config /etc/imserver/imserver.toml
    """
    serve(configuration.read(config), config)


def check(config: ConfigOption = configuration.DEFAULT) -> None:
    """Look whether the server could start with these settings, without starting it.

    [bold]Example:[/] imserver check --config /etc/imserver/imserver.toml
    """
    settings = configuration.read(config)
    check_data_folder(settings)
    if settings.desk.file is not None:
        _check_desk(settings.desk.file)
    for warning in _certificate_warnings(settings):
        warn(warning)
    out.print(f"{config} is fine: {settings.domain}, data in {settings.data}", markup=False)


def _check_desk(file: Path) -> None:
    from imserver.desk.plugin import read_file

    try:
        read_file(file)
    except SettingsError as error:
        configuration.refuse(error)
        raise typer.Exit(1) from error


def serve(settings: Settings, config: Path, ready: "Callable[[Server], None] | None" = None) -> None:
    """Run the server, and say what to do if it cannot start."""
    # Plugins, HTTP and all: only who runs the server waits for them.
    from imserver.main import run as run_server

    check_data_folder(settings)
    try:
        run_server(settings, config=config, ready=ready)
    except SettingsError as error:
        configuration.refuse(error)
        raise typer.Exit(1) from error
    except CertificateError as error:
        fail(str(error), f"Have a look at [tls] in {config}.")
    except PluginError as error:
        fail(str(error), f"Take it out of [plugins] in {config}, or mend it.")
    except OSError as error:
        fail(error.strerror or str(error), _way_out(error, config))


def _way_out(error: OSError, config: Path) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Is the server running already? If not, choose another port in [listen] in {config}."
        case errno.EACCES | errno.EPERM:
            return "Ports below 1024 need the capability CAP_NET_BIND_SERVICE; files need the right owner."
        case errno.EADDRNOTAVAIL:
            return f"This machine does not have such an address: have a look at [listen] in {config}."
        case _:
            return f"Have a look at {config}, or run: imserver check --config {config}"


def check_data_folder(settings: Settings) -> None:
    """Make the data folder if it is missing, or end with the reason why it cannot be used."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(f"the folder {settings.data} cannot be made: {error.strerror}", _name_another(settings))
    if not os.access(settings.data, os.R_OK | os.W_OK | os.X_OK):
        fail(f"the folder {settings.data} cannot be written", _name_another(settings))


def _name_another(settings: Settings) -> str:
    return f"Name another one as data in {settings.file}, or change its owner."


def _certificate_warnings(settings: Settings) -> Iterator[str]:
    if settings.tls.certificate is None or settings.tls.key is None:
        yield "no certificate is set: clients will be shown a self-signed one, and warn their users"
        return
    try:
        certificate = Certificates(settings.tls.certificate, settings.tls.key).certificate
    except CertificateError as error:
        fail(str(error), f"Have a look at [tls] in {settings.file}.")
    yield from _warnings(certificate, settings, datetime.datetime.now(datetime.UTC))


def _warnings(certificate: Certificate, settings: Settings, now: datetime.datetime) -> Iterator[str]:
    if not certificate.covers(settings.domain):
        yield f"the certificate is not for {settings.domain}, but for {', '.join(certificate.names)}"
    if certificate.valid_until < now + SOON:
        yield f"the certificate is over on {certificate.valid_until:%Y-%m-%d}: renew it"
