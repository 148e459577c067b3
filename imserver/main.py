"""Run a server until somebody stops it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvloop

from imserver.net.tls import CertificateError
from imserver.running import Running, running
from imserver.settings import SettingsError, read_settings
from imserver.tracing import Asked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from structlog.typing import FilteringBoundLogger

    from imserver.server import Server
    from imserver.settings import Settings
    from imserver.tracing import Trace


#: Set to 1 to have every call of a hook told.
TRACE: Final = "IMSERVER_TRACE_HOOKS"
#: malloc.h.
_M_ARENA_MAX: Final = -8


def run(
    settings: Settings, *, config: Path | None = None, ready: Callable[[Server], None] | None = None
) -> None:
    """Run a server until SIGTERM or SIGINT; SIGHUP reads the settings again.

    Raises:
        CertificateError: If certificate or key can't be used.
        PluginError: If a plugin can't be used; it is named.
        SettingsError: If a plugin's table does not fit.
        OSError: If a listener can't be opened.
    """
    _share_memory()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, config, ready))


async def _serve(settings: Settings, config: Path | None, ready: Callable[[Server], None] | None) -> None:
    log = make_log(settings)
    stop, hung_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    # At once: until somebody listens to it, a signal ends the process, though it may be serving already.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if config is not None:
        loop.add_signal_handler(signal.SIGHUP, hung_up.set)
    async with running(settings, log, trace=_trace(settings, log)) as one:
        if config is not None:
            loop.add_signal_handler(signal.SIGHUP, _read_again, one, config)
            if hung_up.is_set():
                _read_again(one, config)
        _collect_less()
        log.info("listening", domain=settings.domain, **one.ports)
        if ready is not None:
            ready(one.server)
        await stop.wait()
        log.info("stopping")
    log.info("stopped")


def _share_memory() -> None:
    """Have glibc keep one heap for all threads: each further one is a few megabytes that only its thread reuses."""
    with suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _collect_less() -> None:
    """Look for garbage in rings seldom, and never in what is there from the start: stanzas make hardly any."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _read_again(one: Running, config: Path) -> None:
    log = one.server.log
    try:
        live, later = one.adopt(read_settings(config.read_text(encoding="utf-8"), config))
    except (SettingsError, CertificateError, OSError) as error:
        log.error("the settings could not be read again; nothing has changed", reason=str(error))
        return
    _set_level(one.server.settings)
    log.info("read the settings again", changed=list(live), needs_restart=list(later))


def make_log(settings: Settings) -> FilteringBoundLogger:
    """Make the log: lines for people or JSON for machines, on standard error; never a body or a password."""
    for_machines = settings.log.format == "json"
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if for_machines
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the other one shows bodies and passwords: locals
        )
    )
    _set_level(settings)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            _below_level,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if for_machines else []),
            renderer,
        ],
    )
    return logger


def _trace(settings: Settings, log: FilteringBoundLogger) -> Trace | None:
    """Make what tells of each call of a hook, if somebody wants to know."""
    if os.environ.get(TRACE, "") in ("", "0"):
        return None

    def tell(asked: Asked) -> None:
        if settings.log.format == "json":
            log.info("hook asked", **asdict(asked))
        else:
            sys.stderr.write(f"{asked}\n")

    return tell


#: Read by every line: the level can change while the server runs.
_LEVEL = logging.getLogger("imserver")


def _set_level(settings: Settings) -> None:
    _LEVEL.setLevel(settings.log.level.upper())


def _below_level(logger: Any, method: str, event: Any) -> Any:
    if not _LEVEL.isEnabledFor(logging.getLevelName(method.upper())):
        raise structlog.DropEvent
    return event
