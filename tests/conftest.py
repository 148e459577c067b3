"""What all tests share: time enough; and where everything needed is installed, a skipped test is a failed one."""

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator, Iterator
from functools import cache
from importlib.metadata import entry_points

import pytest
import uvloop
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, settings

# The same examples each time, however busy the machine is.
settings.register_profile(
    "imserver", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("imserver")

NO_SKIPS = bool(os.environ.get("IMSERVER_NO_SKIPS"))

#: What the server does when somebody else is slow, it must not do because the machine is.
WHEN_OTHERS_ARE_SLOW = (
    "features.administration.PATIENCE",
    "features.health.DATABASE_SECONDS",
    "hooks.GRACE",
    "hooks.PATIENCE",
    "net.tcp.HANDSHAKE_SECONDS",
    "running.STOP_SECONDS",
    "running.SWEEP_SECONDS",
)


@pytest.fixture(scope="session", autouse=True)
def _nobody_hurries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in WHEN_OTHERS_ARE_SLOW:
            patch.setattr(f"imserver.{name}", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """Keep what is read from the disk when a server starts, which is once a test: migrations, and what is installed."""
    read = cache(ScriptDirectory)

    def from_config(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        assert location is not None
        return read(location)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", from_config)
        patch.setattr("imserver.loading.entry_points", cache(entry_points))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if NO_SKIPS and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{reason}\nIMSERVER_NO_SKIPS is set: nothing may be skipped here."


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], AbstractEventLoop]]:
    """Run on the loop that the server runs on."""
    return {"uvloop": uvloop.new_event_loop}
