"""Does the last page with a contact cost the same in a large archive as in a small one?"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,1000000", help="messages stored; compared with the first")
    parser.add_argument("--contacts", type=int, default=20)
    parser.add_argument("--pages", type=int, default=500, help="how many are read from each")
    parser.add_argument("--limit", type=int, default=50, help="messages a page")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    if min(sizes) < given.limit * given.contacts:
        parser.error(f"a page of {given.limit} with each of {given.contacts} contacts needs more messages")

    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="imserver-paging-") as folder,
        Progress(console=console, transient=True) as progress,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        found = runner.run(compare(Path(folder), sizes, given.contacts, given.pages, given.limit, progress))
    console.print(draw(found, given.limit))
    if given.json:
        given.json.write_text(json.dumps([asdict(paging) for paging in found], indent=2) + "\n")
    return 0


def draw(found: Sequence[Paging], limit: int) -> Table:
    table = Table(title=f"the last {limit} with a contact")
    for title in ("messages stored", "first page, ms", "median, ms", "p99, ms", "median, ratio"):
        table.add_column(title, justify="right")
    for paging in found:
        table.add_row(
            f"{paging.messages:,}",
            f"{paging.first_ms:.2f}",
            f"{paging.median_ms:.2f}",
            f"{paging.p99_ms:.2f}",
            f"{paging.median_ms / found[0].median_ms:.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
