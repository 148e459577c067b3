"""One client's connection: bytes to the stream, the stream's events to the server, stanzas back."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from imserver.hooks import is_awaitable
from imserver.routing import lifecycle
from imserver.routing.components import Login
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
from imserver.stream.machine import State, Stream
from imserver.stream.resumption import acknowledgement
from imserver.stream.sasl import CredentialsWanted, IdentityWanted, PasswordWanted
from imserver.stream.scram import ScramCredentials, fake_credentials, verify_password
from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import SASLError, StanzaError, StreamError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.stanza import IQ, Stanza

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from imserver.net.doorkeeper import Doorkeeper
    from imserver.routing.components import Host
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.stream.events import Event
    from imserver.stream.framing import Framing
    from imserver.stream.machine import StreamOptions

#: How many stanzas of a client may be under way before we stop reading from it, and read on again.
BACKLOG_HIGH = 200
BACKLOG_LOW = 50
#: How many stanzas go out before we ask the client what it has (XEP-0198); the sweep asks for fewer.
ASK_EVERY = 20
#: How long a silent client is left alone, and how long it may take to answer then, in seconds.
SILENCE = 180.0
ANSWER_TIME = 60.0
#: How long the last words may take on their way, in seconds.
GOODBYE_SECONDS = 5.0

#: Above this many waiting bytes, whoever sends much at a time waits; below the other one they go on.
DRAIN_HIGH = 65_536
DRAIN_LOW = 16_384

REQUEST = Element("r", namespaces.MANAGEMENT).to_bytes()


@dataclass(slots=True)
class Reception:
    """What all connections of a server share."""

    server: Server
    doorkeeper: Doorkeeper
    connections: set[Connection]
    #: For unknown users' credentials.
    secret: bytes
    options: Callable[[], StreamOptions]


class Connection(ABC):
    """What TCP and WebSocket have in common."""

    __slots__ = (
        "__weakref__",
        "_address",
        "_catching_up",
        "_deadline",
        "_framing",
        "_is_closing",
        "_is_ending",
        "_is_flush_due",
        "_is_gone",
        "_is_held_up",
        "_login",
        "_loop",
        "_may_read",
        "_out",
        "_reception",
        "_server",
        "_transport",
        "_was_asked",
        "last_heard",
        "origin",
        "session",
        "stream",
    )

    def __init__(
        self,
        reception: Reception,
        framing: Framing,
        transport: asyncio.Transport,
        address: str,
        *,
        secure: bool,
        can_start_tls: bool = False,
        bindings: dict[str, bytes] | None = None,
    ) -> None:
        self._reception = reception
        self._server = reception.server
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._may_read = True
        transport.set_write_buffer_limits(high=DRAIN_HIGH, low=DRAIN_LOW)
        #: There while the client reads too slowly; set when it has caught up.
        self._catching_up: asyncio.Event | None = None
        self._out: list[bytes] = []
        self._is_flush_due = False
        # The stream is over, but not yet said to be: what came before is served first.
        self._is_closing = False
        self._is_ending = False
        self._is_gone = False
        self._is_held_up = False
        self._was_asked = 0.0
        self.last_heard = self._loop.time()
        self.session: Session | None = None
        self._login: JID | None = None
        #: The origin of the web page that opened it, if it is one.
        self.origin = ""
        options = reception.options()
        if not can_start_tls:
            options = replace(options, can_start_tls=False)
        self.stream = Stream(options, framing, random_text=_random_text, secure=secure, bindings=bindings)
        self._framing = framing
        self._deadline: asyncio.TimerHandle | None = None
        self._limit_time(self._server.settings.limits.login_seconds, self._too_late)
        reception.connections.add(self)

    # What TCP and WebSocket do differently

    @abstractmethod
    def _write(self, chunks: list[bytes]) -> None:
        """Write what the stream has to say."""

    @abstractmethod
    def _hang_up(self) -> None:
        """Close the transport once everything is written."""

    def _start_tls(self) -> None:
        raise AssertionError("STARTTLS was not offered")

    # The transport

    def _put(self, data: bytes) -> None:
        """Write to the transport; who does not read what waits already is cut."""
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._server.settings.limits.send_buffer_bytes:
            self._server.log.info("reads too slowly", account=self._login, address=self._address)
            self.abort()

    def abort(self) -> None:
        """Close the transport now."""
        self._transport.abort()

    def _pause(self) -> None:
        if self._may_read:
            self._may_read = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._may_read and not self._transport.is_closing() and not self._is_held_up:
            self._may_read = True
            self._transport.resume_reading()

    @property
    def is_drained(self) -> bool:
        """Whether the client reads what it is sent."""
        return self._catching_up is None

    def pause_writing(self) -> None:
        """Take note that the client reads slowly."""
        self._catching_up = asyncio.Event()

    def resume_writing(self) -> None:
        """Take note that the client has caught up, or is gone."""
        if self._catching_up is not None:
            self._catching_up.set()
            self._catching_up = None

    async def drained(self) -> None:
        """Wait until the reader has caught up."""
        self._flush()
        if not self._is_gone and self._catching_up is not None:
            await self._catching_up.wait()

    def _limit_time(self, seconds: float, step: Callable[[], None]) -> None:
        """Do something unless all goes on before; there is one such limit at a time."""
        self._lift_limit()
        self._deadline = self._loop.call_later(seconds, step)

    def _lift_limit(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # In

    def take(self, data: bytes) -> None:
        """Take what the client sent."""
        self.last_heard = self._loop.time()
        self._was_asked = 0.0
        self._act(self.stream.receive_data(data))
        if self.session is not None and not self._is_held_up and self.session.backlog > BACKLOG_HIGH:
            self._hold_up()

    def _act(self, events: Sequence[Event]) -> None:
        for event in events:
            try:
                if isinstance(event, Stanza):
                    self._receive(event)
                else:
                    self._handle(event)
            except StreamError as error:
                self.end(error)
                break
        if not self._is_closing:
            self._send_written()

    def _send_written(self) -> None:
        if not self.stream.has_data_to_send:
            return
        for chunk in self.stream.data_to_send():
            self._send_later(chunk)

    def _receive(self, stanza: Stanza) -> None:
        session = self.session
        if session is None or session.outlet is not self:
            return  # taken over by another connection meanwhile: the client will send it there again
        self._server.counters.stanzas["in", stanza.name] += 1
        self._server.router.receive(session, stanza)

    def _handle(self, event: Event) -> None:
        match event:
            case AcknowledgementRequested():
                self._when_served(self._acknowledge)
            case Acknowledged(handled):
                self._session.acknowledge(handled)
            case ClientStateChanged(active):
                session = self._session
                self._when_served(lambda: session.look(active))
            case SecurityRequested():
                self._send_written()
                self._flush()
                self._start_tls()
            case CredentialsWanted():
                self._ask(self._find_credentials(event))
            case PasswordWanted():
                self._ask(self._check_password(event))
            case IdentityWanted():
                self._ask(self._identify(event))
            case LoginFailed(condition):
                self._server.counters.refused_logins[condition] += 1
                if condition == "not-authorized" and self._host is None:
                    self._reception.doorkeeper.login_failed(self._address)
            case LoggedIn(username, mechanism):
                self._server.counters.logins[mechanism] += 1
                self._login = JID.of(username, self.stream.domain)
                self._server.log.info(
                    "logged in", account=self._login, mechanism=mechanism, address=self._address
                )
            case BindRequested(resource):
                self._ask(self._bind(resource))
            case ResumptionRequested(previous, handled):
                self._ask(self._resume(previous, handled))
            case ManagementRequested(resume):
                # What came before it is not counted (XEP-0198, 4), whenever it is served.
                self._when_served(lambda: self._manage(resume=resume))
            case StreamEnded(error):
                self._ended(error)

    @property
    def _session(self) -> Session:
        assert self.session is not None, "the stream is not ready"
        return self.session

    @property
    def _account(self) -> JID:
        assert self._login is not None, "nobody has logged in"
        return self._login

    def _when_served(self, step: Callable[[], None]) -> None:
        self._server.router.after_all(self._session, step)

    # Logging in

    def _ask(self, answer: Awaitable[None]) -> None:
        """The stream waits for an answer: nothing is read until it is there."""
        self._pause()

        async def ask() -> None:
            try:
                await answer
            except Exception as error:
                self._server.log.error("a client could not be served", address=self._address, exc_info=error)
                self.end(StreamError("internal-server-error"))
            finally:
                if not self._is_ending:
                    self._read_on()

        self._server.spawn(ask())

    async def _find_credentials(self, wanted: CredentialsWanted) -> None:
        if self._refuse_login():
            return
        self._act(self.stream.credentials_found(await self._credentials(wanted.username)))

    async def _credentials(self, username: str) -> Sequence[ScramCredentials] | None:
        found: Any = self._server.hooks.find_credentials.ask(server=self._server, username=username)
        found = await found if is_awaitable(found) else found
        return found or None

    async def _check_password(self, wanted: PasswordWanted) -> None:
        if self._refuse_login():
            return
        options = self._reception.options()
        found = await self._credentials(wanted.username)
        mechanism = found[0].mechanism if found else "SCRAM-SHA-256"
        invented = fake_credentials(wanted.username, mechanism, options.secret, options.iterations)
        right = await asyncio.to_thread(verify_password, wanted.password, found[0] if found else invented)
        self._act(self.stream.password_checked(right and found is not None))

    async def _identify(self, wanted: IdentityWanted) -> None:
        host = self._host
        assert host is not None, "the mechanism was not offered"
        try:
            name = await host.identify(Login(wanted.mechanism, wanted.token, self._address, self.origin))
        except SASLError as error:
            self._act(self.stream.login_refused(error))
            return
        self._act(self.stream.identified(name))

    @property
    def _host(self) -> Host | None:
        """Who lets people in at the domain that the client talks to, if it is a component's."""
        component = self._server.router.components.get(self.stream.domain)
        return component.host if component is not None else None

    def _refuse_login(self) -> bool:
        if self._reception.doorkeeper.may_log_in(self._address):
            return False
        too_many = SASLError(
            "temporary-auth-failure", "Too many failed logins from your address; wait a while"
        )
        self._act(self.stream.login_refused(too_many))
        return True

    async def _bind(self, wanted: str) -> None:
        try:
            host = self._host
            # RFC 6120, 7.7.1: that of a guest is ours to choose.
            resource = wanted if wanted and host is None else f"imserver-{secrets.token_urlsafe(9)}"
            jid = self._account.with_resource(resource)
            session = await lifecycle.open_session(
                self._server, jid, self, lang=self.stream.lang, host=host, address=self._address
            )
        except JIDError as error:
            self._act(
                self.stream.bind_refused(StanzaError("bad-request", f"The resource is not allowed: {error}"))
            )
            return
        except StanzaError as error:
            self._act(self.stream.bind_refused(error))
            return
        self._begin(session)
        events = self.stream.bound(jid)
        self._send_written()
        self._act(events)

    async def _resume(self, previous: str, handled: int) -> None:
        session = self._server.sessions.find_resumable(previous, self._account)
        if session is None or session.acknowledgements is None:
            self._act(self.stream.resumption_refused(None))
            return
        try:
            waiting = await lifecycle.resume(self._server, session, self, handled)
        except LookupError:
            self._act(self.stream.resumption_refused(None))
            return
        except StreamError as error:
            self.end(error)
            return
        self._begin(session)
        events = self.stream.resumed(previous, session.acknowledgements.handled)
        self._send_written()
        for stanza in waiting:
            self.send(stanza)
        self._act(events)

    def _begin(self, session: Session) -> None:
        self.session = session
        self._lift_limit()
        if self._is_gone:  # it hung up while we looked
            lifecycle.lose_connection(self._server, session, self)

    # Stream management

    def _manage(self, *, resume: bool) -> None:
        if self.session is None:
            return
        seconds = self._server.settings.limits.resume_seconds
        token = secrets.token_urlsafe(24) if resume and seconds else ""
        if lifecycle.manage(self._server, self._session, token=token):
            self.stream.managed(token, seconds)
        else:
            self.stream.management_refused("unexpected-request")
        self._send_written()  # XEP-0198, 4: the client counts from here, so nothing may go out before it

    def _acknowledge(self) -> None:
        if self.session is not None and self.session.acknowledgements is not None:
            self.acknowledge(self.session.acknowledgements.handled)

    def acknowledge(self, handled: int) -> None:
        """XEP-0198: tell how many stanzas are taken care of."""
        self._send_later(self._framing.element(acknowledgement(handled)))

    # Out

    def send(self, stanza: Stanza) -> None:
        """Send it with whatever else this turn of the event loop brings."""
        self._send_later(self._framing.stanza(stanza))

    def _send_later(self, chunk: bytes) -> None:
        self._out.append(chunk)
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        if not self._out:
            return
        if self.session is not None and self._should_ask(ASK_EVERY):
            self._out.append(REQUEST)
        out, self._out = self._out, []
        if not self._is_gone:
            self._write(out)

    def _should_ask(self, least: int) -> bool:
        """XEP-0198, 4: whether to ask for an acknowledgement now."""
        counted = self._session.acknowledgements
        if counted is None or counted.asked or len(counted.waiting) < least or self._is_ending:
            return False
        counted.asked = True
        return True

    # Going on, and the end

    def check(self, now: float) -> None:
        """Look after a connection that says nothing: ask whether anybody is there."""
        if self.session is None or self._is_ending:
            return
        if self._was_asked:
            if now - self._was_asked > ANSWER_TIME:
                self.abort()
            return
        if self._should_ask(1):
            self._was_asked = now
            self._send_later(REQUEST)
        elif now - self.last_heard > SILENCE:
            self._was_asked = now
            self._send_later(REQUEST if self.session.acknowledgements else self._framing.stanza(self._ping()))

    def _ping(self) -> IQ:
        payload = [Element("ping", "urn:xmpp:ping")]
        return IQ(sender=self._server.domain, to=self._session.jid, type="get", id="ping", payload=payload)

    def _too_late(self) -> None:
        if self.session is None:
            self.end(StreamError("connection-timeout", "Log in sooner"))

    def _hold_up(self) -> None:
        """The client sends faster than we can serve it: stop reading for a while."""
        self._is_held_up = True
        self._pause()
        self._loop.call_later(0.01, self._maybe_read_on)

    def _maybe_read_on(self) -> None:
        if self.session is not None and self.session.backlog > BACKLOG_LOW and not self._is_gone:
            self._loop.call_later(0.01, self._maybe_read_on)
            return
        self._is_held_up = False
        if self.stream.state is not State.CLOSED:
            self._read_on()

    def end(self, error: StreamError | None = None) -> None:
        """End the stream, with an error or in peace, and hang up."""
        self._act(self.stream.fail(error) if error is not None else self.stream.close())

    def _ended(self, error: StreamError | None) -> None:
        if error is not None:
            self._server.log.info(
                "stream ended",
                account=self._login,
                address=self._address,
                condition=error.condition,
                text=error.text,
            )
        session, self.session = self.session, None
        if session is None or session.outlet is not self:
            self._finish()
        elif error is None or not session.is_resumable or error.condition != "connection-timeout":
            self._is_closing = True
            self._server.spawn(self._close_session(session))
        else:
            lifecycle.lose_connection(self._server, session, self)
            self._finish()

    async def _close_session(self, session: Session) -> None:
        await lifecycle.served(self._server, session)
        if session.acknowledgements is not None and not self._is_gone:
            self.acknowledge(session.acknowledgements.handled)
        self._finish()
        await lifecycle.close_session(self._server, session)

    def _finish(self) -> None:
        self._is_ending = True
        self._send_written()
        self._flush()
        self._hang_up()
        self._limit_time(GOODBYE_SECONDS, self.abort)

    def lost(self) -> None:
        """Take note that the transport is gone."""
        self.resume_writing()
        if self._is_gone:
            return
        self._is_gone = True
        self._lift_limit()
        self.stream.close()
        self._reception.connections.discard(self)
        self._reception.doorkeeper.leave(self._address)
        session, self.session = self.session, None
        if session is not None:
            lifecycle.lose_connection(self._server, session, self)


def _random_text() -> str:
    return secrets.token_urlsafe(18)
