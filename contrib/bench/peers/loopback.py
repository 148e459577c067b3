"""Ports and certificates of servers that only this machine can reach."""

from __future__ import annotations

import random
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
DOMAIN = "localhost"


def free_port() -> int:
    """Find a port that is still free when the server is there: from 32768 on, whoever asks for any may be given it."""
    for port in random.sample(range(22_000, 32_000), 100):
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
    raise RuntimeError("no port is free")


def accepts_connections(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0


def make_certificate(folder: Path) -> None:
    """Make a self-signed certificate, of the same kind for every server."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", f"/CN={DOMAIN}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", f"subjectAltName=DNS:{DOMAIN}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        capture_output=True,
        timeout=30,
        check=True,
    )
