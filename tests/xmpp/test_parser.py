"""expat, made safe."""

import pytest

from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import ReaderLimits, new_parser, parse, parse_message
from imserver.xmpp.stanza import Message


def test_a_document_becomes_a_tree() -> None:
    tree = parse(b"<a xmlns='u' xml:lang='es'>one<b xmlns='' c='&lt;&#65;'/>t<![CDATA[w]]>o</a>")

    assert str(tree) == "<a xmlns='u' xml:lang='es'>one<b xmlns='' c='&lt;A'/>two</a>"
    assert tree.children[2] == "two"


@pytest.mark.parametrize(
    ("document", "condition"),
    [
        (b"", "not-well-formed"),
        (b"<a>", "not-well-formed"),
        (b"<a/><b/>", "not-well-formed"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "restricted-xml"),
        (b"<a>&b;</a>", "restricted-xml"),
        (b"<a><!-- --></a>", "restricted-xml"),
        (b"<?a b?><a/>", "restricted-xml"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "unsupported-encoding"),
        ("<a/>".encode("utf-16"), "unsupported-encoding"),
        ("<a/>".encode("utf-16-le"), "not-well-formed"),
    ],
)
def test_what_is_restricted_is_refused(document: bytes, condition: str) -> None:
    with pytest.raises(StreamError) as refused:
        parse(document)

    assert refused.value.condition == condition


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        (b"<a><b/><c/></a>", ReaderLimits(elements=2)),
        (b"<a><b><c/></b></a>", ReaderLimits(depth=1)),
        (b"<a b='' c=''/>", ReaderLimits(attributes=1)),
    ],
)
def test_what_is_too_much_is_refused(document: bytes, limits: ReaderLimits) -> None:
    with pytest.raises(StreamError, match="policy-violation"):
        parse(document, limits)

    assert parse(document).name == "a"


def test_a_finished_element_is_not_held_back() -> None:
    # expat 2.6 waits for more unless it is told otherwise.
    seen: list[str] = []
    parser = new_parser()
    parser.EndElementHandler = seen.append

    parser.Parse(b"<a><b>", False)
    for byte in b"</b>":
        parser.Parse(bytes([byte]), False)

    assert seen == ["b"]


def test_a_message_that_was_stored_is_read_again() -> None:
    stored = Message(type="chat", id="1", payload=[Element("body", "jabber:client", text="hi")])

    assert parse_message(stored.wire) == stored.element
