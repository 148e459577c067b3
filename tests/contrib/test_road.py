"""The road of a message must not become longer; whether the machine is fast or slow does not matter.

What is compared is CPU time of a message to CPU time of a loop of plain Python, both measured here and now, and again
if it seems slow: a busy machine is slow for a while, a slow change always. After a change that is worth its price,
measure on a quiet machine and say the new figure here: `python -m contrib.bench.road --archive on`.
"""

from pathlib import Path

import pytest

from contrib.bench.road import EXAMPLE, walk

#: How many rounds of the loop a message cost when this was written, with every built-in feature and the example plugin.
MEASURED = {"off": 56.0, "on": 76.0}
#: What runs on a busy machine differ by; a slow change is more than that.
TOLERANCE = 1.45

SLOW_PLUGIN = """
from imserver import Message, hookimpl

@hookimpl
def refine_message(message: Message) -> None:
    message.element.to_bytes()  # builds a tree and writes it again, for every message
"""


async def seems_slow(archive: str, *more: Path) -> bool:
    """Whether every one of a few walks costs too much."""
    for _ in range(4):
        road = await walk(archive=archive == "on", plugins=(EXAMPLE, *more), runs=12)
        if road.ratio < MEASURED[archive] * TOLERANCE:
            return False
    return True


@pytest.mark.parametrize("archive", ["off", "on"])
async def test_a_message_costs_no_more_than_it_did(archive: str) -> None:
    assert not await seems_slow(archive)


async def test_a_slow_change_would_be_noticed(tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW_PLUGIN)

    assert await seems_slow("off", slow)
