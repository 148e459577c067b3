"""What all servers have in common: prepare, start, measure, stop."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from contrib.bench.accounts import Population
from contrib.bench.peers.loopback import HOST, accepts_connections, free_port
from contrib.bench.peers.packages import OPENSSL, Package, missing
from contrib.bench.sign_in import Address, Security

START_DEADLINE = 30.0
STOP_DEADLINE = 15.0


class PeerError(Exception):
    """A server did not start or died."""


class Peer(ABC):
    """A server in a folder of its own."""

    name: ClassVar[str]
    packages: ClassVar[Sequence[Package]] = (OPENSSL,)

    def __init__(self, folder: Path, *, archive: bool) -> None:
        self.folder = folder
        self.archive = archive
        self.port = free_port()
        self.tls_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def missing(cls) -> list[str]:
        """Name the packages that are not installed."""
        return missing(cls.packages)

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Say which one it is."""

    @abstractmethod
    def prepare(self, population: Population) -> None:
        """Write the configuration, and make the accounts and their rosters."""

    @abstractmethod
    def command(self) -> list[str]:
        """Say what starts the server in the foreground."""

    def environment(self) -> Mapping[str, str]:
        return os.environ

    def is_ready(self) -> bool:
        return accepts_connections(self.port) and accepts_connections(self.tls_port)

    def address(self, security: Security) -> Address:
        return Address(HOST, self.tls_port if security is Security.DIRECT_TLS else self.port, security)

    def start(self) -> None:
        """Start the server and wait until it can be used.

        Raises:
            PeerError: If it does not start.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise PeerError(f"{self.name} did not start; its last words:\n{self.last_words()}")
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """Return the processes whose families do this server's work."""
        return [] if self._process is None else [self._process.pid]

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, signal.SIGTERM)
            self._process = None

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder / "output.log"


def end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ask a process of ours to end; if it does not, end it and all in its session."""
    process.send_signal(how)
    try:
        process.wait(STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def first_line(*command: str) -> str:
    """Return the first line that a program says about itself."""
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return (said.stdout + said.stderr).strip().partition("\n")[0]
