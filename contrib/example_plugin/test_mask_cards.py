"""The example plugin, in a real server between two real connections."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.testing import Actor, Stage, staged

PLUGIN = Path(__file__).with_name("mask_cards.py")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    plugins = {"paths": [str(PLUGIN)], "mask_cards": {"stars": "####"}}
    async with staged(tmp_path, {"plugins": plugins}) as one:
        yield one


async def tell(stage: Stage, text: str) -> Actor:
    luis = await stage.comes_online("luis")
    ana = await stage.comes_online("ana")
    await ana.sends(f"<message to='luis@localhost' type='chat'><body>{text}</body></message>")
    return luis


async def test_card_numbers_are_masked(stage: Stage) -> None:
    luis = await tell(stage, "My card is 4111 1111 1111 1234, thanks")

    got = await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'>"
        "<body>My card is ####1234, thanks</body>…</message>"
    )
    assert "4111" not in str(got)


async def test_other_messages_stay_as_they_are(stage: Stage) -> None:
    luis = await tell(stage, "My order is 4711")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>My order is 4711</body>…</message>"
    )
