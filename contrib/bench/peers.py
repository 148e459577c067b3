"""The servers that are measured, all with the same face."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from contrib.bench.accounts import Account, write_accounts
from contrib.bench.scram import stored_keys
from contrib.bench.sign_in import Address, Security

HOST = "127.0.0.1"
DOMAIN = "localhost"
START_DEADLINE = 30.0
STOP_DEADLINE = 15.0


class PeerError(Exception):
    """A server is missing, did not start or died."""


class Peer(ABC):
    """A server in a folder of its own: prepare, start, measure, stop."""

    name: ClassVar[str]
    programs: ClassVar[Sequence[str]] = ("openssl",)

    def __init__(self, *, archive: bool) -> None:
        self.archive = archive
        self.port = free_port()
        self.tls_port = free_port()
        self.folder: Path
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def require(cls) -> None:
        """Make sure that the server is installed.

        Raises:
            PeerError: If it is not, saying how to install it.
        """
        for program in cls.programs:
            find_program(program)

    @abstractmethod
    def prepare(self, folder: Path, accounts: Sequence[Account]) -> None:
        """Write the configuration and make the accounts."""

    @abstractmethod
    def command(self) -> list[str]:
        """Say what starts the server in the foreground."""

    def address(self, security: Security) -> Address:
        return Address(HOST, self.tls_port if security is Security.DIRECT_TLS else self.port, security)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_DEADLINE
        while not (accepts_connections(self.port) and accepts_connections(self.tls_port)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise PeerError(f"{self.name} did not start; its last words:\n{self.last_words()}")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Return the processes whose families do this server's work."""
        return [] if self._process is None else [self._process.pid]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # a session of its own: nobody else's
            self._process.wait()
        self._process = None

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder / "output.log"


class Prosody(Peer):
    """Prosody 0.12, with its default store (files) and what imserver has switched on too."""

    name = "prosody"
    programs = ("openssl", "prosody")

    CONFIGURATION = """\
run_as_root = true
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
certificates = "{folder}"
log = {{ {{ levels = {{ min = "warn" }}, to = "console" }} }}
interfaces = {{ "{host}" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {tls_port} }}
s2s_ports = {{ }}
http_interfaces = {{ "{host}" }}
http_ports = {{ {http_port} }}
https_ports = {{ }}
modules_disabled = {{ "s2s" }}
modules_enabled = {{
    "adhoc", "blocklist", "carbons", "csi_simple", "disco", "http_file_share", "lastactivity",
    "ping", "private", "roster", "saslauth", "smacks", "time", "tls", "vcard", "version",
    "websocket",{archive}
}}
authentication = "internal_hashed"
password_hash = "SHA-256"
c2s_require_encryption = false
storage = "internal"
default_archive_policy = true
archive_expires_after = "never"
ssl = {{ certificate = "{folder}/certificate.pem", key = "{folder}/key.pem" }}

VirtualHost "{domain}"
"""
    ACCOUNT = """\
return {{
    ["stored_key"] = "{stored_key}";
    ["server_key"] = "{server_key}";
    ["salt"] = "{salt}";
    ["iteration_count"] = {iterations};
}};
"""
    ITERATIONS = 10_000  # Prosody's own default

    def prepare(self, folder: Path, accounts: Sequence[Account]) -> None:
        self.folder = folder
        make_certificate(folder)
        (folder / "prosody.cfg.lua").write_text(
            self.CONFIGURATION.format(
                folder=folder,
                host=HOST,
                domain=DOMAIN,
                port=self.port,
                tls_port=self.tls_port,
                http_port=free_port(),
                archive=' "mam",' if self.archive else "",
            )
        )
        store = folder / "data" / DOMAIN / "accounts"
        store.mkdir(parents=True)
        salt = secrets.token_hex(16)  # one for all, so that the load derives its keys once
        for account in accounts:
            stored_key, server_key = stored_keys("sha256", account.password, salt.encode(), self.ITERATIONS)
            text = self.ACCOUNT.format(
                stored_key=stored_key.hex(),
                server_key=server_key.hex(),
                salt=salt,
                iterations=self.ITERATIONS,
            )
            (store / f"{account.local}.dat").write_text(text)

    def command(self) -> list[str]:
        return [find_program("prosody"), "-F", "--config", str(self.folder / "prosody.cfg.lua")]


class Imserver(Peer):
    """The server of this repository, in the interpreter that runs this program."""

    name = "imserver"

    CONFIGURATION = """\
domain = "{domain}"
data = "{folder}/data"

[listen]
c2s = ["{host}:{port}"]
c2s_tls = ["{host}:{tls_port}"]
http = ["{host}:{http_port}"]

[tls]
certificate = "{folder}/certificate.pem"
key = "{folder}/key.pem"

[c2s]
require_tls = false

[limits]
connections_per_address = 100000

[log]
level = "warning"

[archive]
enabled = {archive}
"""

    def prepare(self, folder: Path, accounts: Sequence[Account]) -> None:
        self.folder = folder
        make_certificate(folder)
        configuration = folder / "imserver.toml"
        configuration.write_text(
            self.CONFIGURATION.format(
                folder=folder,
                host=HOST,
                domain=DOMAIN,
                port=self.port,
                tls_port=self.tls_port,
                http_port=free_port(),
                archive=str(self.archive).lower(),
            )
        )
        write_accounts(folder / "accounts.csv", accounts)
        imported = subprocess.run(
            [
                *self._imserver,
                "account",
                "import",
                str(folder / "accounts.csv"),
                "--config",
                str(configuration),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if imported.returncode:
            raise PeerError(f"imserver did not import the accounts: {imported.stdout}{imported.stderr}")

    def command(self) -> list[str]:
        return [*self._imserver, "run", "--config", str(self.folder / "imserver.toml")]

    @property
    def _imserver(self) -> list[str]:
        return [sys.executable, "-m", "imserver"]


PEERS: dict[str, type[Peer]] = {peer.name: peer for peer in (Imserver, Prosody)}


def find_program(name: str) -> str:
    found = shutil.which(
        name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    )
    if found is None:
        raise PeerError(f"{name} is not installed; on Debian: apt-get install {name}")
    return found


def make_certificate(folder: Path) -> None:
    """Make a self-signed certificate, of the same kind for every server."""
    subprocess.run(
        [
            *(find_program("openssl"), "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={DOMAIN}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", f"subjectAltName=DNS:{DOMAIN}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        capture_output=True,
        timeout=30,
        check=True,
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def accepts_connections(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0
