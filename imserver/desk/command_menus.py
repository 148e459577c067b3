"""XEP-0050: Ad-Hoc Commands, of agents at queues and at their clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from imserver.desk.commands import (
    COMMANDS,
    Actions,
    Argument,
    Caller,
    Command,
    Errand,
    Given,
    Kind,
    Misused,
    read_values,
    run,
)
from imserver.desk.phrases import LANGUAGES, language, say
from imserver.features import commands as ad_hoc
from imserver.features.commands import Note, Outcome, Request
from imserver.server import Server
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Field, FieldType, Form
from imserver.xmpp.jid import JID

#: How the nodes of the commands begin, and what kind of form they use.
NODE: Final = "urn:imserver:desk:command:"
FORM: Final = "urn:imserver:desk:command"


class Menus:
    """The same commands as ad-hoc commands, in each language, at queues and at clients."""

    def __init__(
        self,
        actions: Actions,
        find_caller: Callable[[JID, JID, str], Caller | None],
        *,
        prefix: str,
    ) -> None:
        """Find out who gives a command by `find_caller(asker, address, language)`; None: they may not."""
        self._actions = actions
        self._find_caller = find_caller
        self.prefix = prefix
        self._at_clients = {lang: self._menu(lang, at_client=True) for lang in LANGUAGES}
        self._at_queues = {lang: self._menu(lang, at_client=False) for lang in LANGUAGES}

    def at(self, server: Server, asker: JID, address: JID) -> ad_hoc.Commands | None:
        """Find the menu that somebody has at an address; None: none at all."""
        lang = language(_lang(server, asker))
        caller = self._find_caller(asker, address, lang)
        if caller is None:
            return None
        return (self._at_queues if caller.client is None else self._at_clients)[lang]

    def _menu(self, lang: str, *, at_client: bool) -> ad_hoc.Commands:
        menu = ad_hoc.Commands()
        for command in COMMANDS.values():
            if at_client or not command.needs_client:
                menu.add("desk", self._item(command, lang))
        return menu

    def _item(self, command: Command, lang: str) -> ad_hoc.Command:
        async def carry_out(request: Request) -> Outcome:
            caller = self._caller(request)
            try:
                given = _given(command, request)
            except Misused:
                usage = command.usage(caller.lang, self.prefix)
                return Outcome((Note(say("usage", caller.lang, usage=usage), "error"),))
            errand = Errand(self._actions, caller, given, self.prefix)
            return Outcome((Note(await run(command, errand)),))

        def ask(request: Request) -> Form:
            return self._form(command, lang, self._caller(request))

        name = say(f"name_{command.name}", lang)
        return ad_hoc.Command(f"{NODE}{command.name}", name, carry_out, (ask,) if command.arguments else ())

    def _caller(self, request: Request) -> Caller:
        lang = language(_lang(request.server, request.asker))
        address = request.address
        caller = self._find_caller(request.asker, address, lang) if address is not None else None
        if caller is None:
            raise StanzaError("forbidden", say("not_an_agent", lang))
        return caller

    def _form(self, command: Command, lang: str, caller: Caller) -> Form:
        fields = tuple(self._field(argument, lang, caller) for argument in command.arguments)
        title = say(f"name_{command.name}", lang)
        return Form(fields, FORM, title, say(f"help_{command.name}", lang))

    def _field(self, argument: Argument, lang: str, caller: Caller) -> Field:
        label = say(f"argument_{argument.name}", lang)
        if argument.kind is Kind.VALUES or argument.name == "text":
            return Field(argument.name, "text-multi", label, required=argument.required)
        options = tuple(self._actions.choices(caller, argument.name))
        kind: FieldType = "list-single" if options else "text-single"
        return Field(argument.name, kind, label, required=argument.required, options=options)


def _given(command: Command, request: Request) -> Given:
    texts = {
        argument.name: text
        for argument in command.arguments
        if argument.kind is not Kind.VALUES and (text := request.answers.text(argument.name).strip())
    }
    lines = [line for line in request.answers.get("values", ()) if line.strip()]
    return Given(texts, read_values(lines))


def _lang(server: Server, asker: JID) -> str:
    session = server.sessions.find(asker)
    return session.lang if session is not None else ""
