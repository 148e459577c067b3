"""RFC 6120, 4 to 7, in literals: what a client may say when, and how it ends if it says anything else."""

import base64
from collections.abc import Sequence

import pytest

from imserver.stream.events import (
    Acknowledged,
    AcknowledgementRequested,
    BindRequested,
    ClientStateChanged,
    Event,
    LoggedIn,
    LoginFailed,
    ManagementRequested,
    ResumptionRequested,
    SecurityRequested,
    StreamEnded,
)
from imserver.stream.framing import TCPFraming
from imserver.stream.machine import HANDLERS, LOGIN_TRIES, State, Stream, StreamOptions
from imserver.stream.sasl import MECHANISMS, PasswordWanted
from imserver.xmpp import namespaces
from imserver.xmpp.codec import StreamEnd, StreamHeader, StreamReader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import SASLError, StanzaError, StreamError
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import ReaderLimits
from imserver.xmpp.stanza import IQ, Message, Stanza

ANA = JID.parse("ana@example.com/desk")
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0'>"
)
STARTTLS = f"<starttls xmlns='{namespaces.TLS}'/>"
ABORT = f"<abort xmlns='{namespaces.SASL}'/>"
BIND = f"<iq type='set' id='b'><bind xmlns='{namespaces.BIND}'><resource>desk</resource></bind></iq>"
BINDINGS = {"tls-exporter": b"exporter", "tls-server-end-point": b"end point"}


def auth(text: str, mechanism: str = "PLAIN") -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"<auth xmlns='{namespaces.SASL}' mechanism='{mechanism}'>{encoded}</auth>"


LOGIN = auth("\0ana\0secret")


class Talk:
    """A stream, and what it said."""

    def __init__(
        self, *, secure: bool = True, require_tls: bool = True, can_start_tls: bool = True, **options: object
    ) -> None:
        self.stream = Stream(
            StreamOptions(
                "example.com",
                MECHANISMS,
                secret=b"secret",
                require_tls=require_tls,
                can_start_tls=can_start_tls,
                **options,  # type: ignore[arg-type]
            ),
            TCPFraming(),
            random_text=iter(map(str, range(1_000))).__next__,
            secure=secure,
            bindings=BINDINGS if secure else {},
        )

    def hears(self, xml: str | bytes) -> Sequence[Event]:
        return self.stream.receive_data(xml.encode() if isinstance(xml, str) else xml)

    def says(self) -> list[object]:
        """Read what it sent since it was last asked: our own reader must understand it."""
        reader = StreamReader()
        sent = b"".join(self.stream.data_to_send())
        if b"<stream:stream" not in sent:
            reader.feed(HEADER.encode())
        items = reader.feed(sent)
        assert items[-1:] == [StreamEnd()] or not reader.has_unfinished
        return [item.element if isinstance(item, Stanza) else item for item in items]

    def offers(self) -> Element:
        """Open a stream, and return the features."""
        assert self.hears(HEADER) == []
        header, offered = self.says()
        assert isinstance(header, StreamHeader)
        assert isinstance(offered, Element)
        assert offered.name == "features"
        return offered

    def logs_in(self) -> None:
        self.offers()
        assert self.hears(LOGIN) == [PasswordWanted("ana", "secret")]
        assert self.stream.password_checked(True) == [LoggedIn("ana", "PLAIN")]
        assert [str(one) for one in self.says()] == [f"<success xmlns='{namespaces.SASL}'/>"]

    def binds(self) -> None:
        assert self.hears(BIND) == [BindRequested("desk")]
        assert self.stream.bound(ANA) == []
        self.says()


def at(state: State) -> Talk:
    """Bring a stream to where it waits for the peer."""
    talk = Talk()
    if state in (State.BINDING, State.READY):
        talk.logs_in()
    talk.offers()
    if state is State.EXCHANGE:
        talk.hears(f"<auth xmlns='{namespaces.SASL}' mechanism='PLAIN'/>")
    if state is State.READY:
        talk.binds()
    assert talk.stream.state is state
    talk.says()
    return talk


def ends(events: Sequence[Event]) -> str:
    """Tell the stream error that these events end with."""
    assert isinstance(events[-1], StreamEnded), events
    return events[-1].error.condition if events[-1].error is not None else ""


# The table

LISTENING = (State.LOGIN, State.EXCHANGE, State.BINDING, State.READY)
SAYABLE = {(namespace, name) for _, namespace, name in HANDLERS}


@pytest.mark.parametrize(
    ("state", "namespace", "name"),
    [(state, *one) for state in LISTENING for one in sorted(SAYABLE) if (state, *one) not in HANDLERS],
)
def test_what_is_not_in_the_table_ends_the_stream(state: State, namespace: str, name: str) -> None:
    talk = at(state)

    events = talk.hears(Element(name, namespace, {"h": "0"}).to_bytes())

    before_login = state in (State.LOGIN, State.EXCHANGE)
    condition = "not-authorized" if before_login else "unsupported-stanza-type"
    assert ends(events) == condition
    error, end = talk.says()
    assert isinstance(error, Element)
    assert error.child(condition, namespaces.STREAM_ERRORS)
    assert end == StreamEnd()


@pytest.mark.parametrize("state", LISTENING)
@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        ("<song/>", "unsupported-stanza-type"),
        ("<song xmlns=''/>", "unsupported-stanza-type"),
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "bad-format"),
        ("<stream:error/>", ""),
        ("</stream:stream>", ""),
        ("<message>", None),
    ],
)
def test_what_is_never_in_the_table_ends_it_anywhere(state: State, xml: str, condition: str | None) -> None:
    events = at(state).hears(xml)

    assert (ends(events) if events else None) == condition


@pytest.mark.parametrize("state", LISTENING)
@pytest.mark.parametrize(
    "xml", ["<message/>", "<presence/>", "<iq type='get' id='1'><a xmlns='u'/></iq>", BIND, "<iq/>"]
)
def test_stanzas_are_taken_only_by_a_bound_stream(state: State, xml: str) -> None:
    events = at(state).hears(xml)

    if state is State.READY:
        assert isinstance(events[0], Stanza)
    elif state is State.BINDING and xml == BIND:
        assert events == [BindRequested("desk")]
    else:
        assert ends(events) == "not-authorized"


@pytest.mark.parametrize(
    ("namespace", "condition"),
    [("jabber:server", "invalid-namespace"), ("urn:x", "unsupported-stanza-type")],
)
def test_a_stanza_in_another_namespace_is_none(namespace: str, condition: str) -> None:
    assert ends(at(State.READY).hears(f"<message xmlns='{namespace}'/>")) == condition


# The header


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        ("example.com", "elsewhere.example", "host-unknown"),
        (" to='example.com'", "", "improper-addressing"),
        ("example.com", "", "improper-addressing"),
        (" version='1.0'>", ">", "unsupported-version"),
        (" version='1.0'>", " version='0.9'>", "unsupported-version"),
        (" version='1.0'>", " version='one'>", "unsupported-version"),
        (" version='1.0'>", " version='1'>", "unsupported-version"),
        ("jabber:client", "jabber:server", "invalid-namespace"),
        (" xmlns='jabber:client'", "", "invalid-namespace"),
        ("http://etherx.jabber.org/streams", "urn:x", "invalid-namespace"),
        ("stream:stream xmlns=", "stream:flow xmlns=", "bad-format"),
    ],
)
def test_a_header_that_is_wrong_is_told_so_inside_a_stream(old: str, new: str, condition: str) -> None:
    talk = Talk()

    events = talk.hears(HEADER.replace(old, new))

    assert ends(events) == condition
    header, error, end = talk.says()
    assert isinstance(header, StreamHeader)
    assert header.attributes["from"] == "example.com"
    assert isinstance(error, Element)
    assert error.child(condition, namespaces.STREAM_ERRORS)
    assert end == StreamEnd()


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "1.99999999999999999999"])
def test_a_later_version_is_answered_with_ours(version: str) -> None:
    talk = Talk()

    assert talk.hears(HEADER.replace("version='1.0'>", f"version='{version}'>")) == []

    header, _ = talk.says()
    assert isinstance(header, StreamHeader)
    assert header.attributes["version"] == "1.0"


def test_each_stream_has_an_id_of_its_own() -> None:
    talk = Talk()
    talk.hears(HEADER)
    first = talk.says()[0]
    talk.hears(LOGIN)
    talk.stream.password_checked(True)
    talk.says()

    talk.hears(HEADER)

    second = talk.says()[0]
    assert isinstance(first, StreamHeader)
    assert isinstance(second, StreamHeader)
    assert first.attributes["id"] != second.attributes["id"]


@pytest.mark.parametrize("secure", [True, False])
def test_a_claim_is_echoed_only_where_nobody_listens(secure: bool) -> None:
    talk = Talk(secure=secure)

    talk.hears(HEADER.replace("to=", "from='ana@example.com' to="))

    header = talk.says()[0]
    assert isinstance(header, StreamHeader)
    assert header.attributes.get("to") == ("ana@example.com" if secure else None)


def test_the_language_of_a_stream_is_kept_but_not_all_that_is_written_there() -> None:
    talk = Talk()

    talk.hears(HEADER.replace("to=", f"xml:lang='es{'x' * 1_000}' to="))

    assert talk.stream.lang.startswith("es")
    assert len(talk.stream.lang) == 35


# STARTTLS


def test_tls_is_offered_before_anything_else() -> None:
    talk = Talk(secure=False)

    offered = talk.offers()

    assert [one.name for one in offered.elements()] == ["starttls", "limits"]
    assert offered.elements()[0].child("required")


def test_tls_is_offered_next_to_logging_in_where_it_need_not_be() -> None:
    offered = Talk(secure=False, require_tls=False).offers()

    assert [one.name for one in offered.elements()] == ["starttls", "mechanisms", "limits"]
    assert not offered.elements()[0].elements()
    names = [one.text for one in offered.elements()[1].elements()]
    assert "PLAIN" not in names
    assert not any(name.endswith("-PLUS") for name in names)


def test_after_tls_everything_begins_anew() -> None:
    talk = Talk(secure=False)
    talk.offers()

    assert talk.hears(STARTTLS) == [SecurityRequested()]
    assert [str(one) for one in talk.says()] == [f"<proceed xmlns='{namespaces.TLS}'/>"]
    assert not talk.stream.wants_data
    assert talk.stream.secured(BINDINGS) == []

    offered = talk.offers()
    assert [one.name for one in offered.elements()] == ["mechanisms", "sasl-channel-binding", "limits"]


@pytest.mark.parametrize("injected", [LOGIN, HEADER, "<", "<message/>", "\x16\x03\x01"])
def test_nothing_may_come_between_starttls_and_tls(injected: str) -> None:
    # CVE-2011-0411 and its kin: what somebody slipped in before TLS must not count as said within it.
    talk = Talk(secure=False)
    talk.offers()

    events = talk.hears(STARTTLS + injected)

    assert isinstance(events[-1], StreamEnded)
    assert not any(isinstance(event, SecurityRequested) for event in events)


@pytest.mark.parametrize("injected", [LOGIN, HEADER, "<a"])
def test_nothing_may_come_while_tls_is_being_started(injected: str) -> None:
    talk = Talk(secure=False)
    talk.offers()
    talk.hears(STARTTLS)

    talk.hears(injected)

    assert ends(talk.stream.secured(BINDINGS)) == "policy-violation"


@pytest.mark.parametrize("talk", [Talk(secure=True), Talk(secure=False, can_start_tls=False)])
def test_tls_is_not_started_twice_or_where_it_was_not_offered(talk: Talk) -> None:
    talk.offers()

    assert ends(talk.hears(STARTTLS)) == "policy-violation"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_nobody_logs_in_before_tls_where_it_is_required(mechanism: str) -> None:
    talk = Talk(secure=False)
    talk.offers()

    assert talk.hears(auth("\0ana\0secret", mechanism)) == [LoginFailed("encryption-required")]
    assert [str(one) for one in talk.says()] == [
        f"<failure xmlns='{namespaces.SASL}'><encryption-required/>"
        "<text xml:lang='en'>Start TLS first</text></failure>"
    ]


def test_a_password_is_not_taken_in_the_open_though_tls_is_not_required() -> None:
    talk = Talk(secure=False, require_tls=False)
    talk.offers()

    assert talk.hears(LOGIN) == [LoginFailed("encryption-required")]


# SASL


def test_channel_bindings_are_told() -> None:
    offered = Talk().offers()

    told = offered.child("sasl-channel-binding", namespaces.CHANNEL_BINDING)
    assert told is not None
    assert [one.get("type") for one in told.elements()] == ["tls-exporter", "tls-server-end-point"]


def test_limits_are_told_before_and_after_login() -> None:
    talk = Talk(
        limits=ReaderLimits(stanza_bytes=50_000),
        login_limits=ReaderLimits(stanza_bytes=5_000, elements=32),
    )

    def told(offered: Element) -> str:
        limits = offered.child("limits", namespaces.LIMITS)
        assert limits is not None
        return limits.elements()[0].text

    before = told(talk.offers())
    talk.hears(LOGIN)
    talk.stream.password_checked(True)
    talk.says()

    assert (before, told(talk.offers())) == ("5000", "50000")


def test_limits_are_kept_before_and_after_login() -> None:
    limits = ReaderLimits(stanza_bytes=50_000)
    big = f"<message><body>{'x' * 20_000}</body></message>"
    before = Talk(limits=limits)
    before.offers()
    after = at(State.READY)

    assert ends(before.hears(big)) == "policy-violation"
    assert isinstance(after.hears(big)[0], Message)


def test_too_many_tries_are_enough() -> None:
    talk = Talk()
    talk.offers()

    for _ in range(LOGIN_TRIES - 1):
        talk.hears(LOGIN)
        assert talk.stream.password_checked(False) == [LoginFailed("not-authorized")]
    talk.hears(LOGIN)
    events = talk.stream.password_checked(False)

    assert events[0] == LoginFailed("not-authorized")
    assert ends(events) == "policy-violation"


def test_another_try_may_succeed() -> None:
    talk = Talk()
    talk.offers()
    talk.hears(LOGIN)
    talk.stream.password_checked(False)

    talk.hears(LOGIN)

    assert talk.stream.password_checked(True) == [LoggedIn("ana", "PLAIN")]


def test_a_client_may_change_its_mind() -> None:
    talk = Talk()
    talk.offers()
    talk.hears(f"<auth xmlns='{namespaces.SASL}' mechanism='PLAIN'/>")
    talk.says()

    assert talk.hears(ABORT) == [LoginFailed("aborted")]
    assert [str(one) for one in talk.says()] == [f"<failure xmlns='{namespaces.SASL}'><aborted/></failure>"]
    assert talk.hears(LOGIN) == [PasswordWanted("ana", "secret")]


@pytest.mark.parametrize(
    ("xml", "condition"),
    [
        (auth("x", "GSSAPI"), "invalid-mechanism"),
        (auth("x", ""), "invalid-mechanism"),
        (f"<auth xmlns='{namespaces.SASL}'/>", "invalid-mechanism"),
        (f"<auth xmlns='{namespaces.SASL}' mechanism='PLAIN'>***</auth>", "incorrect-encoding"),
        (auth("ana"), "malformed-request"),
        (auth("boss@example.com\0ana\0secret"), "invalid-authzid"),
    ],
)
def test_a_bad_try_is_refused_and_the_stream_goes_on(xml: str, condition: str) -> None:
    talk = Talk()
    talk.offers()

    assert talk.hears(xml) == [LoginFailed(condition)]
    assert talk.stream.state is State.LOGIN


def test_whoever_runs_the_stream_may_refuse_a_try() -> None:
    talk = Talk()
    talk.offers()
    talk.hears(LOGIN)

    assert talk.stream.login_refused(SASLError("temporary-auth-failure", "Wait")) == [
        LoginFailed("temporary-auth-failure")
    ]
    assert talk.stream.login_refused(SASLError("temporary-auth-failure")) == [], (
        "that was one answer too many"
    )


def test_who_waits_not_for_success_is_not_let_in() -> None:
    # The new stream must follow our <success/>: what came before it was written by somebody who could not know.
    talk = Talk()
    talk.offers()
    talk.hears(LOGIN + HEADER)

    events = talk.stream.password_checked(True)

    assert ends(events) == "policy-violation"


def test_bytes_after_a_login_do_not_reach_the_new_stream() -> None:
    talk = Talk()
    talk.offers()
    talk.hears(LOGIN)
    talk.hears("<message")

    assert ends(talk.stream.password_checked(True)) == "policy-violation"


def test_the_host_stays_the_same_after_login() -> None:
    # CVE-2018-10847
    talk = Talk()
    talk.logs_in()

    assert ends(talk.hears(HEADER.replace("example.com", "victim.example"))) == "host-unknown"


def test_nothing_of_the_old_stream_is_left_in_the_new() -> None:
    talk = Talk()
    talk.offers()
    talk.hears(LOGIN)
    talk.stream.password_checked(True)

    assert ends(talk.hears("</stream:stream>")) == "not-well-formed"


# Binding


def test_a_resource_is_bound() -> None:
    talk = at(State.BINDING)

    assert talk.hears(BIND) == [BindRequested("desk")]
    assert talk.stream.bound(ANA) == []

    assert [str(one) for one in talk.says()] == [
        f"<iq xmlns='jabber:client' id='b' type='result'><bind xmlns='{namespaces.BIND}'>"
        "<jid>ana@example.com/desk</jid></bind></iq>"
    ]


def test_a_client_may_leave_the_choice_to_us() -> None:
    talk = at(State.BINDING)

    assert talk.hears(f"<iq type='set' id='b'><bind xmlns='{namespaces.BIND}'/></iq>") == [BindRequested("")]


def test_another_resource_may_be_tried() -> None:
    talk = at(State.BINDING)
    talk.hears(BIND)

    talk.stream.bind_refused(StanzaError("bad-request", "Not that one"))

    [answer] = talk.says()
    assert isinstance(answer, Element)
    assert (answer.get("type"), answer.get("id")) == ("error", "b")
    assert talk.hears(BIND) == [BindRequested("desk")]


def test_what_comes_with_the_request_to_bind_waits_for_the_answer() -> None:
    talk = at(State.BINDING)

    assert talk.hears(BIND + "<presence/><message id='1'/>") == [BindRequested("desk")]
    events = talk.stream.bound(ANA)

    assert [type(event).__name__ for event in events] == ["Presence", "Message"]


def test_a_stream_that_ended_meanwhile_is_not_brought_to_life_by_a_late_answer() -> None:
    for answer in (
        lambda stream: stream.bound(ANA),
        lambda stream: stream.bind_refused(StanzaError("conflict")),
        lambda stream: stream.resumed("token", 3),
        lambda stream: stream.resumption_refused(None),
        lambda stream: stream.secured({}),
        lambda stream: stream.password_checked(True),
        lambda stream: stream.credentials_found(None),
        lambda stream: stream.login_refused(SASLError("temporary-auth-failure")),
    ):
        talk = at(State.BINDING)
        talk.hears(BIND)
        talk.stream.fail(StreamError("connection-timeout"))
        talk.says()

        assert answer(talk.stream) == []  # type: ignore[no-untyped-call]
        assert talk.says() == []
        assert talk.stream.state is State.CLOSED


# Stream management and client state


def test_a_lost_session_is_asked_for() -> None:
    talk = at(State.BINDING)

    assert talk.hears(f"<resume xmlns='{namespaces.MANAGEMENT}' previd='token' h='7'/><message/>") == [
        ResumptionRequested("token", 7)
    ]
    events = talk.stream.resumed("token", 3)

    assert [str(one) for one in talk.says()] == [
        f"<resumed xmlns='{namespaces.MANAGEMENT}' previd='token' h='3'/>"
    ]
    assert isinstance(events[0], Message)


def test_who_cannot_resume_may_bind() -> None:
    talk = at(State.BINDING)
    talk.hears(f"<resume xmlns='{namespaces.MANAGEMENT}' previd='token' h='7'/>")

    talk.stream.resumption_refused(5)

    assert [str(one) for one in talk.says()] == [
        f"<failed xmlns='{namespaces.MANAGEMENT}' h='5'><item-not-found xmlns='{namespaces.STANZAS}'/></failed>"
    ]
    assert talk.hears(BIND) == [BindRequested("desk")]


@pytest.mark.parametrize("state", [State.BINDING, State.READY])
def test_management_at_the_wrong_time_is_refused_and_the_stream_goes_on(state: State) -> None:
    talk = at(state)
    name = "enable" if state is State.BINDING else "resume"

    assert talk.hears(f"<{name} xmlns='{namespaces.MANAGEMENT}' previd='' h='0'/>") == []

    assert "unexpected-request" in str(talk.says()[0])
    assert talk.stream.state is state


@pytest.mark.parametrize(
    ("xml", "event"),
    [
        ("<enable xmlns='urn:xmpp:sm:3'/>", ManagementRequested(resume=False)),
        ("<enable xmlns='urn:xmpp:sm:3' resume='true'/>", ManagementRequested(resume=True)),
        ("<enable xmlns='urn:xmpp:sm:3' resume='1'/>", ManagementRequested(resume=True)),
        ("<r xmlns='urn:xmpp:sm:3'/>", AcknowledgementRequested()),
        ("<a xmlns='urn:xmpp:sm:3' h='4294967295'/>", Acknowledged(2**32 - 1)),
        ("<active xmlns='urn:xmpp:csi:0'/>", ClientStateChanged(True)),
        ("<inactive xmlns='urn:xmpp:csi:0'/>", ClientStateChanged(False)),
    ],
)
def test_what_is_no_stanza_is_told_as_well(xml: str, event: Event) -> None:
    assert at(State.READY).hears(xml) == [event]


@pytest.mark.parametrize("h", ["4294967296", "-1", "", "one", "99999999999", "١"])
def test_a_count_is_a_number_below_2_to_the_32(h: str) -> None:
    assert ends(at(State.READY).hears(f"<a xmlns='urn:xmpp:sm:3' h='{h}'/>")) == "undefined-condition"
    assert ends(at(State.BINDING).hears(f"<resume xmlns='urn:xmpp:sm:3' previd='t' h='{h}'/>")) == (
        "undefined-condition"
    )


def test_management_is_answered() -> None:
    talk = at(State.READY)

    talk.stream.managed("token", 300)
    talk.stream.managed("", 300)
    talk.stream.management_refused("unexpected-request")

    assert [str(one) for one in talk.says()] == [
        "<enabled xmlns='urn:xmpp:sm:3' id='token' resume='true' max='300'/>",
        "<enabled xmlns='urn:xmpp:sm:3'/>",
        f"<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='{namespaces.STANZAS}'/></failed>",
    ]


def test_what_is_offered_after_login() -> None:
    talk = Talk(features=(Element("more", "urn:x"),))
    talk.logs_in()

    offered = talk.offers()

    assert [one.name for one in offered.elements()] == ["bind", "session", "sm", "csi", "limits", "more"]


# The end


def test_a_stream_is_closed_by_either_side() -> None:
    closed, closing = at(State.READY), at(State.READY)

    assert closed.hears("</stream:stream>") == [StreamEnded()]
    assert closing.stream.close() == [StreamEnded()]

    assert closed.says() == closing.says() == [StreamEnd()]


def test_what_came_before_an_error_is_told_first() -> None:
    events = at(State.READY).hears("<message id='1'/><!-- --><message id='2'/>")

    assert events[0] == Message(id="1")
    assert ends(events) == "restricted-xml"
    assert len(events) == 2


@pytest.mark.parametrize("state", LISTENING)
def test_after_the_end_nothing_is_heard_or_said(state: State) -> None:
    talk = at(state)
    talk.stream.fail(StreamError("reset"))
    talk.says()

    assert talk.hears(f"<message/>{BIND}") == []
    assert talk.stream.fail(StreamError("reset")) == []
    assert talk.stream.close() == []
    assert talk.says() == []
    assert not talk.stream.wants_data


@pytest.mark.parametrize("end", [Stream.close, lambda stream: stream.fail(StreamError("reset"))])
def test_also_a_stream_that_never_began_is_ended_well(end: object) -> None:
    talk = Talk()

    end(talk.stream)  # type: ignore[operator]

    said = talk.says()
    assert isinstance(said[0], StreamHeader)
    assert said[-1] == StreamEnd()


def test_stanzas_are_sent() -> None:
    talk = at(State.READY)

    talk.stream.send(IQ(type="result", id="1", to=ANA))

    assert talk.stream.data_to_send() == [b"<iq to='ana@example.com/desk' id='1' type='result'/>"]
