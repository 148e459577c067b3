"""Agents in other people's clients attend customers who write from others."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from slixmpp import Iq, Message, Presence

from tests.clients.conftest import OpenGoSendxmpp, OpenProfanity, SignIn
from tests.clients.running import Account, RunningServer
from tests.clients.slixmpp_client import Slixmpp

QUEUE = "support@desk.localhost"


@pytest.fixture
def server(tmp_path: Path, ana: Account, luis: Account) -> Iterator[RunningServer]:
    """A server of one's own, with a queue whose agent is ana."""
    server = RunningServer(tmp_path)
    desk = tmp_path / "desk.toml"
    desk.write_text(f'[queues.support]\ntitle = "Support"\nmembers = ["{ana.address}"]')
    with server.config.open("a") as config:
        config.write(f'\n[desk]\nfile = "{desk}"\n')
    server.add_account(ana)
    server.add_account(luis)
    server.start()
    yield server
    assert server.stop() == 0
    print(server.log.read_text())


async def test_an_agent_in_profanity(
    profanity: OpenProfanity, sign_in: SignIn, ana: Account, luis: Account
) -> None:
    ana_screen, customer = await profanity(ana), await sign_in(luis)
    name = luis.address

    customer.say(QUEUE, "my printer is on fire")
    await customer.hears("Welcome to Support.", from_=QUEUE)
    await ana_screen.shows(f"<< chat message: {QUEUE}")
    await ana_screen.open_chat(QUEUE)
    await ana_screen.shows("> my printer is on fire")
    ana_screen.enter("!accept")
    await customer.hears("Somebody is with you now.", from_=QUEUE)

    # The client is in the roster by then: else this would be the address of an account, not a contact's name.
    ana_screen.enter("/win 1")
    await ana_screen.shows(f"<< chat message: {name}")
    ana_screen.enter(f"/msg {name}")
    await ana_screen.shows(": my printer is on fire")
    ana_screen.type("where")
    await customer.sees_typing(QUEUE)
    ana_screen.enter(" are you?")
    await customer.hears("where are you?", from_=QUEUE)
    customer.show_typing(QUEUE)
    await ana_screen.shows("(typing...)")
    customer.say(QUEUE, "in the kitchen 🔥")
    await ana_screen.shows(": in the kitchen 🔥")
    ana_screen.enter("!note he cooks with printers")
    await ana_screen.shows("Noted")
    ana_screen.enter("!close")

    await customer.hears("The conversation is closed. Just write to come back.", from_=QUEUE)
    assert not [text for text in customer.bodies() if "!" in text or "cooks" in text]
    assert not [stanza for stanza in customer.everything() if ana.address in stanza]


async def test_an_agent_in_slixmpp_and_a_customer_who_is_a_script(
    sign_in: SignIn, go_sendxmpp: OpenGoSendxmpp, ana: Account, luis: Account
) -> None:
    agent = await sign_in(ana)

    await go_sendxmpp(luis).send(QUEUE, "disk almost full: 97 %")
    offer = await agent.receives(Message, lambda message: "disk almost full" in message["body"])
    answers = re.findall(r"value=['\"](\S+ \d+)['\"]", str(offer))
    assert len(answers) == 2
    agent.say(QUEUE, answers[0])

    client = await is_given_the_client(agent)
    await agent.hears("disk almost full: 97 %", from_=client)
    async with go_sendxmpp(luis).listening() as printed:
        agent.say(client, "which disk?")
        said = ""
        while "which disk?" not in said:
            said += (await printed.readline()).decode()
        assert QUEUE in said
        assert ana.address not in said
    await go_sendxmpp(luis).send(QUEUE, "sda")
    await agent.hears("sda", from_=client)
    agent.say(client, "!close")

    await agent.receives(
        Presence, lambda presence: presence["type"] == "unavailable" and presence["from"].bare == client
    )
    assert [text for text in await agent.history(client) if not text.startswith("!")] == [
        "disk almost full: 97 %", "which disk?", "sda"
    ]  # fmt: skip


async def is_given_the_client(agent: Slixmpp) -> str:
    """Wait until a client becomes a contact, under their name and the queue's; return the address."""
    pushed = await agent.receives(
        Iq, lambda iq: any(jid.domain == "xmpp.localhost" for jid in iq["roster"]["items"])
    )
    [(address, item)] = pushed["roster"]["items"].items()
    assert item["groups"] == ["Support"]
    await agent.sees_online(f"{address}/xmpp")
    return str(address)
