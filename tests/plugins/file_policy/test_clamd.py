"""clamd, and somebody in its place who answers oddly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from imserver_file_policy.clamd import CHUNK, Place, ScanFailed, scan, verdict
from tests.plugins.file_policy.clamd import running_clamd
from tests.plugins.file_policy.files import EICAR, PNG

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def in_place_of_clamd(folder: Path, peer: Peer) -> AsyncIterator[Place]:
    path = folder / "clamd.ctl"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield Place(path=str(path))
    finally:
        server.close()


async def hear(reader: asyncio.StreamReader) -> bytes:
    """Listen as clamd does."""
    assert await reader.readexactly(10) == b"zINSTREAM\0"
    heard = b""
    while length := int.from_bytes(await reader.readexactly(4), "big"):
        assert length <= CHUNK
        heard += await reader.readexactly(length)
    return heard


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(PNG * 10_000)
    return file


async def test_all_of_a_file_goes_there_in_chunks(tmp_path: Path, file: Path) -> None:
    heard: list[bytes] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await hear(reader))
        writer.write(b"stream: OK\0")

    async with in_place_of_clamd(tmp_path, peer) as place:
        assert await scan(place, file, seconds=10) == ""

    assert heard == [file.read_bytes()]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"stream: OK\0", ""),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "Win.Test.EICAR_HDB-1"),
        (b"stream: A\x1b[31mred FOUND\0", "A[31mred"),
    ],
)
def test_a_verdict_is_read(answer: bytes, found: str) -> None:
    assert verdict(answer) == found


@pytest.mark.parametrize(
    "answer",
    [
        b"\0",
        b"stream: OK FOUND it\0",
        b"stream:  FOUND\0",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"stream: \xff ERROR\0",
    ],
)
async def test_what_says_neither_yes_nor_no_is_no_verdict(tmp_path: Path, file: Path, answer: bytes) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)  # and listens no further
        writer.write(answer)

    async with in_place_of_clamd(tmp_path, peer) as place:
        with pytest.raises(ScanFailed):
            await scan(place, file, seconds=10)


async def test_who_hangs_up_has_no_verdict(tmp_path: Path, file: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100)

    async with in_place_of_clamd(tmp_path, peer) as place:
        with pytest.raises(ScanFailed):
            await scan(place, file, seconds=10)


@pytest.mark.parametrize("listens", [True, False])
async def test_who_does_not_answer_in_time_has_no_verdict(tmp_path: Path, file: Path, listens: bool) -> None:
    over = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if listens:
            await hear(reader)
        await over.wait()

    async with in_place_of_clamd(tmp_path, peer) as place:
        with pytest.raises(ScanFailed, match="no verdict within"):
            await scan(place, file, seconds=0.1)
        over.set()


async def test_who_says_too_much_has_no_verdict(tmp_path: Path, file: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(b"stream: " + b"A" * 100_000 + b" FOUND\0")

    async with in_place_of_clamd(tmp_path, peer) as place:
        with pytest.raises(ScanFailed):
            await scan(place, file, seconds=10)


async def test_who_is_not_there_has_no_verdict(tmp_path: Path, file: Path) -> None:
    with pytest.raises(ScanFailed, match="FileNotFoundError"):
        await scan(Place(path=str(tmp_path / "nobody")), file, seconds=10)
    with pytest.raises(ScanFailed, match="ConnectionRefused"):
        await scan(Place(host="127.0.0.1", port=1), file, seconds=10)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("unix:/run/clamav/clamd.ctl", Place(path="/run/clamav/clamd.ctl")),
        ("tcp:127.0.0.1:3310", Place(host="127.0.0.1", port=3310)),
        ("tcp:[::1]:3310", Place(host="::1", port=3310)),
    ],
)
def test_where_it_listens_is_read(written: str, place: Place) -> None:
    assert Place.parse(written) == place


async def test_the_true_clamd_finds_what_it_knows(tmp_path: Path, file: Path) -> None:
    async with running_clamd(tmp_path) as written:
        place = Place.parse(written)
        infected, large = tmp_path / "infected", tmp_path / "large"
        infected.write_bytes(EICAR)
        large.write_bytes(bytes(2 * 1024 * 1024))

        assert await scan(place, file, seconds=60) == ""
        assert await scan(place, infected, seconds=60) == "Our.Test.EICAR.UNOFFICIAL"
        with pytest.raises(ScanFailed, match="size limit exceeded"):
            await scan(place, large, seconds=60)
