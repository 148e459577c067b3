"""What a server needs from Debian, and how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PLACES = (*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and a file that is there when it is installed."""

    name: str
    evidence: str

    @property
    def is_installed(self) -> bool:
        return find(self.evidence) is not None


OPENSSL = Package("openssl", "openssl")
PROSODY = Package("prosody", "prosody")
EJABBERD = Package("ejabberd", "/usr/lib/*/ejabberd-*/ebin/ejabberd.app")
EJABBERD_PGSQL = Package("erlang-p1-pgsql", "/var/lib/dpkg/info/erlang-p1-pgsql.list")
POSTGRESQL = Package("postgresql", "/usr/lib/postgresql/*/bin/postgres")


def find(evidence: str) -> Path | None:
    """Find a program by its name, or a file by its pattern: the newest one."""
    if not evidence.startswith("/"):
        program = shutil.which(evidence, path=os.pathsep.join(PLACES))
        return Path(program) if program else None
    found = sorted(Path("/").glob(evidence.lstrip("/")), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def place_of(package: Package) -> Path:
    """Return the file that is the evidence.

    Raises:
        FileNotFoundError: If the package is not installed.
    """
    found = find(package.evidence)
    if found is None:
        raise FileNotFoundError(f"{package.name} is not installed")
    return found


def missing(packages: Iterable[Package]) -> list[str]:
    return [package.name for package in packages if not package.is_installed]


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(names: Iterable[str]) -> None:
    """Let apt-get install them; their services do not start.

    Raises:
        subprocess.CalledProcessError: If it could not.
    """
    # In runlevel 1, invoke-rc.d starts nothing: we start our own, on free ports.
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(["apt-get", "update", "--quiet"], env=quiet, check=False)
    subprocess.run(
        ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *names], env=quiet, check=True
    )
