"""Does the last page with a contact cost the same in a large archive as in a small one?"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from contrib.bench.load import prepare_message
from imserver.storage.archive import Archive, ArchiveClock, ArchiveRow
from imserver.storage.database import Database

OWNER = "agent@localhost"
GROUP = 1_000  # rows a transaction
MICROSECONDS_APART = 1_000
BEGINNING = 1_700_000_000_000_000


@dataclass(frozen=True, slots=True)
class Paging:
    """How long pages take in one archive, in milliseconds."""

    messages: int
    first_ms: float
    median_ms: float
    p99_ms: float


async def compare(
    folder: Path, sizes: Sequence[int], contacts: int, pages: int, limit: int, progress: Progress
) -> list[Paging]:
    """Fill an archive of each size, then read from them in turns."""
    databases = [await Database.open(f"sqlite:///{folder}/{size}.sqlite") for size in sizes]
    try:
        archives = [Archive(database) for database in databases]
        for archive, size in zip(archives, sizes, strict=True):
            await fill(archive, size, contacts, progress)
        peers = [contact(number) for number in range(contacts)]
        first = [await time_page(archive, peers[0], limit) for archive in archives]
        taken = await take_turns(archives, peers, pages, limit)
    finally:
        for database in databases:
            await database.close()
    return [
        Paging(
            messages=size,
            first_ms=first[index] * 1e3,
            median_ms=statistics.median(taken[index]) * 1e3,
            p99_ms=sorted(taken[index])[len(taken[index]) * 99 // 100] * 1e3,
        )
        for index, size in enumerate(sizes)
    ]


async def fill(archive: Archive, size: int, contacts: int, progress: Progress) -> None:
    task = progress.add_task(f"{size:,} messages", total=size)
    everything = rows(size, contacts)
    while group := list(itertools.islice(everything, GROUP)):
        await archive.write(group)
        progress.advance(task, len(group))


def rows(size: int, contacts: int) -> Iterator[ArchiveRow]:
    """Give the messages of one owner with all contacts, mixed as in life."""
    clock = ArchiveClock()
    peers = [contact(number) for number in range(contacts)]
    for number in range(size):
        peer = peers[number % contacts]
        stanza = prepare_message(number % contacts, OWNER) % (number, number)
        yield ArchiveRow(clock.next(BEGINNING + number * MICROSECONDS_APART), OWNER, peer, "phone", stanza)


def contact(number: int) -> str:
    return f"contact{number:05}@localhost"


async def take_turns(
    archives: Sequence[Archive], peers: Sequence[str], pages: int, limit: int
) -> list[list[float]]:
    chance = random.Random(50)
    taken: list[list[float]] = [[] for _ in archives]
    for _ in range(pages):
        peer = chance.choice(peers)
        for archive, times in zip(archives, taken, strict=True):
            times.append(await time_page(archive, peer, limit))
    return taken


async def time_page(archive: Archive, peer: str, limit: int) -> float:
    begun = time.perf_counter()
    page = await archive.page(OWNER, peer=peer, limit=limit, backwards=True)
    taken = time.perf_counter() - begun
    assert len(page.rows) == limit, f"{len(page.rows)} rows with {peer}, not {limit}"
    return taken
