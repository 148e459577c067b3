"""Who is on stage when the curtain rises."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenes.actors import Actor, Stage, staged


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
