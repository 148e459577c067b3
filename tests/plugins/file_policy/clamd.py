"""Debian's clamav-daemon, with a signature of our own: its databases can't be had without the net."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.plugins.file_policy.files import EICAR

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")


@asynccontextmanager
async def running_clamd(folder: Path) -> AsyncIterator[str]:
    """Run clamd until the test is over; the address is as in the settings."""
    if CLAMD is None:
        pytest.skip("clamd is not installed (Debian: clamav-daemon)")
    databases = folder / "databases"
    databases.mkdir()
    (databases / "our.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Our.Test.EICAR\n")
    with TemporaryDirectory(prefix="clamd-") as short:  # the path of a socket has 107 bytes at most
        socket = Path(short, "clamd.ctl")
        settings = folder / "clamd.conf"
        settings.write_text(
            f"Foreground yes\nLocalSocket {socket}\nDatabaseDirectory {databases}\nStreamMaxLength 1M\n"
            f"User {getpass.getuser()}\nTemporaryDirectory {short}\nLogFile {folder}/clamd.log\n"
        )
        process = await asyncio.create_subprocess_exec(
            CLAMD,
            f"--config-file={settings}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            while not socket.exists():
                assert process.returncode is None, (await process.communicate())[1].decode()
                await asyncio.sleep(0.02)
            yield f"unix:{socket}"
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
