"""contrib/bench: what the clients of each workload notice."""

import asyncio
from array import array
from pathlib import Path

import pytest

from contrib.bench.accounts import make_accounts
from contrib.bench.load import Meter, Talker, prepare_message
from contrib.bench.orders import Order
from contrib.bench.sign_in import Address, Dialogue, Security
from contrib.bench.workloads.carbons import Carbons, Listener
from contrib.bench.workloads.presence import Watcher
from contrib.bench.workloads.reconnect import FRIEND, Survivor, check
from tests.contrib.test_bench import MemoryTransport

ANA, LUIS = make_accounts(2)
ORDER = Order(
    "carbons", Path("roll.csv"), Address("127.0.0.1", 1, Security.DIRECT_TLS), clients=2, watch=[1, 2]
)


def guest() -> Dialogue:
    dialogue = Dialogue(ANA)
    dialogue.transport = MemoryTransport()
    return dialogue


def test_an_order_survives_its_text() -> None:
    assert Order.from_json(ORDER.to_json()) == ORDER


def test_everybody_has_three_devices() -> None:
    assert [seat.jid for seat in Carbons(ORDER).seats([ANA])] == [
        f"user00000@localhost/{device}" for device in ("phone", "desk", "tablet")
    ]


def test_a_device_misses_what_was_said_elsewhere() -> None:
    meter = Meter()
    phone, partner = (
        Talker(number, MemoryTransport(), to.jid, meter, window=1) for number, to in ((0, LUIS), (1, ANA))
    )
    phone.partner, partner.partner = partner, phone
    phone.sent = partner.sent = 2
    desk = Listener(MemoryTransport(), phone, 0, meter)
    meter.is_measuring = True

    for speaker, number in ((0, 0), (0, 1), (1, 0), (7, 0)):
        message = prepare_message(speaker, LUIS.jid) % (number, number)
        desk.data_received(b"<message><received><forwarded>" + message + b"</forwarded></received></message>")

    assert (meter.messages, desk.count_lost(), desk.misdelivered) == (3, 1, 1)


@pytest.mark.parametrize("cut", [1, 20, 500])
def test_a_contact_counts_when_first_seen(cut: int) -> None:
    arrivals = array("d")
    client = guest()
    watcher = Watcher(3, client, arrivals)
    seen = b"".join(
        b"<presence from='user%05d@localhost/bench' to='user00003@localhost'/>" % number
        for number in (1, 2, 1, 3)
    )

    for start in range(0, len(seen), cut):
        watcher.data_received(seen[start : start + cut])

    assert len(arrivals) == 2


async def survivor(*numbers: int) -> Survivor:
    one = Survivor(guest(), b"token")
    message = prepare_message(FRIEND, ANA.jid)
    one.data_received(b"".join(message % (number, number) for number in numbers))
    return one


async def test_a_client_counts_stanzas_and_not_what_is_inside() -> None:
    one = await survivor(0, 1)

    one.data_received(b"<presence from='a'/><r xmlns='urn:xmpp:sm:3'/><iq type='get'><query/></iq>")

    assert one.handled == 4


async def test_what_is_lost_or_comes_twice_around_a_resumption_is_noticed() -> None:
    found = check([await survivor(0, 1, 2, 3), await survivor(0, 1, 1, 2)])

    assert (found.lost, found.duplicated, found.out_of_order) == (1, 1, 0)


async def test_what_came_right_after_the_answer_is_kept() -> None:
    client = guest()
    asking = asyncio.ensure_future(client.open_stream())
    await asyncio.sleep(0)

    client.data_received(b"<stream:features/><message/>")
    await asking

    assert client.rest == b"<message/>"
