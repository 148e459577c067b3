"""Who is connected here, and what waits for them."""

import pytest

from imserver.routing.sessions import Session, Sessions, is_urgent
from imserver.stream.resumption import Acknowledgements
from imserver.xmpp.codec import StreamReader
from imserver.xmpp.errors import StreamError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import Message, Presence, Stanza
from tests.xmpp.corpus.seeds import HEADER

ANA = JID.parse("ana@example.com/desk")


class Wire:
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Stanza] = []

    def send(self, stanza: Stanza) -> None:
        self.sent.append(stanza)

    async def drained(self) -> None:
        return None

    def acknowledge(self, handled: int) -> None:
        return None

    def end(self, error: StreamError | None = None) -> None:
        return None

    def abort(self) -> None:
        return None


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def session(wire: Wire) -> Session:
    return Session(ANA, wire)


def messages(*numbers: int) -> list[Message]:
    return [Message(id=str(number)) for number in numbers]


def stanza(xml: str) -> Stanza:
    item = StreamReader().feed(HEADER + xml.encode())[1]
    assert isinstance(item, Stanza)
    return item


# The list


def test_a_session_is_found_by_its_address(session: Session) -> None:
    sessions = Sessions()
    phone = Session(JID.parse("ana@example.com/phone"), Wire())

    sessions.add(session)
    sessions.add(phone)

    assert sessions.find(ANA) is session
    assert sessions.find(JID.parse("ana@example.com/none")) is None
    assert list(sessions.of(ANA.bare)) == [session, phone]
    assert list(sessions) == [session, phone]
    assert len(sessions) == 2


def test_a_session_that_is_gone_leaves_nothing(session: Session) -> None:
    sessions = Sessions()
    sessions.add(session)
    sessions.make_resumable(session, "token")

    sessions.remove(session)
    sessions.remove(session)

    assert len(sessions) == 0
    assert sessions.find_resumable("token", ANA.bare) is None
    assert not sessions._accounts


def test_a_session_is_resumed_by_its_own_account_only(session: Session) -> None:
    # XEP-0198, Security Considerations: a token alone opens nothing.
    sessions = Sessions()
    sessions.make_resumable(session, "token")

    assert sessions.find_resumable("token", ANA.bare) is session
    assert sessions.find_resumable("token", JID.parse("luis@example.com")) is None
    assert sessions.find_resumable("guess", ANA.bare) is None
    assert sessions.find_resumable("", ANA.bare) is None


def test_available_are_those_that_take_messages(session: Session) -> None:
    sessions = Sessions()
    sessions.add(session)
    assert sessions.available(ANA.bare) == []

    session.presence = Presence()
    assert sessions.available(ANA.bare) == [session]

    session.priority = -1
    assert sessions.available(ANA.bare) == []


# What is sent


def test_what_is_sent_waits_for_its_acknowledgement(session: Session, wire: Wire) -> None:
    session.acknowledgements = Acknowledgements()
    sent = messages(1, 2, 3)

    for message in sent:
        session.send(message)
    session.acknowledge(2)

    assert wire.sent == sent
    assert session.unacknowledged() == sent[2:]
    assert session.unacknowledged() == []


def test_what_is_sent_while_nobody_is_connected_waits_too(session: Session) -> None:
    session.acknowledgements = Acknowledgements()
    session.outlet = None
    sent = messages(1)

    session.send(sent[0])

    assert session.unacknowledged() == sent


def test_without_counting_an_acknowledgement_means_nothing(session: Session) -> None:
    session.acknowledge(17)


def test_only_so_much_waits(session: Session) -> None:
    overflowed: list[Session] = []
    session.acknowledgements = Acknowledgements()
    session.limit = 2
    session.overflowed = overflowed.append

    for message in messages(1, 2, 3):
        session.send(message)

    assert overflowed == [session]


async def test_a_step_waits_until_all_that_came_before_it_is_acknowledged(session: Session) -> None:
    session.acknowledgements = Acknowledgements()
    done: list[str] = []
    for message in messages(1, 2):
        session.send(message)
    await session.when_received(lambda: done.append("two"))
    session.send(messages(3)[0])
    await session.when_received(lambda: done.append("three"))

    session.acknowledge(1)
    assert done == []
    session.acknowledge(2)
    assert done == ["two"]
    session.acknowledge(3)
    assert done == ["two", "three"]


async def test_without_counting_a_step_waits_until_it_is_read(session: Session) -> None:
    done: list[str] = []

    await session.when_received(lambda: done.append("read"))

    assert done == ["read"]


# Nobody looks (XEP-0352)


@pytest.mark.parametrize(
    ("xml", "urgent"),
    [
        ("<message><body>Hi</body></message>", True),
        ("<message><body>Hi</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>", True),
        (
            "<message><encrypted xmlns='eu.siacs.conversations.axolotl'/><store xmlns='urn:xmpp:hints'/></message>",
            True,
        ),
        ("<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", False),
        (
            "<message><composing xmlns='http://jabber.org/protocol/chatstates'/><no-store xmlns='urn:xmpp:hints'/></message>",
            False,
        ),
        ("<message><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>", False),
        ("<message><received xmlns='urn:xmpp:receipts' id='1'/></message>", True),
        ("<presence/>", False),
        ("<presence type='unavailable'/>", False),
        ("<presence type='subscribe'/>", True),
        ("<iq type='get' id='1'><a xmlns='u'/></iq>", True),
    ],
)
def test_what_wakes_somebody(xml: str, urgent: bool) -> None:
    assert is_urgent(stanza(xml)) is urgent


def test_what_can_wait_comes_before_what_cannot(session: Session, wire: Wire) -> None:
    session.look(False)
    presence, message = Presence(sender=ANA), stanza("<message><body>Hi</body></message>")

    session.send(presence)
    assert wire.sent == []
    session.send(message)

    assert wire.sent == [presence, message]


def test_of_one_contact_only_the_last_presence_counts(session: Session, wire: Wire) -> None:
    session.look(False)
    luis, eva = JID.parse("luis@example.com/1"), JID.parse("eva@example.com/1")

    for sender, type in ((luis, ""), (eva, ""), (luis, "unavailable")):
        session.send(Presence(sender=sender, type=type))
    session.look(True)

    assert [(one.sender, one.type) for one in wire.sent] == [(eva, ""), (luis, "unavailable")]


def test_only_so_much_is_held_back(session: Session, wire: Wire) -> None:
    session.look(False)

    for number in range(501):
        session.send(Presence(sender=JID.of(f"n{number}", "example.com", "1")))

    assert len(wire.sent) == 501


def test_what_was_held_back_is_lost_with_the_rest(session: Session) -> None:
    session.look(False)
    session.send(Presence(sender=ANA))

    assert len(session.unacknowledged()) == 1
