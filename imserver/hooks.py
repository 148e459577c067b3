"""How plugins are asked: four kinds of hooks over pluggy.

pluggy finds, validates and orders the plugins; it calls only plain functions, so the calling is done here.
A hook that nobody implements is falsy and costs its caller one test. A call is synchronous, from the first plugin
to the last, unless one of them is `async`: then the call returns an awaitable, and its caller waits.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import pluggy

from imserver.answers import Answers, answers_to
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from types import ModuleType

    from structlog.typing import FilteringBoundLogger
    from typing_extensions import TypeIs

NAME: Final = "imserver"

T = TypeVar("T")
Function = TypeVar("Function", bound="Callable[..., Any]")

#: Marks a function of a plugin as the implementation of the hook that has its name.
hookimpl = pluggy.HookimplMarker(NAME)
hookspec = pluggy.HookspecMarker(NAME)

#: How long an `async` implementation may take before it counts as failed, in seconds.
PATIENCE: Final = 10.0
#: How long the others wait to be told what has happened while somebody takes their time, in seconds.
GRACE: Final = 1.0
#: What a plugin can fail with. It is not asked to end the server, nor to cancel what asks it.
FAILURES: Final = (Exception, SystemExit, asyncio.CancelledError)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a hook is called, where that is not as usual."""

    #: Its caller can't wait: no implementation may be `async`.
    at_once: bool = False
    #: An announcement that nobody is told before those registered earlier are done.
    in_turn: bool = False
    #: How long an `async` implementation may take, in seconds; 0 is as long as usual.
    patience: float = 0.0


def manner(
    *, at_once: bool = False, in_turn: bool = False, patience: float = 0.0
) -> Callable[[Function], Function]:
    """Mark a specification as one that is called in a manner of its own."""

    def mark(function: Function) -> Function:
        vars(function)["manner"] = Manner(at_once, in_turn, patience)
        return function

    return mark


def manner_of(specification: Callable[..., Any]) -> Manner:
    """Tell how a hook is called."""
    found: Manner = vars(specification).get("manner", Manner())
    return found


class Dropped(Enum):
    """The type of `DROP`."""

    DROP = "drop"


#: What a `refine_` hook returns to have the thing vanish, without an answer.
DROP: Final = Dropped.DROP


class PluginError(Exception):
    """A plugin that can't be used, and why."""


class Nonsense(TypeError):
    """An answer that is none of those the hook may be given."""

    def __init__(self, answer: object, wanted: str) -> None:
        super().__init__(f"answered {type(answer).__name__}; expected {wanted}")


class Implementation:
    """One plugin's part in one hook."""

    __slots__ = ("function", "pick", "plugin")

    def __init__(
        self, plugin: str, function: Callable[..., Any], pick: Callable[[dict[str, Any]], Sequence[Any]]
    ) -> None:
        self.plugin = plugin
        self.function = function
        #: Takes those arguments that it wants out of all.
        self.pick = pick


def picker(names: Sequence[str]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """Make a function that takes these arguments out of all."""
    match names:
        case []:
            return lambda context: ()
        case [name]:
            return lambda context: (context[name],)
    return itemgetter(*names)


def is_awaitable(answer: object) -> TypeIs[Awaitable[Any]]:
    """Tell whether somebody has to wait for the answer; `inspect.isawaitable` takes ten times as long."""
    return _is_awaitable_kind(type(answer))  # type: ignore[arg-type]  # every type is hashable


@lru_cache(maxsize=256)
def _is_awaitable_kind(kind: type) -> bool:
    return hasattr(kind, "__await__")


class Hook:
    """One hook, with everybody who implements it, in the order of registration."""

    __slots__ = (
        "_answers",
        "_fits",
        "_grace",
        "_implementations",
        "_kinds",
        "_left",
        "_log",
        "_manner",
        "_patience",
        "name",
    )

    def __init__(
        self,
        name: str,
        implementations: Iterable[Implementation],
        answers: Answers,
        manner: Manner,
        log: FilteringBoundLogger,
        *,
        patience: float | None = None,
    ) -> None:
        self.name = name
        self._implementations = tuple(implementations)
        self._answers, self._kinds, self._fits = answers, answers.kinds, answers.fits
        self._manner = manner
        self._log = log
        self._patience = patience if patience is not None else manner.patience or PATIENCE
        self._grace = self._patience if manner.in_turn else min(GRACE, self._patience)
        #: Those that were given up, and have not ended yet.
        self._left: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        return bool(self._implementations)

    @property
    def plugins(self) -> list[str]:
        """The names of those who implement it."""
        return [implementation.plugin for implementation in self._implementations]

    # declare: everybody's lists, joined

    def declare(self, **context: Any) -> list[tuple[str, Any]]:
        """Collect what each plugin declares, with the plugin's name.

        Raises:
            PluginError: If one of them fails, or says something else; nothing starts then.
        """
        declared: list[tuple[str, Any]] = []
        for implementation in self._implementations:
            try:
                answer = implementation.function(*implementation.pick(context))
                declared += [(implementation.plugin, one) for one in self._listed(answer)]
            except FAILURES as error:
                raise PluginError(
                    f"plugin {implementation.plugin!r} failed in {self.name}: {error!r}"
                ) from error
        return declared

    def _listed(self, answer: Any) -> list[Any]:
        if not isinstance(answer, Iterable) or isinstance(answer, str | bytes):
            raise self._nonsense(answer)
        listed = list(answer)
        if not self._fits(listed):
            raise self._nonsense(listed)
        return listed

    # refine: each sees what the one before made of it

    def refine(self, value: T, argument: str, **context: Any) -> T | Dropped | Awaitable[T | Dropped]:
        """Hand the value from plugin to plugin, under the name of the argument.

        Raises:
            StanzaError: If a plugin refuses it, or fails.
        """
        for implementation in self._implementations:
            context[argument] = value
            try:
                answer = implementation.function(*implementation.pick(context))
            except StanzaError:
                raise
            except FAILURES as error:
                raise self._as_refusal(implementation, error) from error
            if answer is None:
                continue
            if answer is DROP:
                return Dropped.DROP
            if type(answer) not in self._kinds and not self._fits(answer):
                if not self._may_wait_for(answer):
                    raise self._as_refusal(implementation, self._nonsense(answer))
                return self._refine_later(implementation, answer, value, argument, context)
            value = cast("T", answer)
        return value

    async def _refine_later(
        self,
        implementation: Implementation,
        pending: Awaitable[Any],
        value: T,
        argument: str,
        context: dict[str, Any],
    ) -> T | Dropped:
        answer = await self._patiently(implementation, pending)
        for later in self._behind(implementation):
            if answer is DROP:
                break
            value = value if answer is None else cast("T", answer)
            context[argument] = value
            answer = await self._call(later, context)
        if answer is DROP:
            return Dropped.DROP
        return value if answer is None else cast("T", answer)

    # ask: the first answer counts

    def ask(self, **context: Any) -> Any:
        """Ask plugin after plugin for an answer; None if nobody has one.

        Raises:
            StanzaError: If a plugin refuses, or fails.
        """
        for implementation in self._implementations:
            try:
                answer = implementation.function(*implementation.pick(context))
            except StanzaError:
                raise
            except FAILURES as error:
                raise self._as_refusal(implementation, error) from error
            if answer is None:
                continue
            if type(answer) in self._kinds or self._fits(answer):
                return answer
            if not self._may_wait_for(answer):
                raise self._as_refusal(implementation, self._nonsense(answer))
            return self._ask_later(implementation, answer, context)
        return None

    async def _ask_later(
        self, implementation: Implementation, pending: Awaitable[Any], context: dict[str, Any]
    ) -> Any:
        answer = await self._patiently(implementation, pending)
        for later in self._behind(implementation):
            if answer is not None:
                break
            answer = await self._call(later, context)
        return answer

    # ask, where nobody who fails keeps the others from answering

    def ask_on(self, **context: Any) -> tuple[Any, bool] | Awaitable[tuple[Any, bool]]:
        """Ask plugin after plugin, past those that fail; return the first answer, and whether any failed before."""
        return self._ask_on(self._implementations, context, has_failed=False)

    def _ask_on(
        self, implementations: Iterable[Implementation], context: dict[str, Any], *, has_failed: bool
    ) -> tuple[Any, bool] | Awaitable[tuple[Any, bool]]:
        for implementation in implementations:
            try:
                answer = implementation.function(*implementation.pick(context))
                if answer is None:
                    continue
                if type(answer) in self._kinds or self._fits(answer):
                    return answer, has_failed
                if not self._may_wait_for(answer):
                    raise self._nonsense(answer)
            except FAILURES as error:
                self._complain(implementation, error)
                has_failed = True
            else:
                return self._ask_on_later(implementation, answer, context, has_failed=has_failed)
        return None, has_failed

    async def _ask_on_later(
        self,
        implementation: Implementation,
        pending: Awaitable[Any],
        context: dict[str, Any],
        *,
        has_failed: bool,
    ) -> tuple[Any, bool]:
        try:
            answer = await self._end(asyncio.create_task(_run(pending)), self._patience)
            if answer is not None:
                if not self._fits(answer):
                    raise self._nonsense(answer)
                return answer, has_failed
        except Exception as error:
            self._complain(implementation, error)
            has_failed = True
        rest = self._ask_on(self._behind(implementation), context, has_failed=has_failed)
        return await rest if is_awaitable(rest) else rest

    # announce: everybody is told

    def announce(self, **context: Any) -> Awaitable[None] | None:
        """Tell every plugin; who fails is named in the log, and the rest are told all the same."""
        for implementation in self._implementations:
            try:
                answer = implementation.function(*implementation.pick(context))
            except FAILURES as error:
                self._complain(implementation, error)
                continue
            if answer is not None and is_awaitable(answer):
                return self._announce_later(implementation, answer, context)
        return None

    async def _announce_later(
        self, implementation: Implementation, pending: Awaitable[Any], context: dict[str, Any]
    ) -> None:
        told = [(implementation, await self._begin(pending))]
        for later in self._behind(implementation):
            try:
                answer = later.function(*later.pick(context))
            except FAILURES as error:
                self._complain(later, error)
                continue
            if is_awaitable(answer):
                told.append((later, await self._begin(answer)))
        for one, telling in told:
            try:
                await self._end(telling, self._patience - self._grace)
            except Exception as error:
                self._complain(one, error)

    # Once somebody has to be waited for, there is time

    def _behind(self, implementation: Implementation) -> Sequence[Implementation]:
        return self._implementations[self._implementations.index(implementation) + 1 :]

    async def _call(self, implementation: Implementation, context: dict[str, Any]) -> Any:
        try:
            answer = implementation.function(*implementation.pick(context))
        except StanzaError:
            raise
        except FAILURES as error:
            raise self._as_refusal(implementation, error) from error
        if is_awaitable(answer):
            return await self._patiently(implementation, answer)
        return self._checked(implementation, answer)

    def _checked(self, implementation: Implementation, answer: Any) -> Any:
        if answer is None or type(answer) in self._kinds or self._fits(answer):
            return answer
        raise self._as_refusal(implementation, self._nonsense(answer))

    def _may_wait_for(self, answer: object) -> bool:
        return not self._manner.at_once and is_awaitable(answer)

    async def _patiently(self, implementation: Implementation, pending: Awaitable[Any]) -> Any:
        try:
            answer = await self._end(asyncio.create_task(_run(pending)), self._patience)
        except StanzaError:
            raise
        except Exception as error:
            raise self._as_refusal(implementation, error) from error
        return self._checked(implementation, answer)

    async def _begin(self, pending: Awaitable[Any]) -> asyncio.Task[Any]:
        """Have somebody begin, and give them a moment before the next one is told."""
        task = asyncio.create_task(_run(pending))
        await asyncio.wait((task,), timeout=self._grace)
        return task

    async def _end(self, task: asyncio.Task[Any], patience: float) -> Any:
        """Wait for somebody, but not for ever, even if they refuse to be cancelled."""
        try:
            await asyncio.wait((task,), timeout=patience)
        finally:
            if not task.done():
                task.cancel()
                self._left.add(task)
                task.add_done_callback(self._forget)
        if task in self._left:
            raise TimeoutError(f"took more than {self._patience:g} seconds")
        if task.cancelled():
            raise RuntimeError("was cancelled from within")
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else will ask for it

    # Failures

    def _nonsense(self, answer: Any) -> Nonsense:
        if inspect.iscoroutine(answer):
            answer.close()  # nobody will wait for it
        return Nonsense(answer, self._answers.wanted)

    def _as_refusal(self, implementation: Implementation, error: BaseException) -> StanzaError:
        self._complain(implementation, error)
        return StanzaError(
            "internal-server-error", "This could not be processed; the admin finds more in the log"
        )

    def _complain(self, implementation: Implementation, error: BaseException) -> None:
        self._log.error("plugin failed", plugin=implementation.plugin, hook=self.name, exc_info=error)


async def _run(pending: Awaitable[Any]) -> Any:
    try:
        return await pending
    except SystemExit as error:
        raise RuntimeError("wanted to end the server") from error


class Hooks:
    """All hooks of one server, and the plugins behind them."""

    def __init__(
        self,
        specifications: ModuleType,
        log: FilteringBoundLogger,
        *,
        patience: float | None = None,
        watch: Callable[[Implementation, str], Implementation] | None = None,
    ) -> None:
        self._manager = pluggy.PluginManager(NAME)
        self._manager.add_hookspecs(specifications)
        self._module = specifications
        self._log = log
        self._patience = patience
        self._watch = watch
        hooks = vars(self._manager.hook)
        self._names = [
            name for name in vars(specifications) if isinstance(hooks.get(name), pluggy.HookCaller)
        ]
        self._hooks: dict[str, Hook] = {}
        self._waiting: list[tuple[object, str]] = []

    def register(self, plugin: object, name: str) -> None:
        """Add a plugin behind those that are there.

        Raises:
            PluginError: If the name is taken.
        """
        if any(taken == name for _, taken in self._waiting):
            raise PluginError(f"there are two plugins named {name!r}")
        self._waiting.append((plugin, name))

    def bind(self) -> None:
        """Look the plugins through; from now on the hooks can be called.

        Raises:
            PluginError: If a plugin implements a hook that does not exist, or asks for arguments it does not have.
        """
        # pluggy calls the last-registered first, so it is told of them from the last to the first.
        for plugin, name in reversed(self._waiting):
            try:
                self._manager.register(plugin, name)
            except (pluggy.PluginValidationError, ValueError) as error:
                raise PluginError(f"plugin {name!r} can't be used: {error}") from error
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(str(error)) from error
        self._hooks = {name: self._hook(name) for name in self._names}
        vars(self).update(self._hooks)  # each is asked for with every message

    def _hook(self, name: str) -> Hook:
        caller: pluggy.HookCaller = getattr(self._manager.hook, name)
        specification = getattr(self._module, name)
        manner = manner_of(specification)
        found = list(reversed(caller.get_hookimpls()))
        if manner.at_once or kind_of(name) == "declare":
            for one in found:
                if inspect.iscoroutinefunction(one.function):
                    raise PluginError(f"plugin {one.plugin_name!r} can't be used: {name} must not be async")
        implementations = [
            Implementation(one.plugin_name, one.function, picker(one.argnames)) for one in found
        ]
        if self._watch is not None:
            implementations = [self._watch(one, name) for one in implementations]
        answers = answers_to(specification, self._module)
        return Hook(name, implementations, answers, manner, self._log, patience=self._patience)

    def __getattr__(self, name: str) -> Hook:
        raise AttributeError(f"there is no hook {name!r}, or the plugins are not bound yet")

    def __iter__(self) -> Iterator[Hook]:
        return iter(self._hooks.values())

    @property
    def plugins(self) -> list[str]:
        """The names of all plugins, in order."""
        return [name for _, name in self._waiting]


Kind = Literal["declare", "refine", "ask", "announce"]


def kind_of(name: str) -> Kind:
    """Tell a hook's kind by its name."""
    if name.startswith("register_"):
        return "declare"
    if name.startswith("refine_"):
        return "refine"
    if name.startswith(("find_", "choose_", "keep_", "may_")):
        return "ask"
    return "announce"
