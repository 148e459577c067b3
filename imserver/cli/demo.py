"""`imserver demo`: a server to try out, whole and on this machine only."""

import asyncio
import csv
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.rule import Rule

from imserver.cli import templates
from imserver.cli.bulk import derive
from imserver.cli.config import read
from imserver.cli.console import fail, out
from imserver.cli.database import open_database
from imserver.cli.server import serve
from imserver.settings import Settings
from imserver.storage.rosters import RosterItem
from imserver.storage.store import Store

DOMAIN = "localhost"
LOOPBACK = "127.0.0.1"
NAMES = {"ana": "Ana", "eva": "Eva", "luis": "Luis"}
AGENTS = ("ana", "eva")
QUEUE = f"support@desk.{DOMAIN}"
# The bundled plugins, and what each of them needs.
PLUGINS = {
    "display_name": ("imserver_display_name",),
    "file_policy": ("imserver_file_policy", "magic", "pylibmagic"),
    "history_by_from": ("imserver_history_by_from",),
    "templates": ("imserver_templates", "jinja2"),
}

# Nothing that looks like something else: passwords are typed here.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"

# Read again as soon as it changes.
DESK = """\
# The contact centre of the demo. Change it while the server runs; config/desk.toml has every setting.
[queues.support]
title = "Support"
members = [{members}]
strategy = "longest-idle"
offer_seconds = 60
"""

# How many ports are tried, one after the other, when the usual ones are taken.
ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the demo, and its password."""

    address: str
    password: str


class Ports(NamedTuple):
    c2s: int
    c2s_tls: int
    http: int


USUAL = Ports(5222, 5223, 5443)


def start(
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Where the demo keeps everything.")
    ] = Path("imserver-demo"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65000, help="Where clients connect; 0 takes any that is free.")
    ] = USUAL.c2s,
) -> None:
    """Start a server to try out: TLS, three accounts, a queue and a database, on this machine only.

    It keeps everything in one folder, and finds it there the next time; to be rid of it, remove the folder.

    [bold]Example:[/] imserver demo --port 15222
    """
    config = data / "imserver.toml"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        logins = _logins(data / "accounts.csv")
        ports = _free_ports(port)
        config.write_text(_settings(ports), encoding="utf-8")
        _write_desk(data / "desk.toml")
        _write_names(data / "names.csv")
        _write_templates(data / "templates")
    except OSError as error:
        fail(f"{data} cannot be used: {error.strerror}", "Name another folder: imserver demo --data FOLDER")
    settings = read(config)
    asyncio.run(_fill(settings, logins))
    for wanted, found in zip(_wanted_ports(port), ports, strict=True):
        if found != wanted != 0:
            out.print(f"Port {wanted} is taken; the demo uses {found}.")
    serve(settings, config, ready=lambda _: _print_instructions(data, ports, logins))


def _logins(file: Path) -> list[Login]:
    """Find the accounts made before, or make up passwords for new ones."""
    if not file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="") as stream:
            csv.writer(stream).writerows((f"{name}@{DOMAIN}", _password()) for name in NAMES)
    with file.open(newline="") as stream:
        rows = list(csv.reader(stream))
    if any(len(row) != 2 for row in rows) or [row[0] for row in rows] != [
        f"{name}@{DOMAIN}" for name in NAMES
    ]:
        fail(f"{file} is not as this demo writes it", f"Remove {file.parent} to start afresh.")
    return [Login(*row) for row in rows]


def _write_desk(file: Path) -> None:
    """Make the queue, unless it is there: what was tried out in it stays."""
    if not file.exists():
        members = ", ".join(f'"{name}@{DOMAIN}"' for name in AGENTS)
        file.write_text(DESK.format(members=members), encoding="utf-8")


def _write_names(file: Path) -> None:
    """Tell the agents what the customer is called, unless that was written otherwise."""
    if not file.exists():
        customers = [name for name in NAMES if name not in AGENTS]
        lines = ["alias,name", *(f"xmpp:{name}@{DOMAIN},{NAMES[name]}" for name in customers)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_templates(folder: Path) -> None:
    """Copy the examples, unless there are templates: what was tried out in them stays."""
    examples = templates.examples()
    if examples is not None and not folder.exists():
        shutil.copytree(examples, folder, ignore=shutil.ignore_patterns("README.md"))


def _password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _wanted_ports(c2s: int) -> Ports:
    if c2s == 0:
        return Ports(0, 0, 0)
    return Ports(*(usual - USUAL.c2s + c2s for usual in USUAL))


def _free_ports(c2s: int) -> Ports:
    found: list[int] = []
    for wanted in _wanted_ports(c2s):
        found.append(next(port for port in _candidates(wanted) if port not in found))
    return Ports(*found)


def _candidates(wanted: int) -> Iterator[int]:
    """Go through the ports that are free, from the wanted one on."""
    for port in range(wanted, wanted + ATTEMPTS) if wanted else [0] * ATTEMPTS:
        try:
            with socket.create_server((LOOPBACK, port)) as listener:
                yield listener.getsockname()[1]
        except OSError:
            continue
    fail(
        f"no port between {wanted} and {wanted + ATTEMPTS} is free", "Try others: imserver demo --port 15222"
    )


def _settings(ports: Ports) -> str:
    return f"""\
# Written anew at each `imserver demo`: to change something, copy it, and use `imserver run`.
domain = "{DOMAIN}"
data = "."
admins = ["ana@{DOMAIN}"]

[listen]
c2s = ["{LOOPBACK}:{ports.c2s}"]
c2s_tls = ["{LOOPBACK}:{ports.c2s_tls}"]
http = ["{LOOPBACK}:{ports.http}"]

[desk]
file = "desk.toml"

[plugins]
enabled = {json.dumps(_plugins())}

[plugins.display_name]
names = "names.csv"
"""


def _plugins() -> list[str]:
    """List the bundled plugins that have what they need."""
    return [name for name, needed in PLUGINS.items() if all(find_spec(one) is not None for one in needed)]


async def _fill(settings: Settings, logins: Iterable[Login]) -> None:
    """Make sure that the accounts exist, with these passwords, and know each other."""
    addresses = [login.address for login in logins]
    async with open_database(settings) as database:
        store = Store(database)
        for login in logins:
            if not await store.accounts.exists(login.address):
                await store.accounts.add(login.address, derive(login.password, settings.sasl.iterations))
                await _befriend(store, login.address, addresses)


async def _befriend(store: Store, owner: str, addresses: Iterable[str]) -> None:
    for contact in addresses:
        if contact != owner:
            name = NAMES.get(contact.partition("@")[0], "")
            await store.rosters.put(owner, RosterItem(contact, name=name, subscription="both"))


def _print_instructions(data: Path, ports: Ports, logins: Iterable[Login]) -> None:
    ana, eva, luis = logins
    folder = data.resolve()
    certificate = escape(quote(str(folder / "certificate.pem")))
    # No frame and no wrapping: lines are there to be copied.
    out.print(Rule("[bold]imserver is ready[/]"))
    out.print(f"""
Three accounts that know each other; sign in with any XMPP client:

  [bold]{ana.address}[/]    password  [bold green]{ana.password}[/]   agent
  [bold]{eva.address}[/]    password  [bold green]{eva.password}[/]   agent
  [bold]{luis.address}[/]   password  [bold green]{luis.password}[/]   customer

[bold]Profanity[/]: start it with [cyan]profanity[/] and type
  [cyan]/connect {ana.address} server {LOOPBACK} port {ports.c2s} tls trust[/]
  [cyan]/msg {luis.address} hello[/]
  [cyan]/sendfile picture.png[/]

[bold]The contact centre[/]: play both sides with two of them.
  The customer, as {luis.address}:   [cyan]/msg {QUEUE} my printer is on fire[/]
  The agent, as {ana.address}, is asked by {QUEUE}, and answers there:   [cyan]!accept[/]
  Then the customer is a contact of the agent: both just write.
  [cyan]!help[/] lists what an agent can do.{_how_to_use_templates(folder)}

[bold]Gajim[/] and [bold]Dino[/]: first let this machine trust the demo's certificate:
  [cyan]sudo cp {certificate} \\
    /usr/local/share/ca-certificates/imserver-demo.crt[/]
  [cyan]sudo update-ca-certificates[/]
  Start them after that, and add an account: [cyan]{ana.address}[/] and the password.
  (Without that, Gajim asks whether to accept the certificate, and sends no files.){_other_port(ports)}

[bold]go-sendxmpp[/], to send a line and to print what comes:
  [cyan]export SSL_CERT_FILE={certificate}[/]
  [cyan]echo hello | go-sendxmpp -u {ana.address} -p {ana.password} \\
    -j {LOOPBACK}:{ports.c2s} {luis.address}[/]
  [cyan]go-sendxmpp -l -u {luis.address} -p {luis.password} \\
    -j {LOOPBACK}:{ports.c2s}[/]

More accounts, from another terminal:
  [cyan]imserver account add zoe@{DOMAIN} -c {escape(quote(str(folder / "imserver.toml")))}[/]

Everything is kept in {escape(str(folder))}. Ctrl+C stops the server.
""")
    out.print(Rule())


def _how_to_use_templates(folder: Path) -> str:
    if not templates.is_installed():
        return ""
    return f"""
  [cyan]!t greeting[/] sends a template, and [cyan]!templates[/] lists those of {escape(str(folder / "templates"))}."""


def _other_port(ports: Ports) -> str:
    # Without SRV records clients try the usual port; Dino has no field for another one.
    if ports.c2s == USUAL.c2s:
        return ""
    return f"""
  In Gajim tick Advanced Settings: Hostname [cyan]{LOOPBACK}[/], port [cyan]{ports.c2s}[/], type [cyan]START TLS[/].
  Dino looks for port {USUAL.c2s} only: start the demo there."""
