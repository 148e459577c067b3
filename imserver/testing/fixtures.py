"""For pytest, by `-p imserver.testing.fixtures`: a stage for each test, and two clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from imserver.testing.actor import Actor
from imserver.testing.stage import Stage, staged


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "settings(**tables): settings of the server on stage, by table")


@pytest.fixture
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A server of its own for each scene; `@pytest.mark.settings(table={"key": value})` changes its settings."""
    overrides: dict[str, Any] = {}
    for mark in request.node.iter_markers("settings"):
        overrides = mark.kwargs | overrides
    async with staged(tmp_path, overrides) as one:
        yield one


@pytest.fixture
async def ana(stage: Stage) -> Actor:
    """Ana is online; nobody is her contact."""
    return await stage.comes_online("ana")


@pytest.fixture
async def luis(stage: Stage) -> Actor:
    """Luis is online; nobody is his contact."""
    return await stage.comes_online("luis")
