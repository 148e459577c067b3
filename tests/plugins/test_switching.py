"""With any of the bundled plugins on or off, the server starts, and a client and an agent can talk."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.scenes.desk.conftest import SUPPORT, attends, bodies, heard, on_stage, says

BUNDLED = ("display_name", "file_policy", "history_by_from", "templates", "web")

WAYS = {
    "none": (),
    "all": BUNDLED,
    **{f"only {name}": (name,) for name in BUNDLED},
    **{f"all but {name}": tuple(other for other in BUNDLED if other != name) for name in BUNDLED},
}


@pytest.mark.parametrize("enabled", WAYS.values(), ids=WAYS)
async def test_a_client_and_an_agent_can_talk(tmp_path: Path, enabled: Sequence[str]) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(SUPPORT)

    async with on_stage(tmp_path, file, {"plugins": {"enabled": list(enabled)}}) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        client = await attends(stage, ana, luis)
        await says(ana, client, "How can I help you?")
        await says(luis, "support@desk.localhost", "My card is gone")
        await stage.settles()

        assert set(enabled) <= set(stage.server.hooks.plugins)
        assert "How can I help you?" in bodies(await luis.swallows())
        assert "My card is gone" in heard(await ana.swallows())
