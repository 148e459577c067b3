"""XEP-0160: what waits for somebody who is not there."""

from pathlib import Path

import pytest

from tests.scenes.actors import Actor, Stage, staged
from tests.scenes.doors import loses
from tests.scenes.test_archive import history


def text(number: int, to: str = "luis@localhost") -> str:
    return f"<message to='{to}' type='chat' id='{number}'><body>{number}</body></message>"


async def send(actor: Actor, *numbers: int) -> None:
    for number in numbers:
        await actor.sends(text(number))
    await actor.receives_nothing()


def numbers(stanzas: list[object]) -> list[int]:
    return [int(one.all("body")[0].text) for one in stanzas if one.name == "message"]  # type: ignore[attr-defined]


async def appears(
    stage: Stage, resource: str = "stage", presence: str = "<presence/>"
) -> tuple[Actor, list[int]]:
    """Luis comes online; return what he reads then."""
    luis = await stage.enters("luis", resource)
    await luis.sends(presence)
    return luis, await reads(luis)


async def reads(luis: Actor) -> list[int]:
    """Take what he has read when the server has nothing left to do."""
    return numbers([*await luis.swallows(), *await luis.swallows()])


@pytest.fixture
async def away(stage: Stage) -> None:
    """Luis has an account, and is not there."""
    await stage.account("luis")


pytestmark = pytest.mark.usefixtures("away")


async def test_what_waited_is_delivered_in_order_and_says_since_when(stage: Stage, ana: Actor) -> None:
    await send(ana, 1, 2)

    luis = await stage.enters("luis")
    await luis.receives_nothing()
    await luis.sends("<presence/>")

    await luis.receives("<presence from='luis@localhost/stage' to='luis@localhost/stage'/>")
    for number in (1, 2):
        await luis.receives(
            f"<message from='ana@localhost/stage' to='luis@localhost' type='chat'><body>{number}</body>"
            "<stanza-id xmlns='urn:xmpp:sid:0' by='luis@localhost' id='…'/>"
            "<delay xmlns='urn:xmpp:delay' from='localhost' stamp='…'/></message>"
        )


async def test_it_carries_the_id_that_it_has_in_the_archive(stage: Stage, ana: Actor) -> None:
    await send(ana, 1)

    luis = await stage.enters("luis")
    await luis.sends("<presence/>")
    await luis.hears()
    seen = (await luis.hears()).all("stanza-id", "urn:xmpp:sid:0")[0].get("id")

    assert [result.get("id") for result in await history(luis)] == [seen]


async def test_it_is_delivered_once(stage: Stage, ana: Actor) -> None:
    await send(ana, 1)

    luis, read = await appears(stage)
    await luis.sends("<presence><show>away</show></presence><presence type='unavailable'/><presence/>")
    again = await reads(luis)
    _, other = await appears(stage, "phone")

    assert (read, again, other) == ([1], [], [])


async def test_who_takes_no_messages_does_not_get_it_yet(stage: Stage, ana: Actor) -> None:
    await send(ana, 1)

    luis, read = await appears(stage, presence="<presence><priority>-1</priority></presence>")
    assert read == []

    await luis.sends("<presence><priority>0</priority></presence>")
    assert await reads(luis) == [1]


async def test_it_waits_through_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path / "again", {}) as stage:
        await stage.account("luis")
        ana = await stage.comes_online("ana")
        await send(ana, 1, 2, 3)

    async with staged(tmp_path / "again", {}) as stage:
        assert (await appears(stage))[1] == [1, 2, 3]


async def test_it_goes_on_waiting_until_a_client_that_counts_has_it(stage: Stage, ana: Actor) -> None:
    await send(ana, 1, 2)
    luis = await stage.enters("luis")
    await luis.sends("<enable xmlns='urn:xmpp:sm:3'/><presence/>")
    for _ in range(4):
        await luis.hears()

    # The presence and the first message arrived, and the second was lost with the connection.
    await luis.sends("<a xmlns='urn:xmpp:sm:3' h='2'/>")
    await loses(stage, luis)

    read = (await appears(stage))[1]
    assert read == [1, 2]  # one delivery is acknowledged as a whole
    assert (await appears(stage, "phone"))[1] == []


async def test_it_is_gone_once_a_client_that_counts_has_it(stage: Stage, ana: Actor) -> None:
    await send(ana, 1, 2)
    luis = await stage.enters("luis")
    await luis.sends("<enable xmlns='urn:xmpp:sm:3'/><presence/>")
    for _ in range(4):
        await luis.hears()
    assert await stage.server.store.offline.count(luis.jid.bare) == 2

    await luis.sends("<a xmlns='urn:xmpp:sm:3' h='3'/>")
    await luis.swallows()
    await stage.settles()

    assert await stage.server.store.offline.count(luis.jid.bare) == 0


async def test_it_goes_to_another_device_if_the_first_loses_it(stage: Stage, ana: Actor) -> None:
    await send(ana, 1, 2)
    phone = await stage.enters("luis", "phone")
    await phone.sends("<enable xmlns='urn:xmpp:sm:3'/><presence/>")
    for _ in range(4):
        await phone.hears()
    desk, read = await appears(stage, "desk")
    assert read == []

    await loses(stage, phone)

    assert await reads(desk) == [1, 2]


async def test_nothing_overtakes_what_waited(stage: Stage, ana: Actor) -> None:
    await send(ana, *range(120))
    luis = await stage.enters("luis")

    await luis.sends("<presence/>")
    while (await luis.hears()).name != "presence":
        pass
    for number in range(120, 140):
        await ana.sends(text(number))
    await ana.swallows()

    assert await reads(luis) == list(range(140))


@pytest.mark.settings(limits={"unacknowledged_stanzas": 60, "offline_messages": 200})
async def test_more_than_may_be_unacknowledged_comes_bit_by_bit(stage: Stage, ana: Actor) -> None:
    await send(ana, *range(200))
    luis = await stage.enters("luis")
    await luis.sends("<enable xmlns='urn:xmpp:sm:3'/><presence/>")

    read: list[int] = []
    received = 0
    while len(read) < 200:
        got = await luis.hears()
        received += got.name in ("message", "presence", "iq")
        read += numbers([got])
        if got.name == "r":
            await luis.sends(f"<a xmlns='urn:xmpp:sm:3' h='{received}'/>")

    assert read == list(range(200))


@pytest.mark.settings(limits={"offline_messages": 2})
async def test_when_too_many_wait_the_sender_is_told(stage: Stage, ana: Actor) -> None:
    await send(ana, 1, 2)

    await ana.sends(text(3))

    await ana.receives(
        "<message type='error' from='luis@localhost' to='ana@localhost/stage' id='3'><body>3</body>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>…</text></error></message>"
    )
    assert (await appears(stage))[1] == [1, 2]


async def test_nothing_waits_for_nobody(ana: Actor) -> None:
    await ana.sends(text(1, "nobody@localhost"))

    await ana.receives(
        "<message type='error' from='nobody@localhost' to='ana@localhost/stage' id='1'><body>1</body>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


@pytest.mark.parametrize(
    "message",
    [
        "<message to='luis@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message to='luis@localhost' type='headline'><body>News</body></message>",
    ],
)
async def test_what_matters_only_now_vanishes_silently(stage: Stage, ana: Actor, message: str) -> None:
    await ana.sends(message)

    await ana.receives_nothing()
    assert (await appears(stage))[1] == []


async def test_a_receipt_waits_too(stage: Stage, ana: Actor) -> None:
    await ana.sends(
        "<message to='luis@localhost' type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>"
    )
    await ana.receives_nothing()

    luis = await stage.enters("luis")
    await luis.sends("<presence/>")
    await luis.hears()

    assert (await luis.hears()).all("received", "urn:xmpp:receipts")


async def test_what_is_sent_to_a_resource_that_is_gone_waits(stage: Stage, ana: Actor) -> None:
    await ana.sends(text(1, "luis@localhost/gone"))
    await ana.receives_nothing()

    assert (await appears(stage))[1] == [1]


async def test_a_session_that_lost_its_connection_keeps_what_it_is_sent(stage: Stage, ana: Actor) -> None:
    luis = await stage.enters("luis")
    await luis.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/><presence/>")
    token = (await luis.hears()).get("id")
    await luis.swallows()
    await loses(stage, luis)

    await send(ana, 1)
    back = await stage.logs_in("luis")
    # The presence, and the answer to the ping of `swallows`.
    await back.sends(f"<resume xmlns='urn:xmpp:sm:3' h='2' previd='{token}'/>")
    assert (await back.hears()).name == "resumed"

    assert [numbers([one]) for one in await back.swallows() if one.name == "message"] == [[1]]
    assert await stage.server.store.offline.count(luis.jid.bare) == 0
