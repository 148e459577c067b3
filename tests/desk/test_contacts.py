from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.desk import answers
from imserver.desk.answers import Answers, Queue, channel_answers, desk_answers
from imserver.desk.cards import card, card4
from imserver.desk.command_menus import Menus
from imserver.desk.commands import Caller
from imserver.desk.contacts import (
    BASIC,
    NODE,
    STEPS,
    Channel,
    Contact,
    absence,
    client_info,
    delist,
    enlist,
    presence,
    status,
    ver,
)
from imserver.features import disco
from imserver.features.contacts import contacts_of
from imserver.routing.components import Component
from imserver.server import Server
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import COMMANDS
from imserver.xmpp.stanza import IQ, Message, Stanza
from tests.desk.test_commands import Floor
from tests.scenes.actors import Actor, Stage, staged

CLIENT = JID.parse("k7@xmpp.localhost")
ANA = JID.parse("ana@localhost")
SUPPORT = Queue(JID.parse("support@desk.localhost"), "Support", "Mondays to Fridays")
XMPP = Channel("xmpp", "XMPP")
MARIA = Contact(
    CLIENT, XMPP, "María", "Support", 1_000.0, 1_000.0, (("tel", "+34600000000"), ("email", "m@home.example"))
)

# The status


@pytest.mark.parametrize(
    ("waited", "shown"),
    [
        (0, "Support · waiting since just now"),
        (59.9, "Support · waiting since just now"),
        (60, "Support · waiting for 1 min"),
        (299, "Support · waiting for 2 min"),
        (899, "Support · waiting for 10 min"),
        (3_599, "Support · waiting for 30 min"),
        (3_600, "Support · waiting for 1 h"),
        (900_000, "Support · waiting for 24 h"),
        (-5, "Support · waiting since just now"),
    ],
)
def test_the_status_tells_in_steps_how_long_a_client_waits(waited: float, shown: str) -> None:
    assert status(MARIA, 1_000 + waited, lang="en") == shown


def test_the_status_tells_when_all_is_answered() -> None:
    assert status(Contact(CLIENT, XMPP, "María", "Soporte"), 5.0, lang="es") == "Soporte · respondido"


@given(st.floats(0, 2e9), st.floats(0, 200_000), st.floats(0, 1))
def test_the_status_changes_at_each_step_and_not_before(since: float, waited: float, part: float) -> None:
    contact = Contact(CLIENT, XMPP, "María", "Support", since)
    now = since + waited
    change = next((since + step for step in STEPS if since + step > now), None)

    if change is None:
        assert waited >= STEPS[-1] - 1
        return
    assert change > now
    before = now + (change - now) * part
    if before < change:
        assert status(contact, before, lang="en") == status(contact, now, lang="en")
    assert status(contact, change + 0.001, lang="en") != status(contact, now, lang="en")


# Presence and cards


def test_a_client_shows_a_name_and_what_can_be_done() -> None:
    shown = presence(MARIA, ANA, 1_130.0, lang="de")

    assert shown.sender == "k7@xmpp.localhost/xmpp"
    assert shown.wire.decode() == (
        "<presence from='k7@xmpp.localhost/xmpp' to='ana@localhost'>"
        "<status>Support · wartet seit 2 min</status>"
        f"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='{NODE}' ver='{ver(XMPP)}'/>"
        "<nick xmlns='http://jabber.org/protocol/nick'>María</nick>"
        "<x xmlns='vcard-temp:x:update'><photo/></x></presence>"
    )
    assert absence(MARIA, ANA).type == "unavailable"


def test_a_channel_shows_only_what_it_can_carry() -> None:
    email = Channel("email", "E-mail", features=())
    shown = [one.get("var") for one in client_info(email).all("feature")]

    assert set(BASIC) <= set(shown)
    assert "http://jabber.org/protocol/chatstates" not in shown
    assert ver(email) != ver(XMPP)


def test_cards_in_both_ways_say_the_same() -> None:
    old, new = card("María", MARIA.addresses, "Support"), card4("María", MARIA.addresses, "Support")

    assert str(old).count("María") == str(new).count("María") == 2
    assert "<NUMBER>+34600000000</NUMBER>" in str(old)
    assert "<uri>tel:+34600000000</uri>" in str(new)


# Questions


class People:
    """Who there is."""

    def queues(self) -> Sequence[Queue]:
        return [SUPPORT]

    def find_queue(self, jid: JID) -> Queue | None:
        return SUPPORT if jid == SUPPORT.jid else None

    async def find_contact(self, jid: JID, asker: JID) -> Contact | None:
        return MARIA if jid == CLIENT and asker == ANA else None


class Domain(Component):
    """A component that answers questions, and notes what else comes."""

    def __init__(self, domain: str, own: Answers) -> None:
        self.domain, self.name = domain, domain
        self.own = own
        self.others: list[Stanza] = []

    def keeps(self, message: Message) -> bool:
        return False

    def receive(self, server: Server, stanza: Stanza) -> Awaitable[None] | None:
        if isinstance(stanza, IQ):
            return self.own.receive(server, stanza)
        self.others.append(stanza)
        return None


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    def find_caller(asker: JID, address: JID, lang: str) -> Caller | None:
        client = address.bare if address.domain == CLIENT.domain else None
        return Caller(asker.bare, lang, client, "support") if asker.bare == ANA else None

    menus = Menus(Floor(), find_caller, prefix="!")
    async with staged(tmp_path, {}) as one:
        gateway = disco.Identity("gateway", "xmpp", "XMPP")
        for domain in (
            Domain("desk.localhost", desk_answers(People(), menus, "Desk")),
            Domain("xmpp.localhost", channel_answers(People(), menus, gateway, clock=lambda: 1_090.0)),
        ):
            one.server.router.components[domain.domain] = domain
        yield one


@pytest.fixture
async def ana(stage: Stage) -> Actor:
    return await stage.comes_online("ana")


async def asks(actor: Actor, to: str, payload: str, kind: str = "get") -> str:
    """Ask, and return the answer's payload; "" for an empty result, the condition for an error."""
    await actor.sends(f"<iq type='{kind}' id='q' to='{to}'>{payload}</iq>")
    answer = await actor.hears()
    assert answer.get("from") == to
    if (error := answer.child("error")) is not None:
        return error.elements()[0].name
    assert answer.get("type") == "result"
    return "".join(str(child) for child in answer.elements())


INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
CARD = "<vCard xmlns='vcard-temp'/>"
PING = "<ping xmlns='urn:xmpp:ping'/>"


async def test_queues_are_found_by_disco_and_have_a_card(ana: Actor) -> None:
    assert "jid='support@desk.localhost' name='Support'" in await asks(ana, "desk.localhost", ITEMS)
    assert "category='collaboration' type='workgroup' name='Support'" in await asks(ana, SUPPORT.jid, INFO)
    shown = await asks(ana, SUPPORT.jid, CARD)
    assert "<FN>Support</FN>" in shown
    assert "<DESC>Mondays to Fridays</DESC>" in shown
    assert await asks(ana, "nobody@desk.localhost", CARD) == "item-not-found"


async def test_an_agent_finds_out_who_a_client_is(ana: Actor) -> None:
    device = f"{CLIENT}/xmpp"

    assert "<FN>María</FN>" in await asks(ana, CLIENT, CARD)
    assert "<text>María</text>" in await asks(
        ana, CLIENT, "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>"
    )
    assert "urn:xmpp:message-correct:0" in await asks(ana, device, INFO)
    assert "seconds='90'" in await asks(ana, device, "<query xmlns='jabber:iq:last'/>")
    assert await asks(ana, device, PING) == ""


async def test_the_hash_stands_for_what_is_shown(ana: Actor) -> None:
    node = f"{NODE}#{ver(XMPP)}"
    shown = await asks(ana, f"{CLIENT}/xmpp", INFO.replace("/>", f" node='{node}'/>"))

    assert shown == str(client_info(XMPP, node=node))
    assert await asks(ana, CLIENT, INFO.replace("/>", " node='other'/>")) == "item-not-found"


async def test_an_agent_has_a_menu_at_queues_and_clients(ana: Actor) -> None:
    listed = ITEMS.replace("/>", f" node='{COMMANDS}'/>")
    run = f"<command xmlns='{COMMANDS}' node='urn:imserver:desk:command:who'/>"

    assert "command:close" in await asks(ana, CLIENT, listed)
    assert "command:close" not in await asks(ana, SUPPORT.jid, listed)
    assert "Name: María" in await asks(ana, CLIENT, run, "set")
    assert await asks(ana, SUPPORT.jid, run, "set") == "item-not-found"


async def test_a_stranger_learns_nothing_of_clients(stage: Stage) -> None:
    eve = await stage.comes_online("eve")
    listed = ITEMS.replace("/>", f" node='{COMMANDS}'/>")

    for question in (INFO, CARD, PING, "<query xmlns='jabber:iq:last'/>", listed):
        assert await asks(eve, CLIENT, question) == "service-unavailable"
        assert await asks(eve, "none@xmpp.localhost", question) == "service-unavailable"
    assert "item" not in (await asks(eve, SUPPORT.jid, listed)).replace("disco#items", "")


@pytest.mark.parametrize("to", ["desk.localhost", SUPPORT.jid, "xmpp.localhost", CLIENT, f"{CLIENT}/xmpp"])
@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("get", "<query xmlns='jabber:iq:roster'/>"),
        ("set", "<query xmlns='jabber:iq:roster'><item jid='a@b'/></query>"),
        (
            "get",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub>",
        ),
        ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
        ("set", "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='1'/>"),
        ("set", "<y xmlns='urn:x'/>"),
    ],
)
async def test_every_other_question_is_refused_here(
    stage: Stage, ana: Actor, to: str, kind: str, payload: str
) -> None:
    assert await asks(ana, to, payload, kind) == "service-unavailable"
    for domain in stage.server.router.components.values():
        assert not getattr(domain, "others", [])


async def test_nobody_writes_somebody_elses_card(ana: Actor) -> None:
    assert await asks(ana, CLIENT, CARD, "set") == "bad-request"


async def test_the_desk_is_asked_like_any_server(ana: Actor) -> None:
    assert "imserver" in await asks(ana, "desk.localhost", "<query xmlns='jabber:iq:version'/>")
    assert "<tzo>" in await asks(ana, "desk.localhost", "<time xmlns='urn:xmpp:time'/>")
    assert await asks(ana, "xmpp.localhost", PING) == ""
    assert "type='xmpp'" in await asks(ana, "xmpp.localhost", INFO)
    assert await asks(ana, CLIENT, "<query xmlns='jabber:iq:version'/>") == "service-unavailable"


def test_an_answer_to_our_own_question_is_swallowed() -> None:
    own = desk_answers(People(), None, "Desk")  # type: ignore[arg-type]

    assert own.receive(None, IQ(type="result", id="1", to=CLIENT, sender=ANA)) is None  # type: ignore[arg-type]
    assert answers.Subject("x", lambda node: None).contact is None
    with pytest.raises(StanzaError, match="service-unavailable"):
        own.receive(None, IQ(type="get", id="1", to=CLIENT, sender=ANA))  # type: ignore[arg-type]


# The roster


async def test_a_client_comes_into_the_roster_and_goes(stage: Stage) -> None:
    ana = await stage.enters("ana")
    await ana.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    await ana.hears()

    await enlist(stage.server, contacts_of(stage.server), ana.jid.bare, CLIENT, name="María", group="Support")
    shown = str(await ana.hears())
    assert "<item jid='k7@xmpp.localhost' subscription='both' name='María'>" in shown
    assert "<group>Support</group>" in shown

    await enlist(stage.server, contacts_of(stage.server), ana.jid.bare, CLIENT, name="María", group="Support")
    await enlist(
        stage.server, contacts_of(stage.server), ana.jid.bare, CLIENT, name="María José", group="Sales"
    )
    assert "name='María José'" in str(await ana.hears())

    await delist(stage.server, contacts_of(stage.server), ana.jid.bare, CLIENT)
    assert "<item jid='k7@xmpp.localhost' subscription='remove'/>" in str(await ana.hears())
    await delist(stage.server, contacts_of(stage.server), ana.jid.bare, CLIENT)
    assert await stage.server.store.rosters.load(ana.jid.bare) == []


async def test_an_agent_who_is_away_finds_the_client_in_the_roster_later(stage: Stage) -> None:
    owner = await stage.account("luis")
    await enlist(stage.server, contacts_of(stage.server), owner, CLIENT, name="María", group="Support")

    luis = await stage.enters("luis")
    await luis.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
    assert "name='María'" in str(await luis.hears())
