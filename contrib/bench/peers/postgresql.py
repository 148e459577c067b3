"""A PostgreSQL of our own: Debian's, with its default settings, on a free port, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from contrib.bench.peers.loopback import HOST, free_port
from contrib.bench.peers.packages import POSTGRESQL, place_of
from contrib.bench.peers.peer import START_DEADLINE, PeerError, end, first_line

USER = DATABASE = "bench"
PRIVILEGED = "postgres"
"""Who runs it if we are root, for it refuses to be run by root."""


class PostgreSQL:
    """A cluster with one empty database; fsync and synchronous_commit are on, as by default."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def version() -> str:
        return first_line(str(place_of(POSTGRESQL)), "--version")

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@{HOST}:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Make the cluster and start it.

        Raises:
            PeerError: If it does not start.
        """
        self._folder = folder = Path(tempfile.mkdtemp(prefix="imserver-bench-postgresql-"))
        if os.geteuid() == 0:
            shutil.chown(folder, PRIVILEGED, PRIVILEGED)
        self._run(
            "initdb",
            "--no-sync",
            "-D",
            str(folder / "data"),
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        )
        self._process = subprocess.Popen(
            [
                *(self._program("postgres"), "-D", str(folder / "data")),
                *("-h", HOST, "-p", str(self.port), "-k", str(folder)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=folder,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        deadline = time.monotonic() + START_DEADLINE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise PeerError("PostgreSQL did not start")
            time.sleep(0.05)
        self.execute(f"CREATE DATABASE {DATABASE};", database="postgres")

    def execute(self, sql: str, *, database: str = DATABASE) -> None:
        """Run SQL, COPY with its data too.

        Raises:
            PeerError: If PostgreSQL refuses.
        """
        said = subprocess.run(
            [
                *(self._program("psql"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"),
                *("-h", HOST, "-p", str(self.port), "-U", USER, database),
            ],
            input=sql,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if said.returncode:
            raise PeerError(f"PostgreSQL refused: {said.stderr[-1000:]}")

    def pids(self) -> list[int]:
        return [] if self._process is None else [self._process.pid]

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, signal.SIGQUIT)  # at once: nobody will look at the data again
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def _user(self) -> str | None:
        return PRIVILEGED if os.geteuid() == 0 else None

    def _is_ready(self) -> bool:
        asked = subprocess.run(
            [self._program("pg_isready"), "-q", "-h", HOST, "-p", str(self.port)], check=False, timeout=10
        )
        return asked.returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        said = subprocess.run(
            [self._program(program), *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        if said.returncode:
            raise PeerError(f"{program} failed: {said.stderr[-1000:]}")

    @staticmethod
    def _program(name: str) -> str:
        return str(place_of(POSTGRESQL).with_name(name))
