"""What all tests share: where everything needed is installed, a skipped test is a failed one."""

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator

import pytest
import uvloop
from hypothesis import settings

# The same examples each time, however busy the machine is.
settings.register_profile("imserver", deadline=None, derandomize=True)
settings.load_profile("imserver")

NO_SKIPS = bool(os.environ.get("IMSERVER_NO_SKIPS"))


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
