"""RFC 6120 over TCP, and RFC 7395 over WebSocket."""

import pytest

from imserver.stream.events import BindRequested, Event, LoggedIn, StreamEnded
from imserver.stream.framing import Framing, TCPFraming, WebSocketFraming
from imserver.stream.machine import Stream, StreamOptions
from imserver.stream.sasl import PasswordWanted
from imserver.xmpp import namespaces
from imserver.xmpp.codec import FrameReader, StreamReader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import ReaderLimits, parse
from imserver.xmpp.stanza import Message

OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>"
CLOSE = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"


@pytest.fixture
def stream() -> Stream:
    options = StreamOptions("example.com", ("PLAIN",), secret=b"secret", can_start_tls=False)
    return Stream(options, WebSocketFraming(), random_text=lambda: "random", secure=True)


def hears(stream: Stream, frame: str) -> list[Event]:
    return list(stream.receive_data(frame.encode()))


def says(stream: Stream) -> list[Element]:
    """Every frame must be a document of its own."""
    return [parse(frame) for frame in stream.data_to_send()]


def test_a_stream_of_frames_from_its_beginning_to_its_end(stream: Stream) -> None:
    assert hears(stream, OPEN) == []
    opened, features = says(stream)
    assert str(opened) == (
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.com' id='random' version='1.0' xml:lang='en'/>"
    )
    assert (features.name, features.namespace) == ("features", namespaces.STREAMS)

    auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFuYQBzZWNyZXQ=</auth>"
    assert hears(stream, auth) == [PasswordWanted("ana", "secret")]
    assert stream.password_checked(True) == [LoggedIn("ana", "PLAIN")]
    assert hears(stream, OPEN) == []
    assert [one.name for one in says(stream)] == ["success", "open", "features"]

    bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    assert hears(stream, bind) == [BindRequested("")]
    assert stream.bound(JID.parse("ana@example.com/web")) == []
    assert [(one.name, one.namespace) for one in says(stream)] == [("iq", namespaces.CLIENT)]

    assert hears(stream, "<message xmlns='jabber:client' id='1'/>") == [Message(id="1")]
    assert hears(stream, CLOSE) == [StreamEnded()]
    assert stream.data_to_send() == [CLOSE.encode()]


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        (OPEN.replace("example.com", "elsewhere.example"), "host-unknown"),
        (OPEN.replace(" to='example.com'", ""), "improper-addressing"),
        (OPEN.replace(" version='1.0'", ""), "unsupported-version"),
        ("<message xmlns='jabber:client'/>", "not-authorized"),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "bad-format"),
        (OPEN + OPEN, "not-well-formed"),
        (
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0'/>",
            "bad-format",
        ),
    ],
)
def test_a_stream_that_does_not_begin_is_told_why(stream: Stream, frame: str, condition: str) -> None:
    [ended] = hears(stream, frame)

    assert isinstance(ended, StreamEnded)
    assert ended.error is not None
    assert ended.error.condition == condition
    opened, error, closed = says(stream)
    assert (opened.name, closed.name) == ("open", "close")
    assert error.child(condition, namespaces.STREAM_ERRORS)


def test_a_stream_does_not_begin_twice(stream: Stream) -> None:
    hears(stream, OPEN)

    [ended] = hears(stream, OPEN)

    assert isinstance(ended, StreamEnded)
    assert "bad-format" in str(says(stream)[-2])


def test_a_frame_after_the_end_is_not_heard(stream: Stream) -> None:
    hears(stream, CLOSE)

    assert hears(stream, OPEN) == []


@pytest.mark.parametrize(
    ("framing", "reader"), [(TCPFraming(), StreamReader), (WebSocketFraming(), FrameReader)]
)
def test_each_has_its_reader(framing: Framing, reader: type) -> None:
    limits = ReaderLimits(stanza_bytes=1_000)

    made = framing.reader(limits)

    assert type(made) is reader
    assert made.limits is limits


def test_an_error_is_written_with_the_prefix_that_clients_look_for() -> None:
    error = StreamError("reset").to_element()

    assert TCPFraming().element(error) == (
        b"<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    assert WebSocketFraming().element(error) == (
        b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
        b"<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    assert error == StreamError("reset").to_element(), "it was changed on the way"


def test_a_stanza_says_its_namespace_where_nothing_around_it_does() -> None:
    message = Message(id="1", payload=[Element("body", "jabber:client", text="Hi")])

    assert TCPFraming().stanza(message) == b"<message id='1'><body>Hi</body></message>"
    assert WebSocketFraming().stanza(message) == (
        b"<message xmlns='jabber:client' id='1'><body>Hi</body></message>"
    )


def test_what_a_header_says_is_escaped() -> None:
    header = TCPFraming().opening({"to": "'><message/>"})

    assert header.endswith(b" to='&apos;&gt;&lt;message/&gt;'>")
