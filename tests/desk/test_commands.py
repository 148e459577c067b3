from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imserver.desk.command_menus import NODE, VALUE, Menus
from imserver.desk.command_text import answer_text
from imserver.desk.commands import COMMANDS, Caller, Card, Kind, Waiting
from imserver.desk.effects import Refused
from imserver.desk.phrases import LANGUAGES, PHRASES, language, say
from imserver.desk.templates import Filled, Sent, Template, Variable
from imserver.desk.words import quoted, split
from imserver.server import Server
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Option
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import COMMANDS as AD_HOC
from imserver.xmpp.namespaces import DATA_FORMS, DISCO_ITEMS
from imserver.xmpp.stanza import IQ

ANA = JID.parse("ana@example.com/psi")
CLIENT = JID.parse("k7@xmpp.example.com")
QUEUE = JID.parse("support@desk.example.com")


class Floor:
    """A desk that writes down what it is asked for."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.refusal: Refused | None = None
        self.installed: Sequence[Template] = ()
        self.has_carbons = True
        self.waits: Sequence[Waiting] = ()

    def _do(self, name: str, *given: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.done.append((name, *given))

    async def accept(self, caller: Caller, offer: int | None) -> None:
        self._do("accept", caller.client, offer)

    async def decline(self, caller: Caller, offer: int | None) -> None:
        self._do("decline", caller.client, offer)

    async def transfer(self, caller: Caller, to: str, reason: str) -> None:
        self._do("transfer", caller.client, to, reason)

    async def invite(self, caller: Caller, agent: str) -> None:
        self._do("invite", caller.client, agent)

    async def note(self, caller: Caller, text: str) -> None:
        self._do("note", caller.client, text)

    async def history(self, caller: Caller, count: int | None) -> int:
        self._do("history", caller.client, count)
        return count or 0

    async def name(self, caller: Caller, text: str) -> bool:
        self._do("name", caller.client, text)
        return True

    async def who(self, caller: Caller) -> Card:
        self._do("who", caller.client)
        return Card("María", ["+34600000000"], queue="Support", waiting=120.0, conversations=3)

    async def close(self, caller: Caller, code: str) -> bool:
        self._do("close", caller.client, code)
        return True

    async def ready(self, caller: Caller) -> None:
        self._do("ready")

    async def pause(self, caller: Caller, reason: str) -> None:
        self._do("pause", reason)

    async def queue(self, caller: Caller) -> Sequence[Waiting]:
        self._do("queue")
        return self.waits

    async def templates(self, caller: Caller) -> Sequence[Template]:
        return self.installed

    async def fill(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Filled:
        variables = [Variable(name, is_required=False) for name in "abc"]
        return Filled(Template(shortcut, variables=variables), f"Hello, this is {shortcut}.")

    async def template(self, caller: Caller, shortcut: str, values: Mapping[str, str]) -> Sent:
        self._do("template", caller.client, shortcut, dict(values))
        return Sent(f"Hello, this is {shortcut}.", self.has_carbons)

    def word(self, caller: Caller, refused: Refused) -> str:
        return f"refused: {refused.key} {refused.values}"

    async def choices(self, caller: Caller, argument: str) -> Sequence[Option]:
        return [Option("luis"), Option("billing")] if argument == "agent" else ()


@pytest.fixture
def floor() -> Floor:
    return Floor()


async def types(
    floor: Floor, text: str, *, lang: str = "en", client: JID | None = CLIENT, prefix: str = "!"
) -> str:
    return await answer_text(floor, Caller(ANA.bare, lang, client, "support"), text, prefix=prefix)


# What is typed


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("!accept", ("accept", CLIENT, None)),
        ("  !Accept 17 ", ("accept", CLIENT, 17)),
        ("!decline", ("decline", CLIENT, None)),
        ("!transfer billing", ("transfer", CLIENT, "billing", "")),
        (
            '!transfer "billing team" wants an invoice',
            ("transfer", CLIENT, "billing team", "wants an invoice"),
        ),
        ("!transfer “billing team” «now»", ("transfer", CLIENT, "billing team", "«now»")),
        ("!invite luis@example.com", ("invite", CLIENT, "luis@example.com")),
        ('!note she said "no"\n  twice', ("note", CLIENT, 'she said "no"\n  twice')),
        ("!history 5", ("history", CLIENT, 5)),
        ("!who", ("who", CLIENT)),
        ("!name Ana  García", ("name", CLIENT, "Ana  García")),
        ("!close sold", ("close", CLIENT, "sold")),
        ("!ready", ("ready",)),
        ("!pause lunch break", ("pause", "lunch break")),
        ("!queue", ("queue",)),
    ],
)
async def test_a_command_does_what_it_says(floor: Floor, text: str, done: tuple[Any, ...]) -> None:
    await types(floor, text)

    assert floor.done == [done]


async def test_a_mistyped_command_is_answered_with_the_nearest(floor: Floor) -> None:
    assert "!transfer?" in await types(floor, "!tranfser billing")
    assert "!help" in await types(floor, "!xyzzy")
    assert await types(floor, "!acept", lang="es-MX") == (
        "No existe la orden !acept. ¿Quiso decir !accept? No se envió nada."
    )
    assert floor.done == []


async def test_a_command_inside_a_text_is_explained(floor: Floor) -> None:
    assert await types(floor, "hello\n!note rude") == (
        "Nothing was sent: a line of it begins with !. Write !! for a !."
    )
    assert floor.done == []


async def test_arguments_that_do_not_fit_are_explained(floor: Floor) -> None:
    assert await types(floor, "!transfer") == "This is written so: !transfer <agent or queue> [reason]"
    assert await types(floor, "!note   ") == "This is written so: !note <text>"
    assert await types(floor, "!history many") == "This is written so: !history [number]"
    assert await types(floor, "!who is it") == "This is written so: !who"
    assert await types(floor, "!t hi =x") == "This is written so: !t <shortcut> [name=value …]"
    assert floor.done == []


async def test_a_command_about_a_client_needs_one(floor: Floor) -> None:
    assert await types(floor, "!close", client=None) == "!close is for the chat with a client."
    assert floor.done == []


async def test_help_lists_what_is_possible_here(floor: Floor) -> None:
    at_client, at_queue = await types(floor, "!help"), await types(floor, "/help", client=None, prefix="/")

    assert len(at_client.splitlines()) == len(COMMANDS) + 1
    assert "!note <text>: is kept, and never sent" in at_client
    assert "note" not in at_queue
    assert "/queue: shows who is waiting" in at_queue
    assert await types(floor, "!help !close", lang="de") == "!close [Code]: beendet das Gespräch"


async def test_templates_wait_for_a_plugin(floor: Floor) -> None:
    assert await types(floor, "!templates") == "No templates are installed."

    floor.installed = [
        Template("hi", "Greeting"),
        Template("bye", variables=[Variable("day"), Variable("x", is_required=False)]),
    ]
    assert await types(floor, "!templates") == "hi: Greeting\nbye day=…"
    assert await types(floor, "!templates greet") == "hi: Greeting"
    assert await types(floor, "!templates farewell") == "There is no template about farewell."
    assert await types(floor, '!t hi name="Ana María" when=now') == "Sent."
    assert floor.done == [("template", CLIENT, "hi", {"name": "Ana María", "when": "now"})]


async def test_whoever_does_not_see_what_was_sent_is_told(floor: Floor) -> None:
    floor.has_carbons = False

    assert await types(floor, "!t hi") == "Sent: Hello, this is hi."


async def test_a_refusal_is_worded_by_the_desk(floor: Floor) -> None:
    floor.refusal = Refused("taken", agent="luis")

    assert await types(floor, "!accept") == "refused: taken {'agent': 'luis'}"


async def test_who_and_queue_are_told_in_the_agents_language(floor: Floor) -> None:
    floor.waits = [Waiting("María", "Support", 125), Waiting("Jo", "Sales", 4)]

    assert await types(floor, "!who", lang="fr") == (
        "Nom: María\nAdresse: +34600000000\nFile: Support\nAttend depuis: 2 min\nConversations: 3"
    )
    assert await types(floor, "!queue") == "1. María, Support: 2 min\n2. Jo, Sales: 4 s"
    assert await types(floor, "!history") == "There is nothing from before."


# Words


@given(st.lists(st.text(min_size=1)))
@example(["a b", '"', "\\", "“x", '\\"'])
def test_what_is_quoted_is_one_word(parts: list[str]) -> None:
    assert list(split(" ".join(map(quoted, parts)))) == parts


def test_marks_that_never_close_are_just_marks() -> None:
    assert list(split('a 5" nail “b')) == ["a", '5"', "nail", "“b"]
    assert len(list(split("“ " * 20_000))) == 20_000


# The menu


class Client:
    """Somebody's ad-hoc commands."""

    def __init__(self, floor: Floor, *, lang: str = "en", is_agent: bool = True) -> None:
        session = SimpleNamespace(jid=ANA, lang=lang, features={})
        sessions = SimpleNamespace(find=lambda jid: session)
        self.server = cast("Server", SimpleNamespace(sessions=sessions, domain=JID.parse("example.com")))
        self.menus = Menus(floor, self._find if is_agent else lambda *_: None, prefix="!")

    @staticmethod
    def _find(asker: JID, address: JID, lang: str) -> Caller:
        return Caller(asker.bare, lang, address if address.domain == CLIENT.domain else None, "support")

    def names(self, address: JID) -> dict[str, str]:
        """List the menu."""
        menu = self.menus.at(self.server, ANA, address)
        if menu is None:
            return {}
        query = Element("query", DISCO_ITEMS, {"node": AD_HOC})
        answer = menu.answer_disco(
            self.server, IQ(type="get", id="1", sender=ANA, to=address, payload=[query])
        )
        assert answer is not None
        return {item.get("node").removeprefix(NODE): item.get("name") for item in answer.all("item")}

    async def runs(self, address: JID, name: str, **filled: str) -> str:
        """Run a command, fill in its form if it has one, and return what it notes."""
        answer = await self.asks(address, name)
        while answer.get("status") == "executing":
            form = Element("x", DATA_FORMS, {"type": "submit"})
            for field, text in filled.items():
                values = [Element("value", DATA_FORMS, text=line) for line in text.split("\n")]
                form.add(Element("field", DATA_FORMS, {"var": field}).add(*values))
            answer = await self.asks(address, name, form, sessionid=answer.get("sessionid"))
        assert answer.get("status") == "completed"
        note = answer.child("note")
        assert note is not None
        return note.text

    async def asks(self, address: JID, name: str, *children: Element, **attributes: str) -> Element:
        command = Element("command", AD_HOC, {"node": f"{NODE}{name}", **attributes}).add(*children)
        menu = self.menus.at(self.server, ANA, address)
        assert menu is not None
        return await menu.answer(
            self.server, IQ(type="set", id="1", sender=ANA, to=address, payload=[command])
        )


def test_the_menu_shows_what_is_possible_there(floor: Floor) -> None:
    assert Client(floor).names(CLIENT).keys() == COMMANDS.keys()
    assert Client(floor, lang="de").names(QUEUE) == {
        "help": "Hilfe",
        "accept": "Annehmen",
        "decline": "Ablehnen",
        "templates": "Vorlagen",
        "ready": "Bereit",
        "pause": "Pause",
        "queue": "Wer wartet?",
    }
    assert Client(floor, is_agent=False).names(QUEUE) == {}


async def test_a_form_offers_what_can_be_chosen(floor: Floor) -> None:
    client = Client(floor)
    form = (await client.asks(CLIENT, "invite")).child("x", DATA_FORMS)
    assert form is not None
    offered = [field for field in form.all("field") if field.get("var") == "agent"]

    assert offered[0].get("type") == "list-single"
    assert [option.get("label") for option in offered[0].all("option")] == ["", ""]
    with pytest.raises(StanzaError, match="does not offer"):
        await client.runs(CLIENT, "invite", agent="nobody")
    assert await client.runs(CLIENT, "invite", agent="luis") == "luis is invited."


async def test_a_form_is_for_the_chat_it_was_opened_in(floor: Floor) -> None:
    client = Client(floor)
    opened = await client.asks(CLIENT, "note")

    with pytest.raises(StanzaError, match="another address"):
        await client.asks(JID.parse("k8@xmpp.example.com"), "note", sessionid=opened.get("sessionid"))
    assert floor.done == []


_words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=6)
_names = st.sampled_from("abc")


@st.composite
def _commands(draw: st.DrawFn) -> tuple[str, dict[str, str], str]:
    """A command: its name, what its form holds, and how it is typed."""
    command = draw(st.sampled_from([one for one in COMMANDS.values() if one.name != "help"]))
    filled: dict[str, str] = {}
    typed = [f"!{command.name}"]
    for argument in command.arguments:
        if not (argument.required or draw(st.booleans())):
            break
        match argument.kind:
            case Kind.NUMBER:
                filled[argument.name] = str(draw(st.integers(0, 99)))
                typed.append(filled[argument.name])
            case Kind.VALUES:
                values = draw(st.dictionaries(_names, _words, min_size=1, max_size=3))
                filled |= {f"{VALUE}{name}": value for name, value in values.items()}
                typed += [f"{name}={quoted(value)}" for name, value in values.items()]
            case Kind.TEXT:
                filled[argument.name] = " ".join(draw(st.lists(_words, min_size=1, max_size=3)))
                typed.append(filled[argument.name])
            case Kind.WORD:
                filled[argument.name] = draw(
                    st.sampled_from(["luis", "billing"]) if argument.name == "agent" else _words
                )
                typed.append(quoted(filled[argument.name]))
    return command.name, filled, " ".join(typed)


@given(st.lists(_commands(), max_size=6), st.sampled_from(LANGUAGES))
async def test_the_same_is_done_whether_typed_or_chosen(
    trace: list[tuple[str, dict[str, str], str]], lang: str
) -> None:
    typed, chosen = Floor(), Floor()
    typed.installed = chosen.installed = [Template("hi")]
    client = Client(chosen, lang=lang)

    for name, filled, text in trace:
        assert await types(typed, text, lang=lang) == await client.runs(CLIENT, name, **filled)

    assert typed.done == chosen.done
    assert len(typed.done) == sum(name != "templates" for name, _, _ in trace)


# Phrases


def test_all_languages_fill_in_the_same() -> None:
    for key, phrases in PHRASES.items():
        used = [sorted(set(_fields(phrase))) for phrase in phrases]
        assert len(phrases) == len(LANGUAGES), key
        assert all(one == used[0] for one in used), key


def _fields(phrase: str) -> list[str]:
    return [part.partition("}")[0] for part in phrase.split("{")[1:]]


def test_each_command_and_argument_has_its_phrases() -> None:
    for command in COMMANDS.values():
        assert {f"name_{command.name}", f"help_{command.name}"} <= PHRASES.keys()
        assert {f"argument_{argument.name}" for argument in command.arguments} <= PHRASES.keys()


def test_a_language_falls_back() -> None:
    assert [language(wanted) for wanted in ("es-MX", "PT_br", "xx", "")] == ["es", "pt", "en", "en"]
    assert say("done_t", "fr-CA") == "Envoyé."
