"""The server as its users run it: a process of its own, with a configuration file and a folder of data."""

import csv
import itertools
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

EXECUTABLE = Path(sys.executable).with_name("imserver")
START_LIMIT = STOP_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    address: str
    password: str


@dataclass(frozen=True, slots=True)
class Ports:
    c2s: int
    c2s_tls: int
    http: int

    @classmethod
    def free(cls) -> "Ports":
        return cls(_free_port(), _free_port(), _free_port())


# A port that is free now may be taken before the server is there, or while it is restarted. From 32768 on they are
# given to whoever asks for any; below, each process of a test run has 400 of its own.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 25
PORTS = itertools.cycle(range(12_000 + 400 * WORKER, 12_400 + 400 * WORKER))


def _free_port() -> int:
    for port in PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("there is always another port")


class RunningServer:
    """`imserver run` on 127.0.0.1, on the same ports and data however often it is started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports = Ports.free()
        self.config = directory / "imserver.toml"
        self.certificate = directory / "trusted.pem"
        self.log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.config.write_text(
            f"""
            domain = "localhost"
            data = "{directory / "data"}"

            [listen]
            c2s = ["127.0.0.1:{self.ports.c2s}"]
            c2s_tls = ["127.0.0.1:{self.ports.c2s_tls}"]
            http = ["127.0.0.1:{self.ports.http}"]
            """
        )

    @property
    def ca(self) -> ssl.SSLContext:
        """Trust this server, and no other."""
        return ssl.create_default_context(cafile=self.certificate)

    def import_accounts(self, accounts: Iterable[Account]) -> None:
        file = self.directory / "accounts.csv"
        with file.open("w", newline="") as rows:
            csv.writer(rows).writerows(
                [("jid", "password"), *((each.address, each.password) for each in accounts)]
            )
        self._command("account", "import", str(file))

    def add_account(self, account: Account) -> None:
        self._command("account", "add", account.address, "--password-stdin", answer=account.password)

    def start(self) -> None:
        """Start it, and come back when it answers on every port.

        Raises:
            RuntimeError: If it does not; with what it wrote.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [EXECUTABLE, "run", "--config", self.config],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
            )
        try:
            for port in (self.ports.c2s, self.ports.c2s_tls, self.ports.http):
                self._wait_for(port)
            self.certificate.write_text(ssl.get_server_certificate(("127.0.0.1", self.ports.c2s_tls)))
        except (RuntimeError, OSError):
            self.kill_hard()
            raise

    def stop(self) -> int:
        """Ask it to leave (SIGTERM), and return its exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.terminate()
        try:
            return process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._kill(process)
            raise

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal that it survives."""
        assert self._process is not None, "it is not running"
        self._process.send_signal(number)

    def kill_hard(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        assert self._process is not None, "it is not running"
        process, self._process = self._process, None
        self._kill(process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _wait_for(self, port: int) -> None:
        assert self._process is not None
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"imserver does not answer on port {port}:\n{self.log.read_text()}")

    def _command(self, *arguments: str, answer: str = "") -> None:
        done = subprocess.run(
            [EXECUTABLE, *arguments, "--config", self.config],
            input=answer,
            capture_output=True,
            text=True,
            cwd=self.directory,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"imserver {' '.join(arguments)}: {done.stdout}{done.stderr}")
