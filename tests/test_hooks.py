"""How plugins are asked: declare, refine, ask, announce."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import ModuleType
from typing import Any

import pytest
import structlog

from imserver import hookspecs
from imserver.hooks import (
    DROP,
    Dropped,
    Hook,
    Hooks,
    PluginError,
    hookimpl,
    hookspec,
    kind_of,
    manner,
    manner_of,
)
from imserver.xmpp.errors import StanzaError

HOOKS = [name for name, one in vars(hookspecs).items() if hasattr(one, "imserver_spec")]
#: How long a plugin that hangs is waited for here, in seconds.
SHORT = 0.02


@pytest.fixture
def specifications() -> ModuleType:
    """A hook of each kind, and one that can't be waited for."""
    module = ModuleType("specifications")

    @hookspec
    def register_words(where: str) -> Iterable[str]:  # type: ignore[empty-body]
        """Declare."""

    @hookspec
    def refine_word(word: str, where: str) -> str | Dropped | None:
        """Refine."""

    @hookspec
    def find_word(where: str) -> str | bool | None:
        """Ask."""

    @hookspec
    @manner(at_once=True)
    def may_say(word: str) -> bool | None:
        """Ask, and do not wait."""

    @hookspec
    def word_said(word: str) -> None:
        """Announce."""

    for function in (register_words, refine_word, find_word, may_say, word_said):
        setattr(module, function.__name__, function)
    return module


@pytest.fixture
def log() -> structlog.testing.LogCapture:
    return structlog.testing.LogCapture()


@pytest.fixture
def hooks(specifications: ModuleType, log: structlog.testing.LogCapture) -> Hooks:
    return Hooks(specifications, structlog.wrap_logger(None, processors=[log]), patience=SHORT)


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


# What must not be async


def test_where_nobody_can_wait_async_is_refused_at_once(hooks: Hooks) -> None:
    async def may_say() -> bool:
        return True

    with pytest.raises(PluginError, match="'late' can't be used: may_say must not be async"):
        bound(hooks, late=may_say)


def test_where_nobody_can_wait_an_awaitable_is_nonsense(
    hooks: Hooks, log: structlog.testing.LogCapture
) -> None:
    async def think() -> bool:
        return True

    def may_say() -> Any:
        return think()

    bound(hooks, sly=may_say)

    with pytest.raises(StanzaError, match="internal-server-error"):
        hooks.may_say.ask(word="a")
    assert complaints(log) == [("sly", "may_say")]


@pytest.mark.parametrize("name", HOOKS)
def test_what_a_hook_says_about_async_is_so(name: str) -> None:
    specification = getattr(hookspecs, name)

    assert manner_of(specification).at_once == ("must not be `async`" in specification.__doc__)


# A plugin that is broken, in every hook that there is


async def hang_and_refuse_to_go() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if LET_GO.is_set():
                raise


def raise_anything() -> None:
    raise ValueError("what people said")


def end_the_server() -> None:
    raise SystemExit(3)


def answer_nonsense() -> object:
    return object()


LET_GO = asyncio.Event()
WAYS = (raise_anything, end_the_server, answer_nonsense, hang_and_refuse_to_go)


@pytest.fixture
async def stragglers() -> AsyncIterator[None]:
    """Nobody is left behind."""
    LET_GO.clear()
    yield
    LET_GO.set()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def in_place(name: str, way: Callable[..., Any]) -> Callable[..., Any]:
    """Make an implementation of a hook that is broken in this way."""

    def implementation() -> Any:
        return way()

    async def later() -> Any:
        return await way()

    found = later if asyncio.iscoroutinefunction(way) else implementation
    found.__name__ = name
    return found


async def call(hook: Hook) -> Any:
    """Call a hook as its kind is called, with something for each argument."""
    context: dict[str, Any] = dict.fromkeys(inspect.signature(getattr(hookspecs, hook.name)).parameters)
    match kind_of(hook.name):
        case "declare":
            return hook.declare(**context)
        case "refine":
            return await result(
                hook.refine(context.pop(first := hook.name.removeprefix("refine_")), first, **context)
            )
        case "ask":
            return await result(hook.ask(**context))
        case "announce":
            return await result(hook.announce(**context))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HOOKS)
async def test_a_broken_plugin_is_named_whatever_the_hook(
    name: str, way: Callable[..., Any], log: structlog.testing.LogCapture, stragglers: None
) -> None:
    hooks = Hooks(hookspecs, structlog.wrap_logger(None, processors=[log]), patience=SHORT)
    told: list[list[tuple[str, str]]] = []
    other = in_place(name, lambda: told.append(complaints(log)))
    is_late = way is hang_and_refuse_to_go

    if kind_of(name) == "declare" or (is_late and manner_of(getattr(hookspecs, name)).at_once):
        with pytest.raises(PluginError, match=rf"'broken'.*{name}"):
            await call(getattr(bound(hooks, broken=in_place(name, way), other=other), name))
        return
    hook = getattr(bound(hooks, broken=in_place(name, way), other=other), name)

    if kind_of(name) != "announce":
        with pytest.raises(StanzaError, match="internal-server-error") as refused:
            await call(hook)
        assert "what people said" not in str(refused.value)
        assert complaints(log) == [("broken", name)]
        assert told == []
        return
    await call(hook)
    # What an announcement is answered, nobody reads.
    assert complaints(log) == ([] if way is answer_nonsense else [("broken", name)])
    # The other one was told; if the first hangs, before it was given up.
    assert told == [complaints(log) if not is_late else []]


async def test_nobody_waits_for_one_that_does_not_even_let_go(
    hooks: Hooks, log: structlog.testing.LogCapture, stragglers: None
) -> None:
    bound(hooks, slow=in_place("find_word", hang_and_refuse_to_go))

    with pytest.raises(StanzaError, match="internal-server-error"):
        await result(hooks.find_word.ask(where="here"))
    assert "took more than 0.02 seconds" in str(log.entries[0]["exc_info"])


async def test_one_that_cancels_itself_has_failed(hooks: Hooks, log: structlog.testing.LogCapture) -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    bound(hooks, odd=in_place("find_word", cancel))

    with pytest.raises(StanzaError, match="internal-server-error"):
        await result(hooks.find_word.ask(where="here"))
    assert complaints(log) == [("odd", "find_word")]


def test_a_hook_may_have_a_patience_of_its_own(log: structlog.testing.LogCapture) -> None:
    module = ModuleType("specifications")

    @hookspec
    @manner(patience=120)
    def may_keep() -> bool | None:
        """Ask."""

    module.may_keep = may_keep  # type: ignore[attr-defined]
    hooks = Hooks(module, structlog.wrap_logger(None, processors=[log]))
    hooks.bind()

    assert hooks.may_keep._patience == 120
