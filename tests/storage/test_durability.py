"""What was acknowledged survives SIGKILL."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from imserver.storage.database import Database
from imserver.storage.store import Store

# Writes groups as fast as it can, and says so after each one.
WRITER = """
import asyncio, sys, time
from imserver.storage.archive import ArchiveRow
from imserver.storage.database import Database
from imserver.storage.offline import OfflineRow
from imserver.storage.store import Store

async def write(url):
    store = Store(await Database.open(url))
    clock = await store.archive.clock()
    while True:
        ids = [clock.next(time.time_ns() // 1000) for _ in range(20)]
        await store.archive.write(
            [ArchiveRow(id, "ana@example.com", "luis@example.com", "", b"<message/>", "") for id in ids],
            [OfflineRow("luis@example.com", id, b"<message/>") for id in ids],
        )
        print(*ids, flush=True)

asyncio.run(write(sys.argv[1]))
"""


@pytest.mark.parametrize("groups", [1, 10, 100])
async def test_what_was_acknowledged_survives_sigkill(tmp_path: Path, groups: int) -> None:
    url = f"sqlite:///{tmp_path}/imserver.sqlite"
    acknowledged: list[int] = []

    for _ in range(2):
        acknowledged += await write_until_killed(url, groups)

    store = Store(await Database.open(url))
    archived = [row.id for row in (await store.archive.page("ana@example.com", limit=100_000)).rows]
    mirrored = [row.id for row in (await store.archive.page("luis@example.com", limit=100_000)).rows]
    waiting = [row.id for row in await store.offline.load("luis@example.com")]
    await store.database.close()
    assert archived == mirrored == waiting
    known = set(acknowledged)
    assert [id for id in archived if id in known] == acknowledged


async def write_until_killed(url: str, groups: int) -> list[int]:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    acknowledged: list[int] = []
    for _ in range(groups):
        acknowledged += [int(id) for id in (await writer.stdout.readline()).split()]
    writer.kill()
    rest, _ = await writer.communicate()

    # A last line that was cut off may be cut within a number.
    acknowledged += [int(id) for line in rest.split(b"\n")[:-1] for id in line.split()]
    assert writer.returncode == -signal.SIGKILL
    return acknowledged
