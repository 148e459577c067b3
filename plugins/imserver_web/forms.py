"""What visitors fill in (XEP-0004): before the chat, instead of one, and after it. Agents read it as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imserver import Element, Field, Form, Message, Option, StanzaError, find_form, type_of_form
from imserver.desk import what_passes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imserver_web.settings import Question, QueuePage, Words

NAMESPACE: Final = "urn:imserver:web:0"
#: What they are called in a submission (XEP-0068), by the setting that has their questions.
KINDS: Final = {name: f"{NAMESPACE}#{name}" for name in ("form", "leave_message", "survey")}
_BY_TYPE: Final = {type: name for name, type in KINDS.items()}
#: How much may be filled in, in characters.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was filled in, as it is passed on."""

    message: Message
    is_survey: bool
    #: How the visitor is called, if that was asked.
    called: str


def is_form(message: Message) -> bool:
    """Tell whether a message brings a form."""
    return message.has("x", "jabber:x:data")


def form(kind: str, questions: Sequence[Question], lang: str, default: str) -> Form:
    """Write what is asked, in a language."""
    return Form(tuple(_field(one, lang, default) for one in questions), type=KINDS[kind])


def _field(question: Question, lang: str, default: str) -> Field:
    options = tuple(Option(value, value) for value in question.options)
    label = words(question.label, lang, default)
    return Field(question.name, question.type, label, required=question.required, options=options)


def words(said: Words, lang: str, default: str) -> str:
    """Choose a text by language: es-MX falls back to es, then to the desk's own, then to what there is."""
    if isinstance(said, str):
        return said
    for wanted in (lang, lang.partition("-")[0], default):
        if wanted in said:
            return said[wanted]
    return next(iter(said.values()), "")


def read(message: Message, page: QueuePage | None) -> Filled | None:
    """Read what a visitor filled in, and write it as text; None if it is no form.

    Raises:
        StanzaError: If it is no form of this queue, or something is missing in it.
    """
    submitted = find_form(message.element) if is_form(message) else None
    if submitted is None:
        return None
    kind = _BY_TYPE.get(type_of_form(submitted))
    questions = getattr(page, kind, ()) if kind is not None else ()
    if kind is None or not questions:
        raise StanzaError("not-acceptable", "This queue has no such form")
    answers = form(kind, questions, message.lang, "en").read(submitted)
    lines = [
        f"{words(one.label, message.lang, 'en')}: {_shown(one, answers.text(one.name))}"
        for one in questions
        if answers.text(one.name)
    ]
    text = "\n".join(lines)
    if not text:
        raise StanzaError("bad-request", "Nothing was filled in")
    if len(text) > MOST:
        raise StanzaError("policy-violation", f"A form may hold up to {MOST} characters", type="modify")
    others = [child for child in what_passes(message) if child.name not in ("body", "subject")]
    written = Message(
        sender=message.sender,
        to=message.to,
        type="chat",
        id=message.id,
        lang=message.lang,
        payload=[Element("body", "jabber:client", text=text), *others],
    )
    return Filled(written, kind == "survey", answers.text("name"))


def _shown(question: Question, answer: str) -> str:
    if question.type == "boolean":
        return "✓" if answer == "1" else "–"
    return answer
