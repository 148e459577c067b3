"""Where uploaded files lie: a file is called by its token, and is there only when all of it is."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: What the name of a file ends with while it is still coming.
UNFINISHED = ".part"


class UploadFolder:
    """The folder of a server's uploads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def file(self, token: str) -> Path:
        """Name the file of a token that was given out."""
        return self._path / token

    def arriving(self, token: str) -> ArrivingFile:
        """Begin a file."""
        return ArrivingFile(self.file(token))

    async def open(self) -> None:
        """Make the folder, and remove what was still coming when the server was stopped."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in self._path.glob(f"*{UNFINISHED}"):
            file.unlink(missing_ok=True)

    async def remove(self, tokens: Iterable[str]) -> None:
        """Remove files, those that never came included."""
        await asyncio.to_thread(self._remove, list(tokens))

    def _remove(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            self.file(token).unlink(missing_ok=True)

    async def tokens(self) -> list[str]:
        """List what is there."""
        return await asyncio.to_thread(self._tokens)

    def _tokens(self) -> list[str]:
        return [name for name in os.listdir(self._path) if not name.endswith(UNFINISHED)]


class ArrivingFile:
    """A file that is being written; unless it is kept, nothing of it stays."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unfinished = file.with_name(file.name + UNFINISHED)
        self._stream: BinaryIO

    async def __aenter__(self) -> Self:
        self._stream = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(self, *error: object) -> None:
        # Not in a thread: it must happen even when the server is stopped just now.
        self._stream.close()
        self._unfinished.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return open(os.open(self._unfinished, flags, 0o600), "wb")

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        await asyncio.to_thread(self._stream.write, data)

    async def written(self) -> Path:
        """Have everything that was written where others can read it, and name that place."""
        await asyncio.to_thread(self._stream.flush)
        return self._unfinished

    async def keep(self) -> None:
        """Put the file on disk under its name; afterwards it survives a power cut."""
        await asyncio.to_thread(self._keep)

    def _keep(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._unfinished.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
