"""Templates for consoles, by one question: `urn:imserver:templates:0` at a client's JID.

`get` with `<templates/>` lists what may be sent there, with previews. `set` with `<template shortcut='…'>` sends one;
with `preview='true'` it is only filled in. Values stand in it as `<value name='…'>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk.effects import Refused
from imserver.iq import IQHandler, Target
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imserver.desk.command_menus import Menus
    from imserver.desk.commands import Caller
    from imserver.desk.templates import Filled, Template
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

NAMESPACE: Final = "urn:imserver:templates:0"
#: What a refusal is on the wire; all others are `not-acceptable`.
CONDITIONS: Final[Mapping[str, str]] = {
    "no_templates": "item-not-found",
    "template_unknown": "item-not-found",
    "template_nearest": "item-not-found",
    "not_active": "not-allowed",
    "gone": "not-allowed",
}


class TemplateQuestions:
    """Answers them, to the agents who are with the client."""

    def __init__(self, menus: Menus) -> None:
        self._menus = menus

    def handlers(self) -> list[IQHandler]:
        """List what is answered."""
        return [
            IQHandler("get", NAMESPACE, "templates", self.answer_list, Target.CONTACT),
            IQHandler("set", NAMESPACE, "template", self.answer_template, Target.CONTACT),
        ]

    async def answer_list(self, server: Server, iq: IQ) -> Element:
        """List the templates, filled in as far as that goes."""
        caller = self._caller(server, iq)
        listed = Element("templates", NAMESPACE)
        try:
            for template in await self._menus.actions.templates(caller):
                listed.add(_write(await self._menus.actions.fill(caller, template.shortcut, {})))
        except Refused as refused:
            raise self._refusal(caller, refused) from refused
        return listed

    async def answer_template(self, server: Server, iq: IQ) -> Element:
        """Fill one in, and send it."""
        caller, asked = self._caller(server, iq), iq.query
        values = {value.get("name"): value.text for value in asked.all("value") if value.get("name")}
        shortcut = asked.get("shortcut")
        if not shortcut:
            raise StanzaError("bad-request", "shortcut is missing")
        filled: Filled | None = None
        try:
            filled = await self._menus.actions.fill(caller, shortcut, values)
            if filled.refused is not None:
                raise filled.refused
            if asked.get("preview") not in ("true", "1"):
                await self._menus.actions.template(caller, shortcut, values)
        except Refused as refused:
            raise self._refusal(caller, refused, filled, values) from refused
        return _write(filled)

    def _caller(self, server: Server, iq: IQ) -> Caller:
        assert iq.sender is not None
        return self._menus.caller(server, iq.sender, iq.to)

    def _refusal(
        self,
        caller: Caller,
        refused: Refused,
        filled: Filled | None = None,
        values: Mapping[str, str] | None = None,
    ) -> StanzaError:
        condition = CONDITIONS.get(refused.key, "not-acceptable")
        missing = None
        if refused.key == "template_missing" and filled is not None:
            missing = Element("missing", NAMESPACE).add(
                *(
                    Element("variable", NAMESPACE, {"name": one.name})
                    for one in filled.template.variables
                    if one.is_required and not (values or {}).get(one.name, "").strip()
                )
            )
        return StanzaError(condition, self._menus.actions.word(caller, refused), application=missing)


def _write(filled: Filled) -> Element:
    written = _write_head(filled.template)
    written.add(
        *(
            Element(
                "variable", NAMESPACE, {"name": one.name, **({"required": "true"} if one.is_required else {})}
            ).add(
                *([Element("description", NAMESPACE, text=one.description)] if one.description else []),
                *([Element("default", NAMESPACE, text=one.default)] if one.default else []),
            )
            for one in filled.template.variables
        )
    )
    return written.add(Element("body", NAMESPACE, text=filled.text))


def _write_head(template: Template) -> Element:
    given = {
        "shortcut": template.shortcut,
        "title": template.title,
        "file": template.file,
        "xml:lang": template.lang,
    }
    return Element("template", NAMESPACE, {name: value for name, value in given.items() if value})
