"""Message, presence and IQ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrib.fuzz.codec import check_stanza
from imserver.xmpp.codec import StreamReader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza
from tests.xmpp.corpus.seeds import HEADER
from tests.xmpp.test_element import ELEMENTS

ANA = JID.parse("ana@example.com/desk")
LUIS = JID.parse("luis@example.com")


def stanza(xml: str) -> Stanza:
    [_, item] = StreamReader().feed(HEADER + xml.encode())
    assert isinstance(item, Stanza), item
    return item


def refusal(xml: str) -> str:
    error = stanza(xml).refusal
    return error.condition if error is not None else ""


# Bytes and tree


@given(st.lists(ELEMENTS, max_size=3), st.text())
def test_what_we_make_is_what_others_read(payload: list[Element], id: str) -> None:
    made = Message(sender=ANA, to=LUIS, type="chat", id=id, lang="es", payload=payload)

    check_stanza(made)
    assert made.children() == payload


def test_it_is_written_for_a_stream_and_for_a_frame() -> None:
    made = IQ(sender=ANA, to=LUIS, type="get", id="'1'", payload=[Element("a", "u")])

    written = b" from='ana@example.com/desk' to='luis@example.com' id='&apos;1&apos;' type='get'>"
    assert made.wire == b"<iq" + written + b"<a xmlns='u'/></iq>"
    assert made.framed == b"<iq xmlns='jabber:client'" + written + b"<a xmlns='u'/></iq>"


def test_an_address_cannot_break_out() -> None:
    made = Message(to=JID.parse("luis@example.com/'/><message to='all"))

    check_stanza(made)
    assert made.element.get("to") == "luis@example.com/'/><message to='all"


def test_what_nobody_knows_of_its_attributes_is_not_passed_on() -> None:
    read = stanza(
        "<message xmlns:p='jabber:client' p:from='boss@example.com' to='luis@example.com' secret='1'/>"
    )

    assert read.wire == b"<message to='luis@example.com'/>"


def test_two_are_equal_if_their_trees_are() -> None:
    assert stanza("<message id='1'><a xmlns='u'/></message>") == Message(id="1", payload=[Element("a", "u")])
    assert Message(id="1") != Message(id="2")
    assert Message() != Presence()


# Children


def test_a_child_is_found_without_the_tree() -> None:
    read = stanza("<message><body>Hi</body><a xmlns='u'/><a xmlns='v'/></message>")

    assert read.has("a", "u")
    assert not read.has("body", "u")
    assert read.child("b", "u") is None
    assert read._element is None, "a tree was built for it"
    assert read.child("a", "v") == Element("a", "v")


def test_a_child_is_added_and_taken_out() -> None:
    read = stanza("<message><a xmlns='u' n='1'/><body>Hi</body><a xmlns='u' n='2'/></message>")

    read.remove("a", "u", where=lambda child: child.get("n") == "2")
    read.add(Element("b", "v"))

    assert read.wire == b"<message><a xmlns='u' n='1'/><body>Hi</body><b xmlns='v'/></message>"
    assert read.child_keys == ["u\na", "jabber:client\nbody", "v\nb"]


def test_a_copy_goes_its_own_way() -> None:
    read = stanza("<message to='luis@example.com'><body>Hi</body></message>")
    assert isinstance(read, Message)
    read.number = 7

    twin = read.readdressed(sender=ANA)
    twin.add(Element("a", "u"))

    assert not read.has("a", "u")
    assert (twin.to, twin.sender, twin.number) == (LUIS, ANA, 7)


# Attributes


@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        ("<message to='@'/>", "jid-malformed"),
        ("<message from='a@@b'/>", "jid-malformed"),
        (f"<message to='{'x' * 1024}@example.com'/>", "jid-malformed"),
        (f"<iq to='{'x' * 4000}' type='get' id='1'><a xmlns='u'/></iq>", "jid-malformed"),
        ("<presence type='hungry'/>", "bad-request"),
        ("<iq type='get'><a xmlns='u'/></iq>", "bad-request"),
        ("<iq id='1'><a xmlns='u'/></iq>", "bad-request"),
        ("<iq type='ask' id='1'><a xmlns='u'/></iq>", "bad-request"),
        ("<iq type='get' id='1'/>", "bad-request"),
        ("<iq type='set' id='1'><a xmlns='u'/><b xmlns='u'/></iq>", "bad-request"),
        ("<iq type='get' id='1'><a xmlns='u'/></iq>", ""),
        ("<iq type='result' id='1'/>", ""),
        ("<message type='song'/>", ""),
        ("<presence/>", ""),
    ],
)
def test_what_is_wrong_with_it_is_noted(xml: str, condition: str) -> None:
    assert refusal(xml) == condition


def test_a_message_of_an_unknown_type_is_normal() -> None:
    read = stanza("<message type='song'/>")

    assert read.type == "normal"
    assert read.wire == b"<message/>"


@pytest.mark.parametrize(
    ("priority", "number"),
    [("5", 5), ("-128", -128), ("127", 127), ("128", 0), ("-129", 0), ("high", 0), ("", 0), (" 3 ", 3)],
)
def test_a_priority_is_a_small_number(priority: str, number: int) -> None:
    read = stanza(f"<presence><priority>{priority}</priority></presence>")

    assert isinstance(read, Presence)
    assert read.priority == number


def test_a_presence_says_how_somebody_is() -> None:
    read = stanza("<presence><show>away</show><status>At lunch</status></presence>")

    assert isinstance(read, Presence)
    assert (read.show, read.status, read.priority) == ("away", "At lunch", 0)
    assert (Presence().show, Presence().status) == ("", "")


# Answers


def test_an_error_carries_what_was_sent_and_why_it_came_back() -> None:
    sent = Message(sender=ANA, to=LUIS, id="1", payload=[Element("body", "jabber:client", text="Hi")])

    error = sent.error(StanzaError("forbidden", "Not you"))

    assert (error.sender, error.to, error.id, error.type) == (LUIS, ANA, "1", "error")
    assert error.child_keys == ["jabber:client\nbody", "jabber:client\nerror"]
    assert StanzaError.from_element(error.element.all("error")[0]).text == "Not you"


def test_an_iq_is_answered() -> None:
    asked = IQ(sender=ANA, to=LUIS, type="get", id="1", payload=[Element("a", "u")])

    answer = asked.result(Element("b", "u"))

    assert asked.query == Element("a", "u")
    assert asked.query_key == "u\na"
    assert answer.wire == (
        b"<iq from='luis@example.com' to='ana@example.com/desk' id='1' type='result'><b xmlns='u'/></iq>"
    )


def test_a_body_is_read() -> None:
    read = stanza("<message><body xml:lang='es'>Hola</body><body>Hi</body></message>")

    assert isinstance(read, Message)
    assert read.body == "Hola"
    assert read.has_body
    assert Message().body == ""
    assert not Message().has_body


@pytest.mark.parametrize(
    "inner",
    [
        "<body>hello</body>",
        "<body>más 🎉</body><active xmlns='http://jabber.org/protocol/chatstates'/>",
        "<body>a &amp; b</body>",
        "<body>two\r\nlines</body>",
        "<body>one<b xmlns='x'>two</b></body>",
        "<body></body>",
        "<body/>",
        "<body>first</body><body xml:lang='es'>primero</body>",
        "<subject>x</subject><body>later</body>",
        "<bodyguard xmlns='x'/><body>me</body>",
        "<body >blank</body>",
        "<body>ends oddly</body >",
    ],
)
def test_a_body_is_the_same_with_and_without_a_tree(inner: str) -> None:
    message = stanza(f"<message>{inner}</message>")
    found = message.element.child("body")

    assert isinstance(message, Message)
    assert found is not None
    assert message.body == found.text
