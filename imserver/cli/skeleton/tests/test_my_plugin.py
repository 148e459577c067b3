"""XML in, XML out: a real server with the plugin, and two clients."""

from pathlib import Path

import pytest

from imserver.testing import Stage

PLUGIN = Path(__file__).parents[1] / "my_plugin.py"

pytestmark = pytest.mark.settings(
    plugins={"paths": [str(PLUGIN)], "my_plugin": {"words": {"asap": "as soon as possible"}}}
)


async def test_abbreviations_are_spelled_out(stage: Stage) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await ana.sends("<message to='luis@localhost' type='chat'><body>Call me asap!</body></message>")

    # `…` stands for anything.
    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'>"
        "<body>Call me as soon as possible!</body>…</message>"
    )


async def test_other_messages_stay_as_they_are(stage: Stage) -> None:
    ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")

    await ana.sends("<message to='luis@localhost' type='chat'><body>No hurry</body></message>")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>No hurry</body>…</message>"
    )


async def test_the_admin_is_told_that_it_works(stage: Stage) -> None:
    assert {"event": "spelling out abbreviations", "words": 1, "log_level": "info"} in stage.log.entries
