"""What agents can have done: one implementation each, behind what they type and what they choose from a menu."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, Protocol

from imserver.desk.effects import Refused
from imserver.desk.names import Name
from imserver.desk.phrases import PHRASES, elapsed, say
from imserver.desk.templates import Filled, Sent, Template
from imserver.desk.words import first_word, split
from imserver.xmpp.forms import Option
from imserver.xmpp.jid import JID

#: How many templates are listed at once.
MOST_LISTED: Final = 100

# What commands need


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gives a command, and where."""

    agent: JID
    lang: str
    #: In whose chat; nobody's where the agent writes to a queue.
    client: JID | None = None
    #: Which queue: the one written to, or the one the client is in.
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits."""

    client: str
    queue: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a client; what is not is left out."""

    name: str = ""
    addresses: Sequence[str] = ()
    channel: str = ""
    queue: str = ""
    language: str = ""
    waiting: float | None = None
    conversations: int = 0
    notes: Sequence[str] = ()
    #: What others, and they themselves, call them.
    names: Sequence[Name] = ()


class Actions(Protocol):
    """What the desk does for agents; `Refused` says why it does not."""

    async def accept(self, caller: Caller, offer: int | None) -> None:
        """Take the offer of that number, that of the client of the chat, or the oldest."""

    async def decline(self, caller: Caller, offer: int | None) -> None:
        """Leave it to others."""

    async def transfer(self, caller: Caller, to: str, reason: str) -> None:
        """Hand the client on to an agent or a queue, as the agent called it."""

    async def invite(self, caller: Caller, agent: str) -> None:
        """Bring a second agent in."""

    async def note(self, caller: Caller, text: str) -> None:
        """Keep a note."""

    async def history(self, caller: Caller, count: int | None) -> int:
        """Show what was said before, and return how many messages that were."""

    async def who(self, caller: Caller) -> Card:
        """Find what is known of the client."""

    async def name(self, caller: Caller, text: str) -> bool:
        """Call the client by a name, or no more by it if there is none; False where only numbers are shown."""

    async def close(self, caller: Caller, code: str) -> bool:
        """End the conversation; False for a guest, who only leaves."""

    async def ready(self, caller: Caller) -> None:
        """End a break."""

    async def pause(self, caller: Caller, reason: str) -> None:
        """Begin a break."""

    async def queue(self, caller: Caller) -> Sequence[Waiting]:
        """List who waits where the agent is a member, the next one first."""

    async def templates(self, caller: Caller) -> Sequence[Template]:
        """List the templates that the agent may send."""

    async def fill(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Filled:
        """Fill a template in, to be looked at."""

    async def template(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Sent:
        """Send a template to the client."""

    def word(self, caller: Caller, refused: Refused) -> str:
        """Say in the agent's language why something is refused."""

    async def choices(self, caller: Caller, argument: str) -> Sequence[Option]:
        """List what can be chosen for an argument in a form; nothing, to have it typed in."""


# The table


class Kind(StrEnum):
    """How an argument is read."""

    WORD = "word"
    NUMBER = "number"
    #: All that is left, as it stands.
    TEXT = "text"
    #: `name=value`, again and again.
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Argument:
    """Something that a command is given."""

    name: str
    kind: Kind = Kind.WORD
    required: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What a command was given; nothing that was not given is in it."""

    texts: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Read a text."""
        return self.texts.get(name, "")

    def number(self, name: str) -> int | None:
        """Read a number."""
        return int(self.texts[name]) if name in self.texts else None


@dataclass(frozen=True, slots=True)
class Errand:
    """A command on its way."""

    actions: Actions
    caller: Caller
    given: Given
    prefix: str

    def tell(self, key: str, **values: Any) -> str:
        """Say it in the agent's language."""
        return say(key, self.caller.lang, prefix=self.prefix, **values)


class Misused(Exception):
    """An argument is missing, or one too many, or not what it has to be."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that agents can have done; its texts are `name_…` and `help_…`."""

    name: str
    #: Does it, and returns the answer.
    run: Callable[[Errand], Awaitable[str]]
    arguments: tuple[Argument, ...] = ()
    #: Whether it is about the client of the chat it is given in.
    needs_client: bool = False

    def usage(self, lang: str, prefix: str) -> str:
        """Show how it is written."""
        shown = [(one, say(f"argument_{one.name}", lang)) for one in self.arguments]
        words = [f"<{label}>" if one.required else f"[{label}]" for one, label in shown]
        return " ".join([f"{prefix}{self.name}", *words])

    def read(self, rest: str) -> Given:
        """Read what stands after its name.

        Raises:
            Misused: If that does not fit.
        """
        texts: dict[str, str] = {}
        values: Mapping[str, str] = {}
        for argument in self.arguments:
            if argument.kind is Kind.VALUES:
                values, rest = read_values(split(rest)), ""
                continue
            if argument.kind is Kind.TEXT:
                word, rest = rest.strip(), ""
            else:
                word, rest = first_word(rest)
            if word:
                texts[argument.name] = word
        if rest.strip():
            raise Misused
        return self.check(Given(texts, values))

    def check(self, given: Given) -> Given:
        """See that everything needed is there.

        Raises:
            Misused: If it is not.
        """
        for argument in self.arguments:
            text = given.text(argument.name)
            if argument.required and not text:
                raise Misused
            if argument.kind is Kind.NUMBER and text and not _is_number(text):
                raise Misused
        return given


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


async def _accept(errand: Errand) -> str:
    await errand.actions.accept(errand.caller, errand.given.number("offer"))
    return errand.tell("done_accept")


async def _decline(errand: Errand) -> str:
    await errand.actions.decline(errand.caller, errand.given.number("offer"))
    return errand.tell("done_decline")


async def _template(errand: Errand) -> str:
    sent = await errand.actions.template(errand.caller, errand.given.text("shortcut"), errand.given.values)
    return errand.tell("done_t") if sent.is_shown else errand.tell("done_t_text", text=sent.text)


async def _templates(errand: Errand) -> str:
    installed = await errand.actions.templates(errand.caller)
    if not installed:
        return errand.tell("no_templates")
    search = errand.given.text("search")
    wanted = search.casefold().split()
    lines = [
        line for line in map(_template_line, installed) if all(word in line.casefold() for word in wanted)
    ]
    more = ["…"] if len(lines) > MOST_LISTED else []
    return "\n".join([*lines[:MOST_LISTED], *more]) or errand.tell("template_not_found", search=search[:100])


def _template_line(template: Template) -> str:
    usage = " ".join([template.shortcut, *(f"{one.name}=…" for one in template.variables if one.is_required)])
    return f"{usage}: {template.title}" if template.title else usage


async def _transfer(errand: Errand) -> str:
    to = errand.given.text("to")
    await errand.actions.transfer(errand.caller, to, errand.given.text("reason"))
    return errand.tell("done_transfer", to=to)


async def _invite(errand: Errand) -> str:
    agent = errand.given.text("agent")
    await errand.actions.invite(errand.caller, agent)
    return errand.tell("done_invite", agent=agent)


async def _note(errand: Errand) -> str:
    await errand.actions.note(errand.caller, errand.given.text("text"))
    return errand.tell("done_note")


async def _history(errand: Errand) -> str:
    count = await errand.actions.history(errand.caller, errand.given.number("count"))
    return errand.tell("history_shown", count=count) if count else errand.tell("history_empty")


async def _who(errand: Errand) -> str:
    card, lang = await errand.actions.who(errand.caller), errand.caller.lang
    waiting = "" if card.waiting is None else elapsed(card.waiting, lang)
    rows = [
        ("card_name", card.name),
        *(("card_called", _called(errand, name)) for name in card.names),
        *(("card_address", address) for address in card.addresses),
        ("card_channel", card.channel),
        ("card_queue", card.queue),
        ("card_language", card.language),
        ("card_waiting", waiting),
        ("card_conversations", str(card.conversations or "")),
        *(("card_note", note) for note in card.notes),
    ]
    return "\n".join(f"{errand.tell(key)}: {value}" for key, value in rows if value)


def _called(errand: Errand, name: Name) -> str:
    """Write a name, where it comes from, and whether anybody answers for it."""
    origin = f"origin_{name.origin}"
    return errand.tell(
        "name_verified" if name.is_verified else "name_claimed",
        name=name.text,
        origin=errand.tell(origin) if origin in PHRASES else name.origin,
    )


async def _name(errand: Errand) -> str:
    text = errand.given.text("text")
    if not await errand.actions.name(errand.caller, text):
        return errand.tell("names_off")
    return errand.tell("done_name", name=text) if text else errand.tell("done_unname")


async def _close(errand: Errand) -> str:
    is_over = await errand.actions.close(errand.caller, errand.given.text("code"))
    return errand.tell("done_close" if is_over else "done_leave")


async def _ready(errand: Errand) -> str:
    await errand.actions.ready(errand.caller)
    return errand.tell("done_ready")


async def _pause(errand: Errand) -> str:
    await errand.actions.pause(errand.caller, errand.given.text("reason"))
    return errand.tell("done_pause")


async def _queue(errand: Errand) -> str:
    lines = [
        errand.tell(
            "queue_line",
            position=position,
            client=one.client,
            queue=one.queue,
            time=elapsed(one.seconds, errand.caller.lang),
        )
        for position, one in enumerate(await errand.actions.queue(errand.caller), 1)
    ]
    return "\n".join(lines) or errand.tell("queue_empty")


async def _help(errand: Errand) -> str:
    named = errand.given.text("command").removeprefix(errand.prefix).casefold()
    if named in COMMANDS:
        return _help_line(errand, COMMANDS[named])
    if named:
        return unknown(errand.caller.lang, named, errand.prefix)
    shown = [one for one in COMMANDS.values() if errand.caller.client is not None or not one.needs_client]
    return "\n".join([*(_help_line(errand, one) for one in shown), errand.tell("help_end")])


def _help_line(errand: Errand, command: Command) -> str:
    usage = command.usage(errand.caller.lang, errand.prefix)
    return f"{usage}: {errand.tell(f'help_{command.name}')}"


COMMANDS: Final[Mapping[str, Command]] = {
    command.name: command
    for command in (
        Command("help", _help, (Argument("command"),)),
        Command("accept", _accept, (Argument("offer", Kind.NUMBER),)),
        Command("decline", _decline, (Argument("offer", Kind.NUMBER),)),
        Command(
            "t",
            _template,
            (Argument("shortcut", required=True), Argument("values", Kind.VALUES)),
            needs_client=True,
        ),
        Command("templates", _templates, (Argument("search", Kind.TEXT),)),
        Command(
            "transfer",
            _transfer,
            (Argument("to", required=True), Argument("reason", Kind.TEXT)),
            needs_client=True,
        ),
        Command("invite", _invite, (Argument("agent", required=True),), needs_client=True),
        Command("note", _note, (Argument("text", Kind.TEXT, required=True),), needs_client=True),
        Command("history", _history, (Argument("count", Kind.NUMBER),), needs_client=True),
        Command("who", _who, needs_client=True),
        Command("name", _name, (Argument("text", Kind.TEXT),), needs_client=True),
        Command("close", _close, (Argument("code", Kind.TEXT),), needs_client=True),
        Command("ready", _ready),
        Command("pause", _pause, (Argument("reason", Kind.TEXT),)),
        Command("queue", _queue),
    )
}


def read_values(words: Iterable[str]) -> dict[str, str]:
    """Read `name=value`, again and again.

    Raises:
        Misused: If one of them has no name.
    """
    return dict(_read_value(word) for word in words)


def _read_value(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (equals and name):
        raise Misused
    return name, value


def unknown(lang: str, name: str, prefix: str) -> str:
    """Help with a command that does not exist."""
    name = name[:40]
    nearest = get_close_matches(name.casefold(), COMMANDS, n=1, cutoff=0.5)
    if not nearest:
        return say("unknown_command", lang, prefix=prefix, name=name)
    return say("nearest_command", lang, prefix=prefix, name=name, nearest=nearest[0])


async def run(command: Command, errand: Errand) -> str:
    """Run a command, and return what the agent is told."""
    caller = errand.caller
    if command.needs_client and caller.client is None:
        return errand.tell("needs_client", name=command.name)
    try:
        command.check(errand.given)
        return await command.run(errand)
    except Misused:
        return errand.tell("usage", usage=command.usage(caller.lang, errand.prefix))
    except Refused as refused:
        return errand.actions.word(caller, refused)
