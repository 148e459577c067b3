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
    run,
)
from imserver.desk.effects import Refused
from imserver.desk.phrases import LANGUAGES, language, say
from imserver.desk.templates import Filled
from imserver.features import commands as ad_hoc
from imserver.features.commands import Note, Outcome, Request
from imserver.server import Server
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Field, FieldType, Form
from imserver.xmpp.jid import JID

#: How the nodes of the commands begin, and what kind of form they use.
NODE: Final = "urn:imserver:desk:command:"
FORM: Final = "urn:imserver:desk:command"
#: How the names of the fields begin that are a template's variables.
VALUE: Final = "value:"


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
        self.actions = actions
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
            errand = Errand(self.actions, caller, given, self.prefix)
            return Outcome((Note(await run(command, errand)),))

        async def ask(request: Request) -> Form:
            return await self._form(command, lang, self._caller(request))

        async def ask_values(request: Request) -> Form:
            return await self._values_form(command, lang, self._caller(request), request)

        name = say(f"name_{command.name}", lang)
        has_values = any(argument.kind is Kind.VALUES for argument in command.arguments)
        stages = (ask, *((ask_values,) if has_values else ())) if command.arguments else ()
        return ad_hoc.Command(f"{NODE}{command.name}", name, carry_out, stages)

    def _caller(self, request: Request) -> Caller:
        return self.caller(request.server, request.asker, request.address)

    def caller(self, server: Server, asker: JID, address: JID | None) -> Caller:
        """Find out who asks for something at an address.

        Raises:
            StanzaError: If they may not.
        """
        lang = language(_lang(server, asker))
        caller = self._find_caller(asker, address, lang) if address is not None else None
        if caller is None:
            raise StanzaError("forbidden", say("not_an_agent", lang))
        return caller

    async def _form(self, command: Command, lang: str, caller: Caller) -> Form:
        asked = [argument for argument in command.arguments if argument.kind is not Kind.VALUES]
        fields = [await self._field(argument, lang, caller) for argument in asked]
        title = say(f"name_{command.name}", lang)
        return Form(tuple(fields), FORM, title, say(f"help_{command.name}", lang))

    async def _values_form(self, command: Command, lang: str, caller: Caller, request: Request) -> Form:
        """Ask for the values of a template, and show how it reads so far."""
        try:
            filled = await self.actions.fill(caller, request.answers.text("shortcut").strip(), {})
        except Refused as refused:
            raise StanzaError("item-not-found", self.actions.word(caller, refused)) from refused
        if filled.refused is not None and filled.refused.key != "template_missing":
            raise StanzaError("not-acceptable", self.actions.word(caller, filled.refused))
        preview = Field("preview", "fixed", say("template_preview", lang), _preview(filled))
        asked = [
            Field(
                f"{VALUE}{one.name}",
                label=one.name,
                value=one.default or None,
                required=one.is_required,
                description=one.description,
            )
            for one in filled.template.variables
        ]
        title = filled.template.title or filled.template.shortcut
        return Form((preview, *asked), FORM, title, say("template_instructions", lang))

    async def _field(self, argument: Argument, lang: str, caller: Caller) -> Field:
        label = say(f"argument_{argument.name}", lang)
        if argument.name == "text":
            return Field(argument.name, "text-multi", label, required=argument.required)
        options = tuple(await self.actions.choices(caller, argument.name))
        kind: FieldType = "list-single" if options else "text-single"
        return Field(argument.name, kind, label, required=argument.required, options=options)


def _preview(filled: Filled) -> str:
    return "\n".join(part for part in (filled.text, f"+ {filled.template.file}") if part.strip("+ "))


def _given(command: Command, request: Request) -> Given:
    texts = {
        argument.name: text
        for argument in command.arguments
        if argument.kind is not Kind.VALUES and (text := request.answers.text(argument.name).strip())
    }
    values = {
        name.removeprefix(VALUE): text
        for name in request.answers
        if name.startswith(VALUE) and (text := request.answers.text(name))
    }
    return Given(texts, values)


def _lang(server: Server, asker: JID) -> str:
    session = server.sessions.find(asker)
    return session.lang if session is not None else ""
