"""One stream, from its header to its end, without I/O: bytes in, events out (RFC 6120, 4 to 7).

Feed it with `receive_data`, act on the events, and after every call send what `data_to_send` returns.
Where an event asks for an answer, nothing further is read until the answer is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from imserver.stream import features, sasl
from imserver.stream.events import (
    Acknowledged,
    AcknowledgementRequested,
    BindRequested,
    ClientStateChanged,
    LoggedIn,
    LoginFailed,
    ManagementRequested,
    ResumptionRequested,
    SecurityRequested,
    StreamEnded,
)
from imserver.stream.resumption import read_count
from imserver.xmpp import namespaces
from imserver.xmpp.codec import StreamEnd, StreamHeader
from imserver.xmpp.element import Element
from imserver.xmpp.errors import SASLError, StanzaError, StreamError
from imserver.xmpp.parser import ReaderLimits
from imserver.xmpp.stanza import IQ, Stanza

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from imserver.stream.events import Event
    from imserver.stream.framing import Framing
    from imserver.stream.scram import ScramCredentials
    from imserver.xmpp.codec import Item
    from imserver.xmpp.jid import JID


class State(Enum):
    """Where a stream stands."""

    OPENING = auto()  # the peer's header is due
    SECURING = auto()  # TLS is being started by whoever runs the stream
    LOGIN = auto()  # STARTTLS or <auth/> is due
    EXCHANGE = auto()  # the peer's <response/> is due
    CHECKING = auto()  # our credentials are due
    BINDING = auto()  # logged in: bind or resume is due
    ASSIGNING = auto()  # our answer to it is due
    READY = auto()  # stanzas
    CLOSED = auto()


#: States in which it is the other side of this object that must speak next.
_WAITING: Final = frozenset({State.SECURING, State.CHECKING, State.ASSIGNING})

#: RFC 6120, 6.4.5: between 2 and 5 tries; clients go through the mechanisms that they do not quite master.
LOGIN_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What is the same for all streams of a listener."""

    domain: str
    mechanisms: tuple[str, ...]
    #: What unknown users' credentials are invented from, so that they look like anybody's.
    secret: bytes
    iterations: int = 4096
    #: Whether SCRAM signs what was offered (XEP-0474).
    protect: bool = True
    require_tls: bool = True
    can_start_tls: bool = True
    limits: ReaderLimits = field(default_factory=ReaderLimits)
    login_limits: ReaderLimits = field(default_factory=lambda: ReaderLimits(stanza_bytes=8_192, elements=32))
    #: Offered after login by plugins, next to our own.
    features: tuple[Element, ...] = ()
    #: What else is served here: the mechanisms by which people log in at domains other than the server's own.
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: What was offered so far, as it was written, by kind of stream.
    written: dict[object, bytes] = field(default_factory=dict, compare=False, repr=False)


class Stream:
    """A stream that a client opened to us."""

    __slots__ = (
        "_bind_id",
        "_bindings",
        "_exchange",
        "_is_open",
        "_mechanism",
        "_out",
        "_random_text",
        "_reader",
        "_secure",
        "_tries",
        "_waiting",
        "domain",
        "framing",
        "lang",
        "options",
        "state",
        "username",
    )

    def __init__(
        self,
        options: StreamOptions,
        framing: Framing,
        *,
        random_text: Callable[[], str],
        secure: bool = False,
        bindings: Mapping[str, bytes] | None = None,
    ) -> None:
        self.options = options
        self.framing = framing
        self.state = State.OPENING
        #: The domain that the peer talks to; "" until it has said so.
        self.domain = ""
        #: The language of stanzas that do not say (RFC 6120, 4.7.4).
        self.lang = ""
        self.username = ""
        self._random_text = random_text
        self._secure = secure
        self._bindings = dict(bindings or {})
        self._reader = framing.reader(options.login_limits)
        self._waiting: list[Item] = []  # read, but not acted upon; the next one is the last
        self._out: list[bytes] = []
        self._exchange: sasl.Exchange | None = None
        self._mechanism = ""
        self._tries = 0
        self._is_open = False
        self._bind_id = ""

    # Bytes and events

    def receive_data(self, data: bytes) -> list[Event]:
        """Read more bytes and return what they mean."""
        if self.state is State.CLOSED:
            return []
        items = self._reader.feed(data)
        if self.state is State.READY and not self._waiting:
            for item in items:
                if not isinstance(item, Stanza):
                    break
            else:
                return items  # type: ignore[return-value]  # stanzas only: the hot path
        self._waiting = [*reversed(items), *self._waiting]
        return self._proceed()

    def data_to_send(self) -> list[bytes]:
        """Take what is to be sent; where messages are framed, each is one."""
        out, self._out = self._out, []
        return out

    @property
    def has_data_to_send(self) -> bool:
        """Whether `data_to_send` would return anything."""
        return bool(self._out)

    @property
    def wants_data(self) -> bool:
        """Whether reading on makes sense: not while an answer is due, nor after the end."""
        return self.state not in _WAITING and self.state is not State.CLOSED

    def _proceed(self) -> list[Event]:
        events: list[Event] = []
        while self._waiting and self.wants_data:
            item = self._waiting.pop()
            try:
                events += self._handle(item)
            except StreamError as error:
                events += self.fail(error)
        return events

    def _handle(self, item: Item) -> list[Event]:
        match item:
            case Stanza():
                return self._handle_stanza(item)
            case Element():
                return self._handle_element(item)
            case StreamHeader():
                return self._handle_header(item)
            case StreamEnd():
                return self.close()
            case StreamError():
                raise item

    # The end

    def fail(self, error: StreamError) -> list[Event]:
        """End the stream with an error (RFC 6120, 4.9)."""
        if self.state is State.CLOSED:
            return []
        if not self._is_open:
            self._open({})  # RFC 6120, 4.9.1.2: the error comes inside a stream
        self._send(error.to_element())
        self._end()
        return [StreamEnded(error)]

    def close(self) -> list[Event]:
        """End the stream in peace (RFC 6120, 4.4)."""
        if self.state is State.CLOSED:
            return []
        if not self._is_open:
            self._open({})
        self._end()
        return [StreamEnded()]

    def _end(self) -> None:
        self._out.append(self.framing.closing)
        self.state = State.CLOSED
        self._waiting.clear()
        self._reader.close()

    # The header

    def _handle_header(self, header: StreamHeader) -> list[Event]:
        if self.state is not State.OPENING:
            raise StreamError("bad-format", "The stream is open already")
        if header.content != namespaces.CLIENT:
            raise StreamError(
                "invalid-namespace", f"The content of a client's stream is in {namespaces.CLIENT}"
            )
        return self._accept_header(header.attributes)

    def _accept_header(self, attributes: Mapping[str, str]) -> list[Event]:
        to = attributes.get("to", "").lower()
        # CVE-2018-10847: the host is checked anew at every restart, and stays the same.
        is_known = to == self.domain if self.domain else to == self.options.domain or to in self.options.hosts
        if is_known:
            self.domain = to
        self._open(attributes)
        if not to:
            raise StreamError("improper-addressing", "The stream's 'to' names the domain you want to talk to")
        if not is_known:
            raise StreamError("host-unknown", f"This is {self._own_name}")
        if not _is_version_1(attributes.get("version", "")):
            raise StreamError("unsupported-version", "This server speaks XMPP 1.0")
        self.lang = attributes.get("xml:lang", "")[:35]  # RFC 5646, 4.4.1: no longer tag is needed
        self._out.append(self._written_offer())
        self.state = State.BINDING if self.username else State.LOGIN
        return []

    def _open(self, attributes: Mapping[str, str]) -> None:
        answer = {"from": self._own_name, "id": self._random_text(), "version": "1.0", "xml:lang": "en"}
        # RFC 6120, 4.7.2: only to somebody whose claim is at least well-formed, and never unencrypted.
        if self._secure and (peer := attributes.get("from", "")) and len(peer) <= 3071:
            answer["to"] = peer
        self._out.append(self.framing.opening(answer))
        self._is_open = True

    def _written_offer(self) -> bytes:
        """Write the features, or find them written: they are the same for most streams, and some 40 elements."""
        binding = tuple(sasl.binding_types(self._bindings))
        configured = self._configured
        kind = (
            type(self.framing),
            bool(self.username),
            self._may_start_tls,
            self._secure,
            binding,
            configured,
        )
        written = self.options.written.get(kind)
        if written is None:
            offer = Element("features", namespaces.STREAMS).add(*self._offer())
            written = self.options.written[kind] = self.framing.element(offer)
        return written

    def _offer(self) -> list[Element]:
        options = self.options
        if self.username:
            own = [features.bind(), features.session(), features.management(), features.client_state()]
            return [*own, features.limits(options.limits.stanza_bytes), *options.features]
        offered = [features.starttls(required=options.require_tls)] if self._may_start_tls else []
        if names := self._mechanisms():
            offered.append(features.mechanisms(names))
            if self.domain == options.domain and (types := sasl.binding_types(self._bindings)):
                offered.append(features.channel_bindings(types))
        return [*offered, features.limits(options.login_limits.stanza_bytes)]

    @property
    def _may_start_tls(self) -> bool:
        return self.options.can_start_tls and not self._secure

    def _mechanisms(self) -> list[str]:
        if self.options.require_tls and not self._secure:
            return []
        return sasl.mechanisms_to_offer(self._configured, self._secure, self._bindings)

    @property
    def _configured(self) -> tuple[str, ...]:
        """The mechanisms of the domain that the peer talks to."""
        is_own = self.domain in ("", self.options.domain)
        return self.options.mechanisms if is_own else self.options.hosts[self.domain]

    @property
    def _own_name(self) -> str:
        return self.domain or self.options.domain

    def _restart(self, limits: ReaderLimits) -> None:
        """Begin a new stream on the same connection: nothing of the old one may be left over."""
        if self._waiting or self._reader.has_unfinished:
            raise StreamError("policy-violation", "Wait for the answer before you open the new stream")
        self._reader = self.framing.reader(limits)
        self._is_open = False
        self.state = State.OPENING

    # STARTTLS (RFC 6120, 5)

    def _start_tls(self, element: Element) -> list[Event]:
        if not self._may_start_tls:
            raise StreamError("policy-violation", "STARTTLS is not offered here")
        # Bytes after <starttls/> were written by somebody between us and the client (CVE-2021-32919's family).
        if self._waiting or self._reader.has_unfinished:
            raise StreamError("policy-violation", "Bytes after <starttls/>, before TLS")
        self._send(Element("proceed", namespaces.TLS))
        self.state = State.SECURING
        return [SecurityRequested()]

    def secured(self, bindings: Mapping[str, bytes]) -> list[Event]:
        """TLS is there, with these channel bindings: a new stream begins."""
        if self.state is not State.SECURING:
            return []  # it has been ended meanwhile
        self._secure = True
        self._bindings = dict(bindings)
        try:
            self._restart(self.options.login_limits)
        except StreamError as error:
            return self.fail(error)
        return []

    # SASL (RFC 6120, 6)

    def _begin_exchange(self, element: Element) -> list[Event]:
        self._mechanism = element.get("mechanism")
        return self._step(lambda: self._begin(element.text))

    def _begin(self, text: str) -> sasl.Step:
        offered = frozenset(self._mechanisms())
        if not offered:
            raise SASLError("encryption-required", "Start TLS first")
        self._exchange = sasl.begin(
            self._mechanism,
            domain=self._own_name,
            offered=offered,
            bindings=self._bindings,
            nonce=self._random_text(),
            tls=self._secure,
            secret=self.options.secret,
            iterations=self.options.iterations,
            protect=self.options.protect,
        )
        self.state = State.EXCHANGE
        return self._exchange.respond(sasl.decode(text) if text else None)

    def _respond(self, element: Element) -> list[Event]:
        return self._step(lambda: self._running.respond(sasl.decode(element.text)))

    def _abort(self, element: Element) -> list[Event]:
        return self._refuse(SASLError("aborted"))

    @property
    def _running(self) -> sasl.Exchange:
        assert self._exchange is not None, "the states forbid it"
        return self._exchange

    def credentials_found(self, found: Sequence[ScramCredentials] | None) -> list[Event]:
        """Answer `CredentialsWanted`: what is stored, or None if there is no such account."""
        return self._answer(lambda: self._running.credentials(found))

    def password_checked(self, right: bool) -> list[Event]:
        """Answer `PasswordWanted`."""
        return self._answer(lambda: self._running.password_checked(right))

    def identified(self, username: str) -> list[Event]:
        """Answer `IdentityWanted`."""
        return self._answer(lambda: self._running.identified(username))

    def login_refused(self, error: SASLError) -> list[Event]:
        """Answer any of them with a refusal of your own."""
        return self._answer(lambda: self._running.refused(error))

    def _answer(self, step: Callable[[], sasl.Step]) -> list[Event]:
        if self.state is not State.CHECKING:
            return []  # the peer has gone meanwhile
        self.state = State.EXCHANGE
        try:
            return [*self._step(step), *self._proceed()]
        except StreamError as error:
            return self.fail(error)

    def _step(self, step: Callable[[], sasl.Step]) -> list[Event]:
        try:
            outcome = step()
        except SASLError as error:
            return self._refuse(error)
        match outcome:
            case sasl.Challenge(data):
                self._send(Element("challenge", namespaces.SASL, text=sasl.encode(data) if data else None))
                return []
            case sasl.CredentialsWanted() | sasl.PasswordWanted() | sasl.IdentityWanted():
                self.state = State.CHECKING
                return [outcome]
            case sasl.Success(username, data):
                return self._succeed(username, data)

    def _succeed(self, username: str, data: bytes | None) -> list[Event]:
        self._send(Element("success", namespaces.SASL, text=sasl.encode(data) if data is not None else None))
        self._exchange = None
        self._bindings = {}
        self.username = username
        self._restart(self.options.limits)
        return [LoggedIn(username, self._mechanism)]

    def _refuse(self, error: SASLError) -> list[Event]:
        self._exchange = None
        self._tries += 1
        self._send(error.to_element())
        self.state = State.LOGIN
        failed = LoginFailed(error.condition)
        if self._tries < LOGIN_TRIES:
            return [failed]
        return [failed, *self.fail(StreamError("policy-violation", "Too many tries to log in"))]

    # Binding (RFC 6120, 7) and resuming (XEP-0198, 5)

    def _bind(self, iq: IQ) -> list[Event]:
        if iq.type != "set" or iq.query_key != f"{namespaces.BIND}\nbind":
            raise StreamError("not-authorized", "Bind a resource first (RFC 6120, 7.1)")
        resource = iq.query.child("resource")
        self._bind_id = iq.id
        self.state = State.ASSIGNING
        return [BindRequested(resource.text if resource is not None else "")]

    def bound(self, jid: JID) -> list[Event]:
        """Answer `BindRequested`: this is the session's address."""
        if self.state is not State.ASSIGNING:
            return []  # it has been ended meanwhile
        payload = Element("bind", namespaces.BIND).add(Element("jid", namespaces.BIND, text=jid))
        self.send(IQ(type="result", id=self._bind_id, payload=[payload]))
        self.state = State.READY
        return self._proceed()

    def bind_refused(self, error: StanzaError) -> list[Event]:
        """Answer `BindRequested` with a refusal; the peer may try again."""
        if self.state is not State.ASSIGNING:
            return []
        self.send(IQ(type="set", id=self._bind_id).error(error))
        self.state = State.BINDING
        return self._proceed()

    def _resume(self, element: Element) -> list[Event]:
        self.state = State.ASSIGNING
        return [ResumptionRequested(element.get("previd"), read_count(element))]

    def resumed(self, previous: str, handled: int) -> list[Event]:
        """Answer `ResumptionRequested`: go on where the old connection ended."""
        if self.state is not State.ASSIGNING:
            return []
        self._send(Element("resumed", namespaces.MANAGEMENT, {"previd": previous, "h": str(handled)}))
        self.state = State.READY
        return self._proceed()

    def resumption_refused(self, handled: int | None) -> list[Event]:
        """Answer `ResumptionRequested`: there is nothing to resume; the peer may bind (XEP-0198, 5)."""
        if self.state is not State.ASSIGNING:
            return []
        self._send(_management_failure("item-not-found", handled))
        self.state = State.BINDING
        return self._proceed()

    # Stream management (XEP-0198) and client state (XEP-0352)

    def _enable(self, element: Element) -> list[Event]:
        return [ManagementRequested(element.get("resume") in ("true", "1"))]

    def managed(self, token: str, resume_seconds: int) -> None:
        """Answer `ManagementRequested`; without a token the session can't be resumed."""
        answer = {"id": token, "resume": "true", "max": str(resume_seconds)} if token else {}
        self._send(Element("enabled", namespaces.MANAGEMENT, answer))

    def management_refused(self, condition: str) -> None:
        """Answer `ManagementRequested` with a failure."""
        self._send(_management_failure(condition, None))

    def _too_early(self, element: Element) -> list[Event]:
        self._send(_management_failure("unexpected-request", None))
        return []

    # Everything else

    def send(self, stanza: Stanza) -> None:
        """Send a stanza."""
        self._out.append(self.framing.stanza(stanza))

    def _send(self, element: Element) -> None:
        self._out.append(self.framing.element(element))

    def _handle_stanza(self, stanza: Stanza) -> list[Event]:
        if self.state is State.READY:
            return [stanza]
        if self.state is State.BINDING and isinstance(stanza, IQ):
            return self._bind(stanza)
        raise StreamError("not-authorized", "Log in and bind a resource first")

    def _handle_element(self, element: Element) -> list[Event]:
        if element.namespace == namespaces.FRAMING:
            return self._handle_frame(element)
        if element.namespace == namespaces.STREAMS and element.name == "error":
            return self.close()
        handler = HANDLERS.get((self.state, element.namespace, element.name))
        if handler is not None:
            return handler(self, element)
        raise self._refusal(element)

    def _refusal(self, element: Element) -> StreamError:
        if self.state is State.OPENING:
            return StreamError("bad-format", "A stream begins with its header")
        if element.namespace in (namespaces.CLIENT, ""):
            return StreamError("unsupported-stanza-type", f"There is no stanza <{element.name}/>")
        if not self.username:
            return StreamError("not-authorized", f"<{element.name}/> can't come before login")
        if element.namespace == "jabber:server":
            return StreamError(
                "invalid-namespace", f"The content of a client's stream is in {namespaces.CLIENT}"
            )
        return StreamError("unsupported-stanza-type", f"<{element.name}/> can't come now")

    def _handle_frame(self, element: Element) -> list[Event]:
        """RFC 7395, 3.3: what is the stream's own start and end tag elsewhere."""
        if element.name == "close":
            return self.close()
        if element.name == "open" and self.state is State.OPENING:
            return self._accept_header(element.attributes)
        raise StreamError("bad-format", "The stream is open already")


def _acknowledged(stream: Stream, element: Element) -> list[Event]:
    return [Acknowledged(read_count(element))]


#: What may come when, and who takes it. What is not here ends the stream.
HANDLERS: Final[Mapping[tuple[State, str, str], Callable[[Stream, Element], list[Event]]]] = {
    (State.LOGIN, namespaces.TLS, "starttls"): Stream._start_tls,
    (State.LOGIN, namespaces.SASL, "auth"): Stream._begin_exchange,
    (State.EXCHANGE, namespaces.SASL, "response"): Stream._respond,
    (State.EXCHANGE, namespaces.SASL, "abort"): Stream._abort,
    (State.BINDING, namespaces.MANAGEMENT, "resume"): Stream._resume,
    (State.BINDING, namespaces.MANAGEMENT, "enable"): Stream._too_early,
    (State.READY, namespaces.MANAGEMENT, "enable"): Stream._enable,
    (State.READY, namespaces.MANAGEMENT, "resume"): Stream._too_early,
    (State.READY, namespaces.MANAGEMENT, "a"): _acknowledged,
    (State.READY, namespaces.MANAGEMENT, "r"): lambda stream, element: [AcknowledgementRequested()],
    (State.READY, namespaces.CLIENT_STATE, "active"): lambda stream, element: [ClientStateChanged(True)],
    (State.READY, namespaces.CLIENT_STATE, "inactive"): lambda stream, element: [ClientStateChanged(False)],
}


def _management_failure(condition: str, handled: int | None) -> Element:
    counted = {} if handled is None else {"h": str(handled)}
    return Element("failed", namespaces.MANAGEMENT, counted).add(Element(condition, namespaces.STANZAS))


def _is_version_1(version: str) -> bool:
    major, _, minor = version.partition(".")
    return major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit() and int(major[:9]) >= 1
