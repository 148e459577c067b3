"""go-sendxmpp, the command that sends from scripts."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clients.running import Account, RunningServer
from tests.clients.waiting import PATIENCE


class GoSendxmpp:
    """One account's go-sendxmpp; it checks the server's certificate, for uploads too."""

    def __init__(self, account: Account, server: RunningServer, *, direct_tls: bool = False) -> None:
        self._account = account
        self._server = server
        self._direct_tls = direct_tls

    async def send(self, to: str, text: str) -> None:
        process = await self._run(to)
        await self._finish(process, text)

    async def upload(self, to: str, file: Path) -> None:
        process = await self._run("--http-upload", str(file), to)
        await self._finish(process)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.StreamReader]:
        """Read what it prints: a line for each message."""
        process = await self._run("--listen")
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.terminate()
            await process.communicate()

    async def _run(self, *arguments: str) -> Process:
        port = self._server.ports.c2s_tls if self._direct_tls else self._server.ports.c2s
        return await asyncio.create_subprocess_exec(
            "go-sendxmpp",
            *(["--tls"] if self._direct_tls else []),
            *("--username", self._account.address, "--password", self._account.password),
            *("--jserver", f"127.0.0.1:{port}"),
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._server.directory),
                "SSL_CERT_FILE": str(self._server.certificate),
            },
        )

    async def _finish(self, process: Process, text: str = "") -> None:
        try:
            output, _ = await asyncio.wait_for(process.communicate(text.encode()), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, output.decode()
