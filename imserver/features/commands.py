"""XEP-0050: Ad-Hoc Commands."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from imserver.features import disco
from imserver.hooks import PluginError, hookimpl, is_awaitable
from imserver.iq import IQHandler, Target
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Answers, Form, Table, find_form
from imserver.xmpp.namespaces import COMMANDS, DATA_FORMS, DISCO_INFO

if TYPE_CHECKING:
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID
    from imserver.xmpp.stanza import IQ

#: How long a form may lie open, in seconds.
PATIENCE: Final = 900.0
#: How many forms a client may have open at once; opening another closes the oldest.
MOST_OPEN: Final = 10

Severity = Literal["info", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell the person at the client."""

    text: str
    severity: Severity = "info"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command."""

    notes: tuple[Note, ...] = ()
    #: What was found out, if anything.
    payload: Form | Table | Element | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Who runs a command, and what they have filled in so far."""

    server: Server
    asker: JID
    answers: Answers = field(default_factory=lambda: Answers({}))
    #: Where: the server itself, or an address of a component.
    address: JID | None = None


Stage = Form | Callable[[Request], Form | Awaitable[Form]]


def anybody(server: Server, asker: JID) -> bool:
    """Let everybody run it."""
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """Something people can have done from the menu of their client."""

    #: Its name among programs, such as a URI.
    node: str
    #: Its name among people.
    name: str
    #: Does it, once all forms are filled in. A `StanzaError` says why not.
    run: Callable[[Request], Outcome | Awaitable[Outcome]]
    #: What has to be filled in before, form after form; one may depend on the answers before it.
    stages: tuple[Stage, ...] = ()
    #: Who may run it; the others do not see it.
    may_run: Callable[[Server, JID], bool] = anybody


@dataclass(slots=True)
class Execution:
    """A command on its way through its forms (section 3.4)."""

    id: str
    command: Command
    address: JID
    touched: float
    #: The form the client sees now.
    form: Form = field(default_factory=Form)
    #: What was filled in, stage by stage.
    answers: list[Answers] = field(default_factory=list)

    @property
    def actions(self) -> tuple[str, ...]:
        """What the client may do now; the default comes last."""
        last = len(self.answers) + 1 == len(self.command.stages)
        return (*(("prev",) if self.answers else ()), "complete" if last else "next")

    def request(self, server: Server, asker: JID) -> Request:
        """Put together what was filled in so far."""
        joined: dict[str, tuple[str, ...]] = {}
        for answers in self.answers:
            joined |= answers
        return Request(server, asker, Answers(joined), self.address)


class Commands:
    """The commands of one address: the server's own, or a component's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._commands: dict[str, tuple[str, Command]] = {}
        self._clock = clock

    def add(self, plugin: str, command: Command) -> None:
        """Add a command.

        Raises:
            ValueError: If there is one of that node already; both plugins are named.
        """
        taken = self._commands.setdefault(command.node, (plugin, command))
        if taken[1] is not command:
            raise ValueError(f"plugins {taken[0]!r} and {plugin!r} both have a command {command.node!r}")

    def answer_disco(self, server: Server, iq: IQ) -> Element | None:
        """Say which commands the asker may run, or what one of them is (section 2.2)."""
        node, asker = iq.query.get("node"), _asker(iq)
        is_info = iq.query.namespace == DISCO_INFO
        if node == COMMANDS:
            return self._list_info() if is_info else self._list(server, iq, asker)
        if node not in self._commands:
            return None
        command = self._find(server, node, asker)
        return _command_info(command) if is_info else disco.items((), node=node)

    @staticmethod
    def _list_info() -> Element:
        identity = disco.Identity("automation", "command-list", "Commands")
        return disco.info([identity], [COMMANDS], node=COMMANDS)

    def _list(self, server: Server, iq: IQ, asker: JID) -> Element:
        address = iq.to or server.domain
        allowed = [one for _, one in self._commands.values() if one.may_run(server, asker)]
        return disco.items((disco.Item(address, one.node, one.name) for one in allowed), node=COMMANDS)

    def _find(self, server: Server, node: str, asker: JID) -> Command:
        if node not in self._commands:
            raise StanzaError("item-not-found", f"There is no command {node!r} here")
        command = self._commands[node][1]
        if not command.may_run(server, asker):
            raise StanzaError("forbidden", "You may not run this command", type="cancel")
        return command

    async def answer(self, server: Server, iq: IQ) -> Element:
        """Begin a command, or go on with it."""
        asker, asked = _asker(iq), iq.query
        session = server.sessions.find(asker)
        if session is None:
            raise StanzaError("forbidden", "Commands are for people who are connected here", type="cancel")
        command = self._find(server, asked.get("node"), asker)
        action = asked.get("action") or "execute"
        if action not in ("execute", "prev", "next", "complete", "cancel"):
            raise _refusal("malformed-action", f"There is no action {action!r}")
        if not asked.get("sessionid"):
            if action != "execute":
                raise _refusal("bad-action", "A command begins with the action execute")
            return await self._begin(server, session, command, iq.to or server.domain)
        execution = self._resume(session, command, asked.get("sessionid"))
        if execution.address != (iq.to or server.domain):
            raise _refusal("bad-sessionid", "This is under way at another address")
        if action == "cancel":
            _opened(session).pop(execution.id)
            return _head(execution, "canceled")
        if action == "execute":
            action = execution.actions[-1]
        if action not in execution.actions:
            raise _refusal("bad-action", f"What is possible now: {', '.join(execution.actions)} and cancel")
        return await self._go_on(server, session, execution, action, find_form(asked))

    async def _begin(self, server: Server, session: Session, command: Command, address: JID) -> Element:
        execution = Execution(secrets.token_urlsafe(18), command, address, self._clock())
        if not command.stages:
            return await self._finish(server, session, execution)
        answer = await self._show(server, session, execution)
        opened = _opened(session)
        for old in [one for one in opened.values() if self._is_stale(one)]:
            del opened[old.id]
        while len(opened) >= MOST_OPEN:
            del opened[next(iter(opened))]
        opened[execution.id] = execution
        return answer

    def _resume(self, session: Session, command: Command, id: str) -> Execution:
        execution = _opened(session).get(id)
        if execution is None or execution.command is not command:
            raise _refusal("bad-sessionid", "This is not under way; begin anew")
        if self._is_stale(execution):
            del _opened(session)[id]
            raise StanzaError(
                "not-allowed",
                "This took too long; begin anew",
                application=Element("session-expired", COMMANDS),
            )
        execution.touched = self._clock()
        return execution

    def _is_stale(self, execution: Execution) -> bool:
        return execution.touched + PATIENCE < self._clock()

    async def _go_on(
        self, server: Server, session: Session, execution: Execution, action: str, filled: Element | None
    ) -> Element:
        before = list(execution.answers)
        try:
            if action == "prev":
                execution.answers.pop()
                return await self._show(server, session, execution)
            execution.answers.append(_read(execution.form, filled))
            if action == "next":
                return await self._show(server, session, execution)
            answer = await self._finish(server, session, execution)
        except Exception:
            # The form stays open, to be filled in better.
            execution.answers = before
            raise
        _opened(session).pop(execution.id, None)
        return answer

    @staticmethod
    async def _show(server: Server, session: Session, execution: Execution) -> Element:
        stage = execution.command.stages[len(execution.answers)]
        form = stage if isinstance(stage, Form) else stage(execution.request(server, session.jid))
        execution.form = form if isinstance(form, Form) else await form
        actions = Element("actions", COMMANDS, {"execute": execution.actions[-1]})
        actions.add(*(Element(action, COMMANDS) for action in execution.actions))
        return _head(execution, "executing").add(actions, execution.form.to_element())

    @staticmethod
    async def _finish(server: Server, session: Session, execution: Execution) -> Element:
        outcome = execution.command.run(execution.request(server, session.jid))
        done = await outcome if is_awaitable(outcome) else outcome
        command = _head(execution, "completed").add(
            *(Element("note", COMMANDS, {"type": note.severity}, text=note.text) for note in done.notes)
        )
        match done.payload:
            case Form() as form:
                command.add(form.to_element("result"))
            case Table() as table:
                command.add(table.to_element())
            case Element() as payload:
                command.add(payload)
        return command


def _read(form: Form, filled: Element | None) -> Answers:
    # Section 3.5.1: a form of type cancel counts as submitted; none at all as left empty.
    given = filled.copy() if filled is not None else Form().to_element("submit")
    given.attributes["type"] = "submit" if given.get("type") == "cancel" else given.get("type")
    try:
        return form.read(given)
    except StanzaError as error:
        raise _refusal("bad-payload", error.text) from error


def _refusal(condition: str, text: str) -> StanzaError:
    # Section 4.4.
    return StanzaError("bad-request", text, application=Element(condition, COMMANDS))


def _head(execution: Execution, status: str) -> Element:
    return Element(
        "command",
        COMMANDS,
        {"node": execution.command.node, "sessionid": execution.id, "status": status, "xml:lang": "en"},
    )


def _command_info(command: Command) -> Element:
    identity = disco.Identity("automation", "command-node", command.name)
    return disco.info([identity], [COMMANDS, DATA_FORMS], node=command.node)


def _asker(iq: IQ) -> JID:
    assert iq.sender is not None
    return iq.sender


def _opened(session: Session) -> dict[str, Execution]:
    """The forms a client has open, oldest first: they end with its session, and are nobody else's."""
    opened: dict[str, Execution] = session.features.setdefault("commands", {})
    return opened


class Plugin:
    """Offers the commands of all plugins at the server's address."""

    def __init__(self) -> None:
        self.commands = Commands()

    @hookimpl
    def register_iq_handlers(self, server: Server) -> Iterable[IQHandler]:
        """Run commands."""
        for plugin, command in server.hooks.register_commands.declare(server=server):
            try:
                self.commands.add(plugin, command)
            except ValueError as error:
                raise PluginError(str(error)) from error
        return [IQHandler("set", COMMANDS, "command", self._answer, Target.SERVER, features=(DATA_FORMS,))]

    async def _answer(self, server: Server, iq: IQ) -> Element:
        return await self.commands.answer(server, iq)

    @hookimpl
    def find_disco_node(self, server: Server, iq: IQ) -> Element | None:
        """List the commands, and say what they are."""
        return self.commands.answer_disco(server, iq)
