"""XEP-0199, as clients see it."""

import pytest

from tests.scenes.actors import Actor


@pytest.mark.parametrize("to", ["localhost", "ana@localhost"])
async def test_a_ping_is_answered(ana: Actor, to: str) -> None:
    await ana.sends(f"<iq type='get' id='1' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")

    await ana.receives(f"<iq type='result' id='1' from='{to}' to='ana@localhost/stage'/>")
