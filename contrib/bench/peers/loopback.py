"""Ports and certificates of servers that only this machine can reach."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

HOST = "127.0.0.1"
DOMAIN = "localhost"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


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
