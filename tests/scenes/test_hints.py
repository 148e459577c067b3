"""XEP-0334: what a sender asks us not to do with its message."""

import pytest

from tests.scenes.actors import Actor, Stage
from tests.scenes.test_archive import history, texts


def with_hint(hint: str, to: object = "luis@localhost") -> str:
    return f"<message to='{to}' type='chat' id='1'><body>Hi</body><{hint} xmlns='urn:xmpp:hints'/></message>"


@pytest.mark.parametrize("hint", ["no-store", "no-permanent-store"])
async def test_who_asks_for_it_is_not_archived(ana: Actor, luis: Actor, hint: str) -> None:
    await ana.sends(with_hint(hint))

    # Without a stanza-id: it is in no archive.
    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>Hi</body>"
        f"<{hint} xmlns='urn:xmpp:hints'/></message>"
    )
    assert await history(ana) == []
    assert await history(luis) == []


async def test_what_has_no_body_is_archived_if_its_sender_asks_for_it(ana: Actor, luis: Actor) -> None:
    await ana.sends(
        f"<message to='{luis}'><call xmlns='urn:example:call'/><store xmlns='urn:xmpp:hints'/></message>"
    )
    await ana.swallows()
    await luis.swallows()

    assert len(await history(ana)) == len(await history(luis)) == 1


async def test_what_must_not_be_stored_does_not_wait(stage: Stage, ana: Actor) -> None:
    await stage.account("luis")

    await ana.sends(with_hint("no-store"))

    await ana.receives(
        "<message type='error' from='luis@localhost' to='ana@localhost/stage' id='1'><body>Hi</body>"
        "<no-store xmlns='urn:xmpp:hints'/><error type='cancel'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


async def test_what_must_not_be_stored_for_good_waits_until_it_is_read(stage: Stage, ana: Actor) -> None:
    await stage.account("luis")

    await ana.sends(with_hint("no-permanent-store"))
    await ana.receives_nothing()
    luis = await stage.enters("luis")
    await luis.sends("<presence/>")

    await luis.receives("<presence from='luis@localhost/stage' to='luis@localhost/stage'/>")
    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>Hi</body>"
        "<no-permanent-store xmlns='urn:xmpp:hints'/>"
        "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='…'/></message>"
    )
    assert texts(await history(luis)) == []


async def test_what_must_not_be_copied_is_not(ana: Actor, luis: Actor) -> None:
    assert ana.stage is not None
    phone = await ana.stage.comes_online("luis", "phone")
    await phone.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")

    await ana.sends(with_hint("no-copy", luis))
    await luis.swallows()

    await phone.receives_nothing()
