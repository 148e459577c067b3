import asyncio
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imserver.cli.demo import LOOPBACK
from imserver.storage.database import Database
from imserver.storage.store import Store

COMMAND = Path(sys.executable).with_name("imserver")


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[str]:
    """Start the demo, and give what it prints until it is ready; then stop it as Ctrl+C does."""
    with (folder.parent / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [COMMAND, "demo", "--data", folder.name, *arguments],
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "Ctrl+C stops the server" in line:
                break
        else:
            raise AssertionError(f"it ended: {printed}{(folder.parent / 'stderr').read_text()}")
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        with process.stdout:
            assert process.wait(10) in (0, 1)
    assert process.returncode == 0


def port_of(printed: str) -> int:
    found = re.search(r"server 127\.0\.0\.1 port (\d+)", printed)
    assert found is not None
    return int(found[1])


def passwords_of(printed: str) -> list[str]:
    return re.findall(r"password +([a-z0-9-]{14})", printed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "imserver-demo"


def test_the_demo_says_what_to_type_and_answers_there(folder: Path) -> None:
    header = (
        b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client'"
        b" xmlns:stream='http://etherx.jabber.org/streams'>"
    )

    with (
        demo(folder, "--port", "0") as printed,
        socket.create_connection((LOOPBACK, port_of(printed))) as connection,
    ):
        connection.sendall(header)
        answer = connection.recv(4096)

    assert b"<stream:stream" in answer
    for client in ("Profanity", "Gajim", "Dino", "go-sendxmpp"):
        assert client in printed


def test_its_certificate_is_where_it_says(folder: Path) -> None:
    with demo(folder, "--port", "0"):
        trusting = ssl.create_default_context(cafile=folder / "certificate.pem")
        address = tomllib.loads((folder / "imserver.toml").read_text())["listen"]["c2s_tls"][0]
        with (
            socket.create_connection((LOOPBACK, int(address.rpartition(":")[2]))) as connection,
            trusting.wrap_socket(connection, server_hostname="localhost") as secured,
        ):
            assert secured.version() == "TLSv1.3"


def test_after_a_restart_the_accounts_are_the_same(folder: Path) -> None:
    with demo(folder, "--port", "0") as first:
        pass
    with demo(folder, "--port", "0") as second:
        pass

    assert len(passwords_of(first)) >= 2
    assert passwords_of(first) == passwords_of(second)
    assert stat.S_IMODE((folder / "accounts.csv").stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_replaced_and_told(folder: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = min(taken.getsockname()[1], 65000)
        with demo(folder, "--port", str(port)) as printed:
            assert f"Port {port} is taken; the demo uses {port_of(printed)}." in printed
            assert port_of(printed) != port


def test_the_accounts_know_each_other(folder: Path) -> None:
    with demo(folder, "--port", "0"):
        pass

    async def contacts() -> dict[str, list[tuple[str, str]]]:
        database = await Database.open(f"sqlite:///{folder / 'imserver.db'}")
        try:
            rosters = Store(database).rosters
            return {
                name: [(item.contact, item.subscription) for item in await rosters.load(f"{name}@localhost")]
                for name in ("ana", "eva", "luis")
            }
        finally:
            await database.close()

    assert asyncio.run(contacts()) == {
        "ana": [("eva@localhost", "both"), ("luis@localhost", "both")],
        "eva": [("ana@localhost", "both"), ("luis@localhost", "both")],
        "luis": [("ana@localhost", "both"), ("eva@localhost", "both")],
    }


def test_it_has_a_queue_that_may_be_changed(folder: Path) -> None:
    with demo(folder, "--port", "0") as printed:
        pass
    changed = (folder / "desk.toml").read_text().replace('"Support"', '"Help"')
    (folder / "desk.toml").write_text(changed)
    (folder / "templates" / "greeting.en.md").write_text("Hi!")
    with demo(folder, "--port", "0"):
        pass

    assert "support@desk.localhost" in printed
    assert tomllib.loads((folder / "desk.toml").read_text())["queues"]["support"]["title"] == "Help"
    assert "!t greeting" in printed
    assert (folder / "templates" / "greeting.en.md").read_text() == "Hi!"
    assert (folder / "templates" / "closing.pt.md").exists()


def test_a_folder_that_cannot_be_used_is_told(folder: Path) -> None:
    folder.write_text("a file")

    done = subprocess.run([COMMAND, "demo", "--data", folder], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.endswith("Name another folder: imserver demo --data FOLDER\n")
