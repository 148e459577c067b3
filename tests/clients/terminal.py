"""A pseudo-terminal with somebody else's program in it, whose screen reads as text."""

import asyncio
import fcntl
import os
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pyte

from tests.clients.waiting import PATIENCE, Notice

LINES, COLUMNS = 50, 200


class Terminal:
    """What a person would see and type; made with `Terminal.run()`."""

    def __init__(self, controller: int, process: Process) -> None:
        self._controller = controller
        self._process = process
        self._closed = False
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._reader = pyte.ByteStream(self._screen)
        self._notice = Notice()
        asyncio.get_running_loop().add_reader(controller, self._read)

    @classmethod
    async def run(cls, *command: str, environment: Mapping[str, str], directory: Path) -> Self:
        controller, program = os.openpty()
        fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.set_blocking(controller, False)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=program,
            stdout=program,
            stderr=program,
            # pyte draws what the Linux console understands.
            env={**environment, "TERM": "linux"},
            cwd=directory,
            # The terminal controls it: when the test run dies, the kernel hangs up on the program.
            preexec_fn=lambda: os.login_tty(program),
        )
        os.close(program)
        return cls(controller, process)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, text: str) -> None:
        os.write(self._controller, text.encode())

    def enter(self, line: str) -> None:
        self.type(f"{line}\r")

    async def shows(self, text: str, *, within: float = PATIENCE) -> None:
        await self._notice.until(
            lambda: text in self.text, lambda: self._complaint(f"never shows {text!r}"), within
        )

    async def no_longer_shows(self, text: str, *, within: float = PATIENCE) -> None:
        await self._notice.until(
            lambda: text not in self.text, lambda: self._complaint(f"still shows {text!r}"), within
        )

    async def close(self) -> None:
        """End the program, if it has not left by itself."""
        if self._closed:
            return
        self._closed = True
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), timeout=5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._controller)
        os.close(self._controller)

    def _read(self) -> None:
        try:
            written = os.read(self._controller, 65536)
        except OSError:  # EIO: the program left
            asyncio.get_running_loop().remove_reader(self._controller)
            return
        self._reader.feed(written)
        self._notice.changed()

    def _complaint(self, what: str) -> str:
        screen = "\n".join(line for line in self.text.splitlines() if line)
        return f"The screen {what}:\n{screen}"
