"""Which plugins a server has: those that ship with it, those installed, and files named in the settings."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from imserver import hookspecs
from imserver.desk import log as desk_log
from imserver.desk import strategies
from imserver.desk.plugin import DeskPlugin
from imserver.hooks import Hooks, PluginError
from imserver.settings import plugin_settings, refuse_unread_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from structlog.typing import FilteringBoundLogger

    from imserver.settings import Settings

#: The entry-point group of installed plugins.
GROUP: Final = "imserver"

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


def load(settings: Settings, log: FilteringBoundLogger) -> Hooks:
    """Find all plugins, hand each its settings, and bind their hooks.

    Raises:
        PluginError: If one can't be used; it is named.
        SettingsError: If a plugin's table does not fit, or belongs to nobody.
    """
    hooks = Hooks(hookspecs, log)
    for name in BUILT_IN:
        hooks.register(_make(importlib.import_module(f"imserver.features.{name}"), settings), name)
    if settings.desk.file is not None:
        hooks.register(strategies, "strategies")
        hooks.register(DeskPlugin(settings.desk.file), "desk")
        hooks.register(desk_log, "desk_log")
    read = []
    for name, module in _find(settings):
        plugin = _make(module, settings, name)
        hooks.register(plugin, name)
        if hasattr(plugin, "register_settings"):
            read.append(name)
    refuse_unread_tables(settings, read)
    hooks.bind()
    return hooks


def _find(settings: Settings) -> Iterator[tuple[str, ModuleType]]:
    installed = {point.name: point for point in entry_points(group=GROUP)}
    for name in settings.plugins.enabled:
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none"
            raise PluginError(f"there is no plugin named {name!r}; installed are: {known}")
        try:
            yield name, installed[name].load()
        except Exception as error:
            raise PluginError(f"plugin {name!r} can't be imported: {error!r}") from error
    for path in settings.plugins.paths:
        yield path.stem, _import_file(path)


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
    except Exception as error:
        raise PluginError(f"plugin {path} can't be imported: {error!r}") from error
    return module


def _make(module: ModuleType, settings: Settings, name: str = "") -> object:
    """A plugin is a module, or the class `Plugin` in it: then each server has one of its own."""
    kind: Any = getattr(module, "Plugin", None)
    if not inspect.isclass(kind):
        return module
    models = list(kind.register_settings()) if name and hasattr(kind, "register_settings") else []
    arguments = [plugin_settings(settings, name, model) for model in models]
    try:
        return kind(*arguments)
    except Exception as error:
        raise PluginError(f"plugin {name or module.__name__!r} can't be made: {error!r}") from error
