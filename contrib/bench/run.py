"""Measure imserver side by side with other servers, and say which targets are met."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contrib.bench import archive_paging
from contrib.bench.accounts import Population, make_accounts, write_accounts
from contrib.bench.archive_paging import Paging
from contrib.bench.chart import draw_chart, panels
from contrib.bench.figures import MEASURES, Case, Results, figure, laggards, refusals, remarks
from contrib.bench.generator import raise_file_limit
from contrib.bench.machine import Machine
from contrib.bench.orders import Order
from contrib.bench.page import write_page
from contrib.bench.peers import PEERS
from contrib.bench.peers import __doc__ as peers_in_words
from contrib.bench.peers.packages import install, may_install
from contrib.bench.peers.peer import Peer, PeerError
from contrib.bench.plan import FULL, QUICK, Plan, Step, only
from contrib.bench.report import Report
from contrib.bench.table import draw
from contrib.bench.targets import Verdict, judge

ROOT = Path(__file__).resolve().parents[2]
LONGEST_RUN = 300.0
NARROWEST = 150
FILES_A_CLIENT = 1.2
PAGING_CONTACTS, PAGING_PAGES, PAGING_LIMIT = 20, 300, 50

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    plan: Plan
    servers: Sequence[str]
    may_install: bool
    write: bool
    json: Path | None


class LoadError(Exception):
    """The load generator gave up."""


def main() -> int:
    options = read_options()
    console = Console()
    if console.width < NARROWEST and not console.is_terminal:
        console = Console(width=NARROWEST)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    def shout(line: str) -> None:
        console.print(line, style="bold red", markup=False, highlight=False)

    options = replace(options, plan=keep_present(options, shout))
    return bench(options, console, shout)


def bench(options: Options, console: Console, shout: Say) -> int:
    begun = time.monotonic()
    plan = within_file_limit(options.plan, raise_file_limit(), shout)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as progress:
        results = measure_all(plan, progress, shout, console)
        paging = measure_paging(plan, progress)
    verdicts = judge(results, paging)
    console.print(draw(results, paging, verdicts))
    for line in (*refusals(results), *laggards(results), *remarks(results)):
        console.print(line, style="yellow", markup=False, highlight=False)
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    console.print(f"{minutes} min {seconds} s, {Machine.this()}", markup=False, highlight=False)
    if options.json:
        options.json.write_text(json.dumps(as_json(results, paging, verdicts), indent=2) + "\n")
    if options.write:
        write_documents(results, paging, verdicts)
        console.print("written: docs/bench.md, docs/bench.svg", markup=False)
    wanted = {Case(step, server) for step in plan.steps for server in step.servers}
    is_perfect = all(r.correctness.is_perfect for reports in results.values() for r in reports)
    return 0 if is_perfect and wanted == set(results) else 1


def keep_present(options: Options, shout: Say) -> Plan:
    """Install what is missing, or say loudly who is left out."""
    planned = {server for step in options.plan.steps for server in step.servers}
    wanted = [server for server in options.servers if server in planned]
    packages = sorted({name for server in wanted for name in PEERS[server].missing() if " " not in name})
    if packages and options.may_install and may_install():
        shout(f"Installing {' '.join(packages)}; INSTALL=no would leave them out.")
        try:
            install(packages)
        except subprocess.CalledProcessError as error:
            shout(f"apt-get could not install them: {error}")
    present = []
    for server in wanted:
        if missing := PEERS[server].missing():
            shout(f"LEFT OUT: {server}, for {', '.join(missing)} is missing. On Debian: {advice(missing)}")
        else:
            present.append(server)
    steps = [
        replace(step, servers=tuple(server for server in present if server in step.servers))
        for step in options.plan.steps
    ]
    return replace(options.plan, steps=[step for step in steps if step.servers])


def advice(missing: Sequence[str]) -> str:
    packages = [name for name in missing if " " not in name]
    return f"apt-get install {' '.join(packages)}" if packages else "pip install 'imserver[postgresql]'"


def within_file_limit(plan: Plan, limit: int, shout: Say) -> Plan:
    """Leave out the steps with more clients than files may be opened."""
    kept = []
    for step in plan.steps:
        if step.clients * FILES_A_CLIENT + 200 < limit:
            kept.append(step)
        else:
            shout(f"LEFT OUT: {step.name}, for only {limit} files may be open; try `ulimit -Hn`")
    return replace(plan, steps=kept)


def measure_all(plan: Plan, progress: Progress, shout: Say, console: Console) -> Results:
    """Run every case as often as wanted, the servers taking turns."""
    results: Results = {}
    task = progress.add_task("", total=plan.estimate())
    for step in plan.steps:
        servers = list(step.servers)
        for turn in range(step.repeat):
            for server in list(servers):
                case = Case(step, server)
                progress.update(task, description=f"{case}, {turn + 1} of {step.repeat}")
                if not console.is_terminal:
                    console.print(f"{case}, {turn + 1} of {step.repeat}", highlight=False)
                try:
                    results.setdefault(case, []).append(measure(case))
                except Exception as error:  # whatever it is, the others go on
                    shout(f"LEFT OUT: {case}: {type(error).__name__}: {error}")
                    servers.remove(server)
                    results.pop(case)
                progress.advance(task, step.estimate_run(server))
    return results


def measure(case: Case) -> Report:
    """Start a server on an empty store, load it, stop it."""
    step = case.step
    with tempfile.TemporaryDirectory(prefix="imserver-bench-") as name:
        folder = Path(name)
        population = Population(make_accounts(step.clients), step.contacts)
        roll = folder / "roll.csv"
        write_accounts(roll, population.accounts)
        peer = PEERS[case.server](folder, archive=step.archive)
        try:
            peer.prepare(population)
            peer.start()
            return load(order(step, peer, roll))
        except LoadError as error:
            raise PeerError(f"{error}\n{peer.last_words()}") from error
        finally:
            peer.stop()


def order(step: Step, peer: Peer, roll: Path) -> Order:
    return Order(
        workload=step.workload,
        roll=roll,
        address=peer.address(step.security),
        clients=step.clients,
        in_flight=step.in_flight,
        contacts=step.contacts,
        rate=step.rate,
        warm_up=step.warm_up,
        seconds=step.seconds,
        watch=peer.pids(),
    )


def load(order: Order) -> Report:
    """Run the load in a process of its own.

    Raises:
        LoadError: If it says nothing.
    """
    finished = subprocess.run(
        [sys.executable, "-m", "contrib.bench.generator"],
        input=order.to_json(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    if not finished.stdout:
        raise LoadError(finished.stderr[-2000:])
    return Report.from_json(finished.stdout)


def measure_paging(plan: Plan, progress: Progress) -> list[Paging]:
    if not plan.paging:
        return []
    with tempfile.TemporaryDirectory(prefix="imserver-paging-") as folder:
        return uvloop.run(
            archive_paging.compare(
                Path(folder), plan.paging, PAGING_CONTACTS, PAGING_PAGES, PAGING_LIMIT, progress
            )
        )


def write_documents(results: Results, paging: Sequence[Paging], verdicts: Sequence[Verdict]) -> None:
    title = "imserver beside Prosody and ejabberd: 100 clients chat in pairs"
    (ROOT / "docs" / "bench.svg").write_text(draw_chart(panels(results), title))
    servers = dict.fromkeys(case.server for case in results)
    page = write_page(
        results,
        paging,
        verdicts,
        machine=Machine.this(),
        versions={server: PEERS[server].version() for server in servers},
        command="make bench",
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
    )
    (ROOT / "docs" / "bench.md").write_text(page)


def as_json(results: Results, paging: Sequence[Paging], verdicts: Sequence[Verdict]) -> dict[str, object]:
    return {
        "machine": asdict(Machine.this()),
        "runs": [
            {"step": case.step.name, "server": case.server, "turn": turn, **asdict(report)}
            for case, reports in results.items()
            for turn, report in enumerate(reports, start=1)
        ],
        "medians": [
            {"step": case.step.name, "server": case.server}
            | {f"{measure.title}, {measure.unit}": asdict(figure(measure, reports)) for measure in MEASURES}
            for case, reports in results.items()
        ],
        "paging": [asdict(each) for each in paging],
        "targets": [asdict(verdict) for verdict in verdicts],
        "refused": list(refusals(results)),
    }


def read_options(arguments: Sequence[str] | None = None) -> Options:
    names = ", ".join(step.name for step in FULL.steps)
    parser = argparse.ArgumentParser(
        prog="python -m contrib.bench.run",
        description=__doc__,
        epilog=f"{peers_in_words}\nsteps: {names}, paging\n\nOn Debian as root, what is missing is installed"
        " unless --no-install (make bench INSTALL=no).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="under 3 minutes instead of under 15")
    parser.add_argument("--only", default="", help="steps or workloads, separated by commas")
    parser.add_argument("--servers", default="", help=f"of {', '.join(PEERS)} (default: as planned)")
    parser.add_argument("--archive", choices=["on", "off"], help="only the steps with it on, or off")
    parser.add_argument("--clients", type=int, help="instead of the planned number; they come in pairs")
    parser.add_argument("--in-flight", type=int, help="messages on their way in each pair")
    parser.add_argument("--seconds", type=float, help="of measuring, a run")
    parser.add_argument("--warm-up", type=float, help="seconds before measuring")
    parser.add_argument("--repeat", type=int, help="runs of each, the servers taking turns")
    parser.add_argument("--no-install", action="store_true", help="leave out servers that are not installed")
    parser.add_argument("--write", action="store_true", help="write docs/bench.md and docs/bench.svg")
    parser.add_argument("--json", type=Path, help="write everything to this file too")
    parser.add_argument("--list", action="store_true", help="say what would be done, and how long it takes")
    given = parser.parse_args(arguments)
    servers = [server for server in given.servers.split(",") if server]
    if unknown := [server for server in servers if server not in PEERS]:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(PEERS)}")
    if given.clients is not None and (given.clients < 2 or given.clients % 2):
        parser.error("clients come in pairs")
    if min(given.repeat or 1, given.in_flight or 1) < 1:
        parser.error("--repeat and --in-flight are at least 1")
    plan = QUICK if given.quick else FULL
    known = {"paging", *(name for step in plan.steps for name in (step.name, step.workload))}
    if unknown := [name for name in given.only.split(",") if name and name not in known]:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(sorted(known))}")
    plan = adapt(plan, given, servers)
    if given.list:
        parser.exit(0, in_words(plan))
    return Options(
        plan=plan,
        servers=servers or list(PEERS),
        may_install=not given.no_install and os.environ.get("INSTALL", "") != "no",
        write=given.write,
        json=given.json,
    )


def adapt(plan: Plan, given: argparse.Namespace, servers: Sequence[str]) -> Plan:
    """Change the plan to what was asked for."""
    plan = only(plan, given.only.split(",")) if given.only else plan
    asked: dict[str, Any] = {
        name: getattr(given, name)
        for name in ("clients", "in_flight", "seconds", "warm_up", "repeat")
        if getattr(given, name) is not None
    }
    if servers:
        asked["servers"] = tuple(servers)
    steps = [
        with_fewer_contacts(replace(step, **asked))
        for step in plan.steps
        if given.archive is None or step.archive == (given.archive == "on")
    ]
    return replace(plan, steps=steps)


def with_fewer_contacts(step: Step) -> Step:
    """Everybody stands in a circle: nobody can be a contact twice."""
    return replace(step, contacts=min(step.contacts, (step.clients - 1) // 2 * 2))


def in_words(plan: Plan) -> str:
    lines = [
        f"{step.name:15} {step.estimate():5.0f} s  {step.heading}: {', '.join(step.servers)}"
        + (f", {step.repeat} times" if step.repeat > 1 else "")
        for step in plan.steps
    ]
    if plan.paging:
        lines.append(
            f"{'paging':15} {'':7}  the last 50 of {', '.join(f'{n:,}' for n in plan.paging)} messages"
        )
    return "\n".join([*lines, f"about {plan.estimate() / 60:.1f} minutes\n"])


if __name__ == "__main__":
    sys.exit(main())
