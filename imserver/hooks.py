"""How plugins are asked: four kinds of hooks over pluggy.

pluggy finds, validates and orders the plugins; it calls only plain functions, so the calling is done here.
A hook that nobody implements is falsy and costs its caller one test. A call is synchronous, from the first plugin
to the last, unless one of them is `async`: then the call returns an awaitable, and its caller waits.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import pluggy

from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from types import ModuleType

    from structlog.typing import FilteringBoundLogger
    from typing_extensions import TypeIs

NAME: Final = "imserver"

T = TypeVar("T")

#: Marks a function of a plugin as the implementation of the hook that has its name.
hookimpl = pluggy.HookimplMarker(NAME)
hookspec = pluggy.HookspecMarker(NAME)

#: How long an `async` implementation may take before it counts as failed, in seconds.
PATIENCE: Final = 10.0


class Dropped(Enum):
    """The type of `DROP`."""

    DROP = "drop"


#: What a `refine_` hook returns to have the thing vanish, without an answer.
DROP: Final = Dropped.DROP


class PluginError(Exception):
    """A plugin that can't be used, and why."""


class Implementation:
    """One plugin's part in one hook."""

    __slots__ = ("function", "pick", "plugin")

    def __init__(self, plugin: str, function: Callable[..., Any], arguments: Sequence[str]) -> None:
        self.plugin = plugin
        self.function = function
        #: Takes those arguments that it wants out of all.
        self.pick = _picker(arguments)


def _picker(names: Sequence[str]) -> Callable[[dict[str, Any]], Sequence[Any]]:
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

    __slots__ = ("_implementations", "_log", "name")

    def __init__(
        self, name: str, implementations: Iterable[Implementation], log: FilteringBoundLogger
    ) -> None:
        self.name = name
        self._implementations = tuple(implementations)
        self._log = log

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
            PluginError: If one of them fails; nothing starts then.
        """
        declared: list[tuple[str, Any]] = []
        for implementation in self._implementations:
            try:
                declared += [
                    (implementation.plugin, one)
                    for one in implementation.function(*implementation.pick(context))
                ]
            except Exception as error:
                raise PluginError(
                    f"plugin {implementation.plugin!r} failed in {self.name}: {error!r}"
                ) from error
        return declared

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
            except Exception as error:
                raise self._as_refusal(implementation, error) from error
            if answer is None:
                continue
            if answer is DROP:
                return Dropped.DROP
            if is_awaitable(answer):
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
            except Exception as error:
                raise self._as_refusal(implementation, error) from error
            if answer is None:
                continue
            if is_awaitable(answer):
                return self._ask_later(implementation, answer, context)
            return answer
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

    # announce: everybody is told

    def announce(self, **context: Any) -> Awaitable[None] | None:
        """Tell every plugin; who fails is named in the log, and the rest are told all the same."""
        for implementation in self._implementations:
            try:
                answer = implementation.function(*implementation.pick(context))
            except Exception as error:
                self._complain(implementation, error)
                continue
            if answer is not None and is_awaitable(answer):
                return self._announce_later(implementation, answer, context)
        return None

    async def _announce_later(
        self, implementation: Implementation, pending: Awaitable[Any], context: dict[str, Any]
    ) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await pending
        except Exception as error:
            self._complain(implementation, error)
        for later in self._behind(implementation):
            try:
                answer = later.function(*later.pick(context))
                if is_awaitable(answer):
                    async with asyncio.timeout(PATIENCE):
                        await answer
            except Exception as error:
                self._complain(later, error)

    # Once somebody has to be waited for, there is time

    def _behind(self, implementation: Implementation) -> Sequence[Implementation]:
        return self._implementations[self._implementations.index(implementation) + 1 :]

    async def _call(self, implementation: Implementation, context: dict[str, Any]) -> Any:
        try:
            answer = implementation.function(*implementation.pick(context))
        except StanzaError:
            raise
        except Exception as error:
            raise self._as_refusal(implementation, error) from error
        return await self._patiently(implementation, answer) if is_awaitable(answer) else answer

    # Failures

    async def _patiently(self, implementation: Implementation, pending: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                return await pending
        except StanzaError:
            raise
        except Exception as error:
            raise self._as_refusal(implementation, error) from error

    def _as_refusal(self, implementation: Implementation, error: Exception) -> StanzaError:
        self._complain(implementation, error)
        return StanzaError(
            "internal-server-error", "This could not be processed; the admin finds more in the log"
        )

    def _complain(self, implementation: Implementation, error: Exception) -> None:
        self._log.error("plugin failed", plugin=implementation.plugin, hook=self.name, exc_info=error)


class Hooks:
    """All hooks of one server, and the plugins behind them."""

    def __init__(self, specifications: ModuleType, log: FilteringBoundLogger) -> None:
        self._manager = pluggy.PluginManager(NAME)
        self._manager.add_hookspecs(specifications)
        self._log = log
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
        implementations = [
            Implementation(found.plugin_name, found.function, tuple(found.argnames))
            for found in reversed(caller.get_hookimpls())
        ]
        return Hook(name, implementations, self._log)

    def __getattr__(self, name: str) -> Hook:
        raise AttributeError(f"there is no hook {name!r}, or the plugins are not bound yet")

    def __iter__(self) -> Any:
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
