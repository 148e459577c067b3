"""Where every stanza goes (RFC 6120, 8 and 10; RFC 6121, 8).

A stanza from a session is *accepted*: refined, and put on record. When its record is on disk it is *served*:
delivered, answered or handed on, and only then counted as handled towards its sender.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from imserver.hooks import Dropped, is_awaitable
from imserver.iq import IQTable, Target, as_result
from imserver.routing.journal import Journal
from imserver.routing.sessions import Guest, Session
from imserver.xmpp import namespaces
from imserver.xmpp.element import escape_attribute
from imserver.xmpp.errors import StanzaError, StreamError
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza, child_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from imserver.hooks import Hooks
    from imserver.iq import IQHandler
    from imserver.routing.components import Component, Host
    from imserver.routing.journal import Origin
    from imserver.routing.presences import PresenceHandler
    from imserver.routing.sessions import Sessions
    from imserver.server import Server
    from imserver.xmpp.jid import JID

_STABLE_ID: Final = child_key("stanza-id", namespaces.STANZA_IDS)


class Router:
    """Takes stanzas from sessions and components to sessions and components."""

    server: Server
    journal: Journal

    def __init__(self, domain: str, hooks: Hooks, sessions: Sessions, numbers: Callable[[], int]) -> None:
        self.domain = domain
        self.hooks = hooks
        self.sessions = sessions
        self.iqs = IQTable()
        self.components: dict[str, Component] = {}
        self.presences: dict[str, PresenceHandler] = {}
        self._numbers = numbers

    # Accepting: before the record

    def receive(self, origin: Session, stanza: Stanza) -> None:
        """Take a stanza that a client sent.

        Raises:
            StreamError: If it claims to come from somebody else (RFC 6120, 8.1.2.1).
        """
        claimed = stanza.sender
        if claimed is not None and claimed not in (origin.jid, origin.bare):
            raise StreamError("invalid-from", f"You are {origin.jid}")
        stanza.sender = origin.jid
        if not stanza.lang:
            stanza.lang = origin.lang
        if origin.host is not None:
            self._show_host(origin.host, origin, stanza)
        if isinstance(stanza, Message):
            origin.inbound.run(self.accept, origin, stanza)
        else:
            origin.inbound.run(self._pass, origin, stanza)

    @staticmethod
    def _show_host(host: Host, origin: Session, stanza: Stanza) -> None:
        assert isinstance(origin, Guest), "only guests have a host"
        try:
            host.check(origin, stanza)
        except StanzaError as error:
            stanza.refusal = stanza.refusal or error

    def _pass(self, origin: Origin, item: Any) -> None:
        self.journal.add(origin, item)

    def after_all(self, origin: Origin, step: Callable[[], Awaitable[None] | None]) -> None:
        """Do something once everything the origin sent before is served."""
        origin.inbound.run(self._pass, origin, step)

    def accept(self, origin: Origin, message: Message) -> Awaitable[None] | None:
        """Refine a message, find what must be on record, and queue it behind that."""
        if message.to is None:
            message.to = message.sender.bare if message.sender is not None else None
        try:
            if message.refusal is not None:
                raise message.refusal
            if message.type != "error" and not self.may_talk(message):
                raise StanzaError("service-unavailable")
            if not self.hooks.refine_message:
                return self._record(origin, message)
            refined = self.hooks.refine_message.refine(message, "message", server=self.server, origin=origin)
            if is_awaitable(refined):
                return self._accept_later(origin, message, refined)
            return self._record(origin, refined)
        except StanzaError as error:
            self._refuse(origin, message, error)
            return None

    async def _accept_later(self, origin: Origin, message: Message, pending: Awaitable[Any]) -> None:
        try:
            later = self._record(origin, await pending)
            if later is not None:
                await later
        except StanzaError as error:
            self._refuse(origin, message, error)

    def _record(self, origin: Origin, message: Message | Dropped) -> Awaitable[None] | None:
        if message is Dropped.DROP:
            self.journal.add(origin, lambda: self._handled(origin))
            return None
        message.number = self._numbers()
        found = self.hooks.find_records.ask(server=self.server, message=message)
        if is_awaitable(found):
            return self._record_later(origin, message, found)
        return self._put_on_record(origin, message, found or ())

    async def _record_later(
        self, origin: Origin, message: Message, pending: Awaitable[Sequence[Any] | None]
    ) -> None:
        try:
            later = self._put_on_record(origin, message, await pending or ())
            if later is not None:
                await later
        except StanzaError as error:
            self._refuse(origin, message, error)

    def _put_on_record(
        self, origin: Origin, message: Message, records: Sequence[Any]
    ) -> Awaitable[None] | None:
        """Queue a message behind its records, and those of what its component makes of it."""
        to = message.to
        if to is None or to.domain == self.domain or (component := self.components.get(to.domain)) is None:
            self.journal.add(origin, message, records)
            return None
        # What waits for a decision of the component goes before: it is not overtaken.
        passed_on = () if origin.undecided else self._ask_component(component, message)
        if not passed_on:
            self._put_undecided(origin, message, records)
            return None
        found, waiting = list(records), iter(passed_on)
        message.passed_on = []
        try:
            for one in waiting:
                later = self._record_passed_on(origin, message, one, found)
                if later is not None:
                    return self._record_rest(origin, message, records, found, later, waiting)
            self.journal.add(origin, message, found)
        except StanzaError:
            self._put_undecided(origin, message, records)
        return None

    def _put_undecided(self, origin: Origin, message: Message, records: Sequence[Any]) -> None:
        """Leave it to the component to receive the message, and to deal with what can't be passed on."""
        message.passed_on = None
        origin.undecided += 1
        self.journal.add(origin, message, records)
        self.journal.add(origin, origin.decided)

    def _ask_component(self, component: Component, message: Message) -> Sequence[Message]:
        try:
            return component.pass_on(message)
        except StanzaError:
            raise
        except Exception as error:
            self.server.log.error(
                "a component failed", domain=component.domain, id=message.id, exc_info=error
            )
            return ()

    def _record_passed_on(
        self, origin: Origin, message: Message, one: Message, records: list[Any]
    ) -> Awaitable[None] | None:
        """Refine it like any message, and find what is on record of it."""
        if not self.may_talk(one):
            raise StanzaError("service-unavailable")
        refined = self.hooks.refine_message.refine(one, "message", server=self.server, origin=origin)
        if is_awaitable(refined):
            return self._find_records_of(message, refined, records)
        if refined is Dropped.DROP:
            return None
        return self._add_records_of(message, refined, records)

    async def _find_records_of(
        self, message: Message, pending: Awaitable[Message | Dropped], records: list[Any]
    ) -> None:
        refined = await pending
        if refined is Dropped.DROP:
            return
        later = self._add_records_of(message, refined, records)
        if later is not None:
            await later

    def _add_records_of(self, message: Message, one: Message, records: list[Any]) -> Awaitable[None] | None:
        assert message.passed_on is not None
        one.number = self._numbers()
        message.passed_on.append(one)
        found = self.hooks.find_records.ask(server=self.server, message=one)
        if is_awaitable(found):
            return _extend(records, found)
        records += found or ()
        return None

    async def _record_rest(
        self,
        origin: Origin,
        message: Message,
        records: Sequence[Any],
        found: list[Any],
        pending: Awaitable[None],
        waiting: Iterator[Message],
    ) -> None:
        try:
            await pending
            for one in waiting:
                later = self._record_passed_on(origin, message, one, found)
                if later is not None:
                    await later
            self.journal.add(origin, message, found)
        except StanzaError:
            self._put_undecided(origin, message, records)

    def _refuse(self, origin: Origin, stanza: Stanza, error: StanzaError) -> None:
        """Queue the refusal behind what came before, so that it can't overtake an acknowledgement."""

        def refuse() -> None:
            self.bounce(stanza, error)
            self._handled(origin)

        self.journal.add(origin, refuse)

    # Serving: after the record

    def serve(self, origin: Origin, item: Any) -> Awaitable[None] | None:
        """Do what an accepted item asks for, then count it as handled."""
        if not isinstance(item, Stanza):
            return self._take_step(item)
        try:
            pending = self._serve(origin, item)
        except StanzaError as error:
            self.bounce(item, error)
            pending = None
        except Exception as error:
            self._fail(item, error)
            pending = None
        if pending is not None:
            return self._serve_later(origin, item, pending)
        self._handled(origin)
        return None

    def _take_step(self, step: Callable[[], Awaitable[None] | None]) -> Awaitable[None] | None:
        try:
            return step()
        except Exception as error:
            self.server.log.error("a step between stanzas failed", exc_info=error)
            return None

    async def _serve_later(self, origin: Origin, stanza: Stanza, pending: Awaitable[None]) -> None:
        try:
            await pending
        except StanzaError as error:
            self.bounce(stanza, error)
        except Exception as error:
            self._fail(stanza, error)
        self._handled(origin)

    def _fail(self, stanza: Stanza, error: Exception) -> None:
        self.server.log.error("a stanza could not be served", kind=stanza.name, id=stanza.id, exc_info=error)
        self.bounce(stanza, StanzaError("internal-server-error"))

    @staticmethod
    def _handled(origin: Origin) -> None:
        if isinstance(origin, Session) and origin.acknowledgements is not None:
            origin.acknowledgements.handle()

    def serve_unrecorded(self, origin: Origin, item: Any) -> Awaitable[None] | None:
        """Tell the sender that its message could not be put on record, and so did not happen."""
        if not isinstance(item, Message):
            return self.serve(origin, item)
        self.bounce(
            item, StanzaError("resource-constraint", "The server can't store messages now; try again later")
        )
        self._handled(origin)
        return None

    def _serve(self, origin: Origin, stanza: Stanza) -> Awaitable[None] | None:
        if stanza.refusal is not None:
            raise stanza.refusal
        match stanza:
            case Message():
                if self.hooks.message_accepted:
                    told = self.hooks.message_accepted.announce(
                        server=self.server, message=stanza, origin=origin
                    )
                    if told is not None:
                        self.server.spawn(told)
                if stanza.passed_on is not None:
                    return self._serve_passed_on(origin, stanza.passed_on)
                return self.deliver(stanza)
            case IQ() | Presence() if isinstance(origin, Guest):
                return origin.host.serve(origin, stanza)
            case Presence() if isinstance(origin, Session):
                return self._serve_presence(origin, stanza)
            case IQ():
                return self._serve_iq(stanza)
        return self.deliver(stanza)

    def _serve_passed_on(self, origin: Origin, passed_on: Sequence[Message]) -> Awaitable[None] | None:
        """Serve what a component made of a message; what fails of it goes back to the component."""
        pending = [
            later for one in passed_on if (later := self._serve_one_passed_on(origin, one)) is not None
        ]
        return _all_of(pending) if pending else None

    def _serve_one_passed_on(self, origin: Origin, message: Message) -> Awaitable[None] | None:
        try:
            pending = self._serve(origin, message)
        except StanzaError as error:
            self.bounce(message, error)
            return None
        return self._send_later(message, pending) if pending is not None else None

    def _serve_presence(self, origin: Session, presence: Presence) -> Awaitable[None] | None:
        handler = self.presences.get(presence.type)
        return handler.outbound(self.server, origin, presence) if handler is not None else None

    def _serve_iq(self, iq: IQ) -> Awaitable[None] | None:
        """RFC 6120, 8.1.1.1 and 10.3: who is asked? Without an address, the asker's own account."""
        own = iq.sender.bare if iq.sender is not None else None
        if iq.to is None or iq.to == own:
            return self._answer(self.iqs, iq, Target.ACCOUNT)
        return self.deliver(iq)

    def _answer(self, table: IQTable, iq: IQ, target: Target) -> Awaitable[None] | None:
        if iq.type in ("result", "error"):
            return None  # answers to our own pushes and pings
        return self.answer(table.find(iq, target), iq)

    def answer(self, handler: IQHandler, iq: IQ) -> Awaitable[None] | None:
        """Have the handler answer, and send its answer to whoever asked."""
        answer = handler.answer(self.server, iq)
        if is_awaitable(answer):
            return self._answer_later(iq, answer)
        self.reply(as_result(iq, answer))
        return None

    async def _answer_later(self, iq: IQ, pending: Awaitable[Any]) -> None:
        self.reply(as_result(iq, await pending))

    # Delivering

    def deliver(self, stanza: Stanza) -> Awaitable[None] | None:
        """Take a stanza to whom it is addressed to.

        Raises:
            StanzaError: If it can't get there.
        """
        to = stanza.to
        if to is None:
            raise StanzaError("bad-request", "To whom?")
        if to.domain == self.domain:
            return self._deliver_here(stanza, to)
        component = self.components.get(to.domain)
        if component is None:
            raise StanzaError(
                "remote-server-not-found", f"{to.domain} is not served here, and this server is alone"
            )
        return component.receive(self.server, stanza)

    def _deliver_here(self, stanza: Stanza, to: JID) -> Awaitable[None] | None:
        match stanza:
            case Message():
                return self._deliver_message(stanza, to)
            case IQ():
                return self._deliver_iq(stanza, to)
            case Presence() if to.local:
                handler = self.presences.get(stanza.type)
                return handler.inbound(self.server, stanza) if handler is not None else None
        return None

    def _deliver_message(self, message: Message, to: JID) -> Awaitable[None] | None:
        """RFC 6121, 8.5.2 and 8.5.3: to a resource, or to the account if there is no such resource."""
        if not to.local and message.type != "error":
            raise StanzaError("service-unavailable", "Nobody reads messages to the server itself")
        if to.resource and (session := self.sessions.find(to)) is not None and session.keeps_stanzas:
            readers = [session]
        elif message.type == "groupchat" or (message.type == "normal" and to.resource):
            # RFC 6121, 8.5.2.1.1 and 8.5.3.2.1: of what misses its resource only a chat is for the others too.
            raise StanzaError("service-unavailable")
        elif message.type == "error" or (message.type == "headline" and to.resource):
            readers = []
        elif message.type == "headline":
            readers = self.sessions.available(to.bare)
        else:
            readers = most_available(self.sessions.available(to.bare))
            if not readers:
                return self._keep(message)
        self.hand_over(message, readers)
        return None

    def hand_over(self, message: Message, readers: Sequence[Session]) -> None:
        """Send a message to sessions of one address, with its id in the archive there."""
        if not readers:
            return
        message.readers = list(readers)
        account = readers[0].bare
        if message.stable_ids and (number := message.stable_ids.pop(account, None)) is not None:
            message.append(_STABLE_ID, _stable_id(account, number))
        for session in readers:
            session.send(message)
        if self.hooks.message_delivered:
            told = self.hooks.message_delivered.announce(
                server=self.server, message=message, sessions=readers
            )
            if told is not None:
                self.server.spawn(told)

    def _keep(self, message: Message) -> Awaitable[None] | None:
        kept = self.hooks.keep_undelivered.ask(server=self.server, message=message)
        if is_awaitable(kept):
            return self._keep_later(kept)
        if not kept:
            raise StanzaError("service-unavailable")
        return None

    async def _keep_later(self, pending: Awaitable[bool | None]) -> None:
        if not await pending:
            # RFC 6120, 10.5.3.1: the same for an unknown account and one that does not listen.
            raise StanzaError("service-unavailable")

    def _deliver_iq(self, iq: IQ, to: JID) -> Awaitable[None] | None:
        if not to.local:
            return self._answer(self.iqs, iq, Target.SERVER)
        if to.is_bare:
            if iq.type in ("get", "set") and not self.may_talk(iq):
                raise StanzaError("service-unavailable")
            return self._answer(self.iqs, iq, Target.CONTACT)
        session = self.sessions.find(to)
        is_question = iq.type in ("get", "set")
        if is_question and (session is None or not session.is_connected or not self._may_ask(iq)):
            # RFC 6121, 8.5.3.1: the same whether there is no such resource, or none for this asker.
            raise StanzaError("service-unavailable")
        if session is not None:
            session.send(iq)
        return None

    def may_talk(self, stanza: Stanza) -> bool:
        """Ask the plugins whether the sender may reach the local account it writes to."""
        return self.hooks.may_talk.ask(server=self.server, stanza=stanza) is not False

    def _may_ask(self, iq: IQ) -> bool:
        return self.may_talk(iq) and self.hooks.may_ask.ask(server=self.server, iq=iq) is not False

    def redeliver(self, stanza: Stanza, lost: Session) -> Awaitable[None] | None:
        """Take what a session was sent, and lost, to whoever else can have it (XEP-0198, 4)."""
        if isinstance(stanza, Message) and stanza.copied is not None:
            stanza = stanza.copied
        match stanza:
            case Message() if isinstance(lost, Guest):
                return None  # nothing is kept for guests but what is in an archive
            case Message() if stanza.number and stanza.type in ("normal", "chat"):
                readers = stanza.readers or []
                if lost in readers:
                    readers.remove(lost)
                # Its other resources have it already; or nobody has.
                return None if readers else self._deliver_message(stanza, lost.bare)
            case IQ() if stanza.type in ("get", "set"):
                raise StanzaError("recipient-unavailable")
        return None

    # Sending on the server's behalf

    def send(self, stanza: Stanza) -> None:
        """Send a stanza of the server's own, or a component's, where it is addressed to; errors go back."""
        try:
            pending = self.deliver(stanza)
        except StanzaError as error:
            self.bounce(stanza, error)
        except Exception as error:
            self._fail(stanza, error)
        else:
            self._tell(self._send_later(stanza, pending) if pending is not None else None)

    async def _send_later(self, stanza: Stanza, pending: Awaitable[None]) -> None:
        try:
            await pending
        except StanzaError as error:
            self.bounce(stanza, error)
        except Exception as error:
            self._fail(stanza, error)

    def reply(self, stanza: Stanza) -> None:
        """Send an answer to its asker, if it is still there; nothing ever comes back from it."""
        if stanza.to is None:
            return
        if stanza.to.domain == self.domain:
            session = self.sessions.find(stanza.to)
            if session is not None:
                session.send(stanza)
        elif isinstance(guest := self.sessions.find(stanza.to), Guest):
            guest.answer(stanza)
        elif (component := self.components.get(stanza.to.domain)) is not None:
            try:
                self._tell(component.receive(self.server, stanza))
            except StanzaError:
                return

    def bounce(self, stanza: Stanza, error: StanzaError) -> None:
        """Send a stanza back with an error, unless it is an answer itself (RFC 6120, 8.3.1)."""
        if stanza.type not in ("error", "result"):
            self.reply(stanza.error(error))

    def _tell(self, pending: Awaitable[None] | None) -> None:
        """Let an announcement take its time: nobody waits for it."""
        if pending is not None:
            self.server.spawn(pending)


async def _all_of(pending: Sequence[Awaitable[None]]) -> None:
    for one in pending:
        await one


async def _extend(records: list[Any], pending: Awaitable[Sequence[Any] | None]) -> None:
    records += await pending or ()


def most_available(sessions: Sequence[Session]) -> list[Session]:
    """Choose the sessions with the highest priority (RFC 6121, 8.5.2.1.1)."""
    if len(sessions) < 2:
        return list(sessions)
    highest = max((session.priority for session in sessions), default=0)
    return [session for session in sessions if session.priority == highest]


def with_stable_id(message: Message, owner: JID) -> Message:
    """Copy a message for an account, with its id in the account's archive (XEP-0359, 3.2)."""
    number = message.stable_ids.get(owner) if message.stable_ids is not None else None
    if number is None:
        return message
    marked = message.copy()
    marked.append(_STABLE_ID, _stable_id(owner, number))
    marked.stable_ids = None  # it has it now: redelivered, it does not get it twice
    return marked


def _stable_id(owner: JID, number: int) -> bytes:
    return b"%b%d'/>" % (_beginning_of_stable_id(owner), number)


@lru_cache(maxsize=4_096)
def _beginning_of_stable_id(owner: JID) -> bytes:
    return f"<stanza-id xmlns='{namespaces.STANZA_IDS}' by='{escape_attribute(owner)}' id='".encode()
