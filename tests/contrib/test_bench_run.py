"""contrib/bench: the smallest run there is, from a server that starts to a table."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from contrib.bench.peers.packages import OPENSSL
from contrib.bench.run import bench, read_options


@pytest.mark.skipif(not OPENSSL.is_installed, reason="openssl is not installed")
@pytest.mark.parametrize("step", ["chat-on", "reconnect"])
def test_a_small_run_finds_everything_delivered(step: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = read_options(
        [
            *("--only", step, "--servers", "imserver", "--clients", "4", "--repeat", "1"),
            *("--warm-up", "0.2", "--seconds", "1", "--json", str(figures), "--no-install"),
        ]
    )
    console = Console(width=150, record=True, quiet=True)

    status = bench(options, console, pytest.fail)

    (run,) = json.loads(figures.read_text())["runs"]
    assert status == 0
    assert not any(run["correctness"].values())
    assert run["count"] >= 3
