"""Which plugins a server has: those that ship with it, those installed, and files named in the settings."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel

from imserver import hookspecs
from imserver.desk import log as desk_log
from imserver.desk import strategies
from imserver.desk.plugin import DeskPlugin
from imserver.hooks import Hooks, PluginError
from imserver.settings import plugin_settings, refuse_unread_tables
from imserver.tracing import watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

    from structlog.typing import FilteringBoundLogger

    from imserver.settings import Settings
    from imserver.tracing import Trace

#: The entry-point group of installed plugins.
GROUP: Final = "imserver"

#: What somebody else's module can fail with while it is imported and made.
BROKEN: Final = (Exception, SystemExit)

Source = Literal["built in", "bundled", "installed", "file"]

#: What every server has, in the order in which its hooks are called.
BUILT_IN: Final = (
    "accounts",
    "stanza_ids",
    "blocking",
    "roster",
    "presence",
    "archive",
    "carbons",
    "offline",
    "disco",
    "caps",
    "ping",
    "version",
    "time",
    "last_activity",
    "vcard",
    "private_storage",
    "commands",
    "administration",
    "http_upload",
    "websocket_discovery",
    "health",
)
#: What it has besides, if it has a desk.
WITH_A_DESK: Final = ("strategies", "desk", "desk_log")


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin, and where it comes from."""

    name: str
    source: Source
    #: The distribution and its version, or the file.
    place: str
    plugin: object


def load(
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    patience: float | None = None,
    trace: Trace | None = None,
) -> Hooks:
    """Find all plugins, hand each its settings, and bind their hooks; with a trace, it is told of each call.

    Raises:
        PluginError: If one can't be used; it is named.
        SettingsError: If a plugin's table does not fit, or belongs to nobody.
    """
    return bind(find(settings), settings, log, patience=patience, trace=trace)


def bind(
    plugins: Iterable[Found],
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    patience: float | None = None,
    trace: Trace | None = None,
) -> Hooks:
    """Put what was found behind the hooks.

    Raises:
        PluginError: If one can't be used; it is named.
        SettingsError: If a table belongs to nobody.
    """
    hooks = Hooks(hookspecs, log, patience=patience, watch=partial(watched, trace=trace) if trace else None)
    read = []
    for found in plugins:
        hooks.register(found.plugin, found.name)
        if has_settings(found):
            read.append(found.name)
    refuse_unread_tables(settings, read)
    hooks.bind()
    return hooks


def find(settings: Settings) -> Iterator[Found]:
    """Find what these settings load, in the order in which it is asked.

    Raises:
        PluginError: If one can't be used; it is named.
        SettingsError: If a plugin's table does not fit.
    """
    for name in BUILT_IN:
        yield Found(
            name, "built in", "", _make(importlib.import_module(f"imserver.features.{name}"), settings)
        )
    if settings.desk.file is not None:
        for name, plugin in zip(
            WITH_A_DESK, (strategies, DeskPlugin(settings.desk.file), desk_log), strict=True
        ):
            yield Found(name, "built in", "", plugin)
    points = installed() if settings.plugins.enabled else {}  # looking for them takes a while
    for name in settings.plugins.enabled:
        if name not in points:
            known = ", ".join(sorted(points)) or "none"
            raise PluginError(f"there is no plugin named {name!r}; installed are: {known}")
        try:
            module = points[name].load()
        except BROKEN as error:
            raise PluginError(f"plugin {name!r} can't be imported: {error!r}") from error
        yield Found(name, source_of(points[name]), place_of(points[name]), _make(module, settings, name))
    for path in settings.plugins.paths:
        yield Found(path.stem, "file", str(path), _make(_import_file(path), settings, path.stem))


def installed() -> dict[str, EntryPoint]:
    """Find the plugins that could be enabled, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def source_of(point: EntryPoint) -> Source:
    """Tell whether an installed plugin ships with us."""
    return "bundled" if point.dist is not None and point.dist.name == "imserver" else "installed"


def place_of(point: EntryPoint) -> str:
    """Tell which distribution an installed plugin is of."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else ""


def has_settings(found: Found) -> bool:
    """Tell whether it has a table of its own, `[plugins.<its name>]`."""
    return found.source != "built in" and hasattr(found.plugin, "register_settings")


def _import_file(path: Path) -> ModuleType:
    # A name of its own for each file: two servers in one process may load two that are called alike.
    specification = importlib.util.spec_from_file_location(
        f"imserver_plugin_{abs(hash(path))}_{path.stem}", path
    )
    if specification is None or specification.loader is None or not path.is_file():
        raise PluginError(f"there is no plugin at {path}: a .py file is expected")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    try:
        specification.loader.exec_module(module)
    except BROKEN as error:
        raise PluginError(f"plugin {path} can't be imported: {error!r}") from error
    return module


def _make(module: ModuleType, settings: Settings, name: str = "") -> object:
    """A plugin is a module, or the class `Plugin` in it: then each server has one of its own."""
    kind: Any = getattr(module, "Plugin", None)
    if not inspect.isclass(kind):
        return module
    models = _models(kind, name) if name and hasattr(kind, "register_settings") else []
    arguments = [plugin_settings(settings, name, model) for model in models]
    try:
        return kind(*arguments)
    except BROKEN as error:
        raise PluginError(f"plugin {name or module.__name__!r} can't be made: {error!r}") from error


def _models(kind: Any, name: str) -> list[type[BaseModel]]:
    """Ask for the model of the settings: before there is a plugin, so not by the hooks."""
    try:
        models = kind.register_settings()
        if inspect.iscoroutine(models):
            models.close()
            raise TypeError("it must not be async")
        models = list(models)
    except BROKEN as error:
        raise PluginError(f"plugin {name!r} failed in register_settings: {error!r}") from error
    if len(models) > 1 or not all(inspect.isclass(one) and issubclass(one, BaseModel) for one in models):
        raise PluginError(
            f"plugin {name!r} failed in register_settings: expected a list of one pydantic model"
        )
    return models
