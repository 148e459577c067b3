"""clamd's INSTREAM: a file goes there in chunks, its verdict comes back (clamd(8))."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

CHUNK: Final = 256 * 1024
#: clamd answers with one line, which names what it found.
LONGEST_ANSWER: Final = 4096


class ScanFailed(Exception):
    """There is no verdict, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where clamd listens."""

    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, written: str) -> Place:
        """Read `unix:/path` or `tcp:host:port`.

        Raises:
            ValueError: If it is neither.
        """
        kind, _, rest = written.partition(":")
        if kind == "unix" and rest.startswith("/"):
            return cls(path=rest)
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536:
            return cls(host=host.strip("[]"), port=int(port))
        raise ValueError('where clamd listens, such as "unix:/run/clamav/clamd.ctl" or "tcp:127.0.0.1:3310"')

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Call there."""
        if self.path:
            return await asyncio.open_unix_connection(self.path, limit=LONGEST_ANSWER)
        return await asyncio.open_connection(self.host, self.port, limit=LONGEST_ANSWER)


async def scan(place: Place, file: Path, *, seconds: float) -> str:
    """Have a file looked at; return what was found in it, `""` if nothing was.

    Raises:
        ScanFailed: If there is no verdict in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return verdict(await _ask(place, file))
    except TimeoutError:
        raise ScanFailed(f"no verdict within {seconds:g} s") from None
    except (OSError, asyncio.LimitOverrunError, asyncio.IncompleteReadError) as error:
        raise ScanFailed(f"{type(error).__name__}: {error}") from error


async def _ask(place: Place, file: Path) -> bytes:
    reader, writer = await place.connect()
    sending = asyncio.create_task(_send(writer, file))
    try:
        # It may answer before it has heard everything: what is too long for it, it does not listen to.
        return await reader.readuntil(b"\0")
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await sending
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, file: Path) -> None:
    writer.write(b"zINSTREAM\0")
    with await asyncio.to_thread(file.open, "rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, CHUNK):
            writer.write(len(chunk).to_bytes(4, "big") + chunk)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()


def verdict(answer: bytes) -> str:
    """Read what clamd answered: what it found, or `""`.

    Raises:
        ScanFailed: If it says neither yes nor no.
    """
    said = answer.rstrip(b"\0\n").decode(errors="replace").removeprefix("stream: ").strip()
    if said == "OK":
        return ""
    if said.endswith(" FOUND") and (found := said.removesuffix(" FOUND").strip()):
        return "".join(letter for letter in found if letter.isprintable())[:200]
    raise ScanFailed(f"clamd answered {said[:200]!r}")
