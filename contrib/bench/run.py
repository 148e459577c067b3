"""Measure imserver side by side with other servers: `python contrib/bench/run.py --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from contrib.bench.accounts import make_accounts, write_accounts
from contrib.bench.figures import MEASURES, Case, Results, compare, figure, refusals, remarks
from contrib.bench.load import DRAIN_SECONDS, SIGN_IN_DEADLINE, Report
from contrib.bench.peers import PEERS, PeerError
from contrib.bench.sign_in import Security
from contrib.bench.table import draw

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Options:
    servers: Sequence[str]
    archives: Sequence[bool]
    clients: int
    in_flight: int
    seconds: float
    warm_up: float
    security: Security
    repeat: int
    json: Path | None


def main() -> int:
    options = read_options()
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        results = measure_all(options, console)
    except (PeerError, LoadError, subprocess.TimeoutExpired) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    for archive in options.archives:
        console.print(draw(archive, results))
    for line in (*refusals(results), *remarks(results)):
        console.print(line, style="yellow", markup=False)
    if options.json:
        options.json.write_text(json.dumps(as_json(options, results), indent=2) + "\n")
    return 0 if all(r.correctness.is_perfect for reports in results.values() for r in reports) else 1


def measure_all(options: Options, console: Console) -> Results:
    """Run every case as often as wanted, the servers taking turns."""
    cases = [Case(server, archive) for archive in options.archives for server in options.servers]
    results: Results = {case: [] for case in cases}
    for server in options.servers:
        PEERS[server].require()
    with console.status("") as status:
        for turn in range(options.repeat):
            for case in cases:
                status.update(f"{case}, {turn + 1} of {options.repeat}")
                results[case].append(measure(case, options))
    return results


def measure(case: Case, options: Options) -> Report:
    """Start a server on an empty store, load it, stop it."""
    with tempfile.TemporaryDirectory(prefix="imserver-bench-") as name:
        folder = Path(name)
        accounts = make_accounts(options.clients)
        roll = folder / "roll.csv"
        write_accounts(roll, accounts)
        peer = PEERS[case.server](archive=case.archive)
        peer.prepare(folder, accounts)
        try:
            peer.start()
            return load(options, roll, peer.address(options.security).port, peer.pids())
        except LoadError as error:
            raise PeerError(f"{case}: {error}\n{peer.last_words()}") from error
        finally:
            peer.stop()


class LoadError(Exception):
    """The load generator gave up."""


def load(options: Options, roll: Path, port: int, watch: Sequence[int]) -> Report:
    """Run the load in a process of its own.

    Raises:
        LoadError: If it says nothing.
    """
    command = [
        *(sys.executable, "-m", "contrib.bench.load", "--accounts", str(roll), "--port", str(port)),
        *("--clients", str(options.clients), "--in-flight", str(options.in_flight)),
        *("--security", options.security, "--warm-up", str(options.warm_up)),
        *("--seconds", str(options.seconds), "--watch", ",".join(map(str, watch))),
    ]
    finished = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * SIGN_IN_DEADLINE + options.warm_up + options.seconds + DRAIN_SECONDS + 30,
        check=False,
    )
    if not finished.stdout:
        raise LoadError(finished.stderr[-2000:])
    return Report.from_json(finished.stdout)


def as_json(options: Options, results: Results) -> dict[str, object]:
    return {
        "machine": machine(),
        "options": {key: str(value) for key, value in asdict(options).items()},
        "runs": [
            {"server": case.server, "archive": case.archive, "turn": turn, **asdict(report)}
            for case, reports in results.items()
            for turn, report in enumerate(reports, start=1)
        ],
        "medians": [
            {"server": case.server, "archive": case.archive}
            | {measure.title: asdict(figure(measure, reports)) for measure in MEASURES}
            for case, reports in results.items()
        ],
        "ratios": [
            {"of": ours.server, "to": theirs.server, "archive": ours.archive, "measure": measure.title}
            | asdict(ratio)
            for ours, theirs, measure, ratio in compare(results)
        ],
        "refused": list(refusals(results)),
    }


def machine() -> dict[str, object]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "python_loop_ns": time_python_loop(),
    }


def time_python_loop() -> float:
    """Time a pure Python loop, so that figures of two machines can be laid side by side."""
    rounds = 1_000_000
    begun = time.process_time()
    for _ in range(rounds):
        pass
    return (time.process_time() - begun) / rounds * 1e9


def read_options(arguments: Sequence[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--servers", default="imserver,prosody", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--clients", type=int, default=100, help="an even number: they chat in pairs")
    parser.add_argument("--in-flight", type=int, default=4, help="messages on their way in each pair")
    parser.add_argument("--seconds", type=float, default=8.0, help="of measuring, a run")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before measuring")
    parser.add_argument("--archive", choices=["on", "off", "both"], default="both")
    parser.add_argument("--tls", action="store_true", help="direct TLS instead of plain TCP")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, the servers taking turns")
    parser.add_argument("--json", type=Path, help="write everything to this file too")
    given = parser.parse_args(arguments)
    servers = given.servers.split(",")
    if unknown := [server for server in servers if server not in PEERS]:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(PEERS)}")
    if given.clients < 2 or given.clients % 2 or given.repeat < 1 or given.in_flight < 1:
        parser.error("clients come in pairs; --repeat and --in-flight are at least 1")
    return Options(
        servers=servers,
        archives={"on": [True], "off": [False], "both": [False, True]}[given.archive],
        clients=given.clients,
        in_flight=given.in_flight,
        seconds=given.seconds,
        warm_up=given.warm_up,
        security=Security.DIRECT_TLS if given.tls else Security.NONE,
        repeat=given.repeat,
        json=given.json,
    )


if __name__ == "__main__":
    sys.exit(main())
