"""How plugins are asked: declare, refine, ask, announce."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import ModuleType
from typing import Any

import pytest
import structlog

from imserver import hookspecs
from imserver.hooks import DROP, Hook, Hooks, PluginError, hookimpl, hookspec, kind_of
from imserver.xmpp.errors import StanzaError


@pytest.fixture
def specifications() -> ModuleType:
    """Four hooks, one of each kind."""
    module = ModuleType("specifications")

    @hookspec
    def register_words(where: str) -> Iterable[str]:  # type: ignore[empty-body]
        """Declare."""

    @hookspec
    def refine_word(word: str, where: str) -> str | None:
        """Refine."""

    @hookspec
    def find_word(where: str) -> str | None:
        """Ask."""

    @hookspec
    def word_said(word: str) -> None:
        """Announce."""

    for function in (register_words, refine_word, find_word, word_said):
        setattr(module, function.__name__, function)
    return module


@pytest.fixture
def log() -> structlog.testing.LogCapture:
    return structlog.testing.LogCapture()


@pytest.fixture
def hooks(specifications: ModuleType, log: structlog.testing.LogCapture) -> Hooks:
    return Hooks(specifications, structlog.wrap_logger(None, processors=[log]))


def bound(hooks: Hooks, **plugins: Callable[..., Any]) -> Hooks:
    """Register plugins that implement one hook each; the functions' names say which."""
    for name, function in plugins.items():
        plugin = ModuleType(name)
        setattr(plugin, function.__name__, hookimpl(function))
        hooks.register(plugin, name)
    hooks.bind()
    return hooks


async def result(answer: Any) -> Any:
    return await answer if isinstance(answer, Awaitable) else answer


def complaints(log: structlog.testing.LogCapture) -> list[tuple[str, str]]:
    return [(entry["plugin"], entry["hook"]) for entry in log.entries]


# What there is


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("register_routes", "declare"),
        ("refine_message", "refine"),
        ("find_records", "ask"),
        ("choose_agent", "ask"),
        ("keep_undelivered", "ask"),
        ("may_talk", "ask"),
        ("message_accepted", "announce"),
    ],
)
def test_a_hooks_kind_is_in_its_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_all_hooks_of_the_server_can_be_called(log: structlog.testing.LogCapture) -> None:
    hooks = Hooks(hookspecs, structlog.wrap_logger(None, processors=[log]))
    hooks.bind()

    names = {hook.name for hook in hooks}
    assert {"refine_message", "find_records", "message_delivered", "register_settings"} <= names
    assert not any(hooks)


def test_a_hook_that_nobody_implements_is_nothing(hooks: Hooks) -> None:
    hooks.bind()

    assert not hooks.find_word
    assert hooks.find_word.ask(where="here") is None
    assert hooks.refine_word.refine("a", "word", where="here") == "a"
    assert hooks.word_said.announce(word="a") is None
    assert hooks.register_words.declare(where="here") == []


def test_plugins_are_asked_in_the_order_of_their_registration(hooks: Hooks) -> None:
    def find_word(where: str) -> None:
        return None

    bound(hooks, first=find_word, second=find_word, third=find_word)

    assert hooks.find_word.plugins == hooks.plugins == ["first", "second", "third"]


def test_there_is_no_hook_of_another_name(hooks: Hooks) -> None:
    with pytest.raises(AttributeError, match="find_word"):
        _ = hooks.find_word

    hooks.bind()

    with pytest.raises(AttributeError, match="no hook 'sing'"):
        _ = hooks.sing


def test_arguments_may_be_left_out(hooks: Hooks) -> None:
    def refine_word(word: str) -> str:
        return word.upper()

    bound(hooks, loud=refine_word)

    assert hooks.refine_word.refine("a", "word", where="here") == "A"


@pytest.mark.parametrize("name", ["find_word", "find_song"])
def test_a_plugin_that_does_not_fit_is_named(hooks: Hooks, name: str) -> None:
    def fits_nowhere(colour: str) -> None:
        return None

    fits_nowhere.__name__ = name

    with pytest.raises(PluginError, match="strange"):
        bound(hooks, strange=fits_nowhere)


def test_two_plugins_need_two_names(hooks: Hooks) -> None:
    hooks.register(ModuleType("same"), "same")

    with pytest.raises(PluginError, match="two plugins named 'same'"):
        hooks.register(ModuleType("same"), "same")


# Declare


def test_what_is_declared_is_joined(hooks: Hooks) -> None:
    def one(where: str) -> list[str]:
        return ["a", "b"]

    def other(where: str) -> Iterable[str]:
        yield where

    one.__name__ = other.__name__ = "register_words"
    bound(hooks, one=one, other=other)

    assert hooks.register_words.declare(where="here") == [("one", "a"), ("one", "b"), ("other", "here")]


def test_a_failure_to_declare_is_named(hooks: Hooks) -> None:
    def register_words() -> list[str]:
        raise ValueError("no words")

    bound(hooks, mute=register_words)

    with pytest.raises(PluginError, match=r"'mute' failed in register_words: ValueError\('no words'\)"):
        hooks.register_words.declare(where="here")


# Refine


def refiner(refine: Callable[[str], Any], *, later: bool) -> Callable[..., Any]:
    def refine_word(word: str) -> Any:
        return refine(word)

    async def refine_word_later(word: str) -> Any:
        await asyncio.sleep(0)
        return refine(word)

    refine_word_later.__name__ = "refine_word"
    return refine_word_later if later else refine_word


EITHER_WAY = pytest.mark.parametrize("later", [False, True])


@EITHER_WAY
async def test_each_sees_what_the_one_before_made_of_it(hooks: Hooks, later: bool) -> None:
    bound(
        hooks,
        one=refiner(lambda word: word + "1", later=later),
        idle=refiner(lambda word: None, later=not later),
        two=refiner(lambda word: word + "2", later=later),
    )

    assert await result(hooks.refine_word.refine("a", "word", where="here")) == "a12"


@EITHER_WAY
async def test_what_is_dropped_is_shown_to_nobody_else(hooks: Hooks, later: bool) -> None:
    seen: list[str] = []
    bound(hooks, one=refiner(lambda word: DROP, later=later), two=refiner(seen.append, later=False))

    assert await result(hooks.refine_word.refine("a", "word", where="here")) is DROP
    assert seen == []


@EITHER_WAY
async def test_a_refusal_is_passed_on(hooks: Hooks, log: structlog.testing.LogCapture, later: bool) -> None:
    def refuse(word: str) -> None:
        raise StanzaError("forbidden", "Not that word")

    bound(hooks, strict=refiner(refuse, later=later))

    with pytest.raises(StanzaError, match="forbidden: Not that word"):
        await result(hooks.refine_word.refine("a", "word", where="here"))
    assert complaints(log) == []


@EITHER_WAY
async def test_a_failure_becomes_a_refusal_and_is_named(
    hooks: Hooks, log: structlog.testing.LogCapture, later: bool
) -> None:
    def fail(word: str) -> None:
        raise ValueError(word)

    bound(hooks, broken=refiner(fail, later=later))

    with pytest.raises(StanzaError, match="internal-server-error") as refused:
        await result(hooks.refine_word.refine("secret", "word", where="here"))
    assert complaints(log) == [("broken", "refine_word")]
    assert "secret" not in str(refused.value)


async def test_who_takes_too_long_has_failed(
    hooks: Hooks, log: structlog.testing.LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_word() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("imserver.hooks.PATIENCE", 0.01)
    bound(hooks, slow=find_word)

    with pytest.raises(StanzaError, match="internal-server-error"):
        await result(hooks.find_word.ask(where="here"))
    assert complaints(log) == [("slow", "find_word")]


# Ask


def finder(answer: str | None, asked: list[str], *, later: bool) -> Callable[..., Any]:
    def find_word(where: str) -> str | None:
        asked.append(where)
        return answer

    async def find_word_later(where: str) -> str | None:
        await asyncio.sleep(0)
        return find_word(where)

    find_word_later.__name__ = "find_word"
    return find_word_later if later else find_word


@EITHER_WAY
async def test_the_first_answer_counts(hooks: Hooks, later: bool) -> None:
    asked: list[str] = []
    bound(
        hooks,
        silent=finder(None, asked, later=later),
        one=finder("first", asked, later=not later),
        two=finder("second", asked, later=later),
    )

    assert await result(hooks.find_word.ask(where="here")) == "first"
    assert asked == ["here", "here"]


@EITHER_WAY
async def test_an_answer_may_be_no(hooks: Hooks, later: bool) -> None:
    def find_word() -> bool:
        return False

    asked: list[str] = []
    bound(hooks, denies=find_word, never=finder("yes", asked, later=later))

    assert await result(hooks.find_word.ask(where="here")) is False
    assert asked == []


# Announce


@EITHER_WAY
async def test_everybody_is_told_though_one_fails(
    hooks: Hooks, log: structlog.testing.LogCapture, later: bool
) -> None:
    told: list[str] = []

    def word_said(word: str) -> None:
        told.append(word)

    def fails(word: str) -> None:
        raise StanzaError("forbidden")

    async def fails_later(word: str) -> None:
        await asyncio.sleep(0)
        raise ValueError(word)

    fails.__name__ = fails_later.__name__ = "word_said"
    bound(hooks, one=word_said, broken=fails_later if later else fails, two=word_said)

    assert await result(hooks.word_said.announce(word="a")) is None
    assert told == ["a", "a"]
    assert complaints(log) == [("broken", "word_said")]


def test_nothing_waits_where_nobody_is_slow(hooks: Hooks) -> None:
    def word_said() -> None:
        return None

    bound(hooks, quick=word_said)

    assert hooks.word_said.announce(word="a") is None
    assert isinstance(hooks.word_said, Hook)
