"""What a server costs, read from /proc: CPU time and memory of all its processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/<pid>/stat (proc(5))."""

    pid: int
    parent: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything at one moment; two of them make a Usage."""

    at: float
    cpu_seconds: float
    own_cpu_seconds: float
    machine_cpu_seconds: float
    stolen_seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What happened between two samples; a share of 1 is one core."""

    seconds: float
    cpu_seconds: float
    own_cpu_seconds: float
    others_cpu_seconds: float
    stolen_seconds: float

    @property
    def server_share(self) -> float:
        return self.cpu_seconds / self.seconds

    @property
    def generator_share(self) -> float:
        return self.own_cpu_seconds / self.seconds

    @property
    def others_share(self) -> float:
        """What neither the server nor the generator used: a busy machine measures badly."""
        return self.others_cpu_seconds / self.seconds

    @property
    def stolen_share(self) -> float:
        """What the host gave to other virtual machines."""
        return self.stolen_seconds / self.seconds


def sample(roots: Iterable[int]) -> Sample:
    """Read the clocks of these processes and of all their descendants."""
    processes = with_descendants(set(roots), running_processes())
    machine, stolen = parse_machine_stat(Path("/proc/stat").read_text())
    return Sample(
        at=time.perf_counter(),
        cpu_seconds=sum(process.cpu_seconds for process in processes),
        own_cpu_seconds=time.process_time(),
        machine_cpu_seconds=machine,
        stolen_seconds=stolen,
    )


def memory_of(roots: Iterable[int]) -> int:
    """Add up what these processes and their descendants keep in memory, in bytes.

    A page that several of them share counts once (PSS): PostgreSQL's share their buffers.
    """
    return sum(_memory(process.pid) for process in with_descendants(set(roots), running_processes()))


def _memory(pid: int) -> int:
    try:
        return parse_memory(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):  # gone since
        return 0


def parse_memory(text: str) -> int:
    """Find the proportional set size in /proc/<pid>/smaps_rollup (proc(5))."""
    line = next((line for line in text.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024


def usage_between(before: Sample, after: Sample) -> Usage:
    cpu = after.cpu_seconds - before.cpu_seconds
    own = after.own_cpu_seconds - before.own_cpu_seconds
    machine = after.machine_cpu_seconds - before.machine_cpu_seconds
    return Usage(
        seconds=after.at - before.at,
        cpu_seconds=cpu,
        own_cpu_seconds=own,
        others_cpu_seconds=max(machine - cpu - own, 0.0),
        stolen_seconds=after.stolen_seconds - before.stolen_seconds,
    )


def with_descendants(roots: set[int], processes: list[Process]) -> list[Process]:
    family = set(roots)
    while newborn := {each.pid for each in processes if each.parent in family} - family:
        family |= newborn
    return [process for process in processes if process.pid in family]


def running_processes() -> list[Process]:
    processes = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            line = (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # gone since
            continue
        processes.append(parse_process_stat(line))
    return processes


def parse_process_stat(line: str) -> Process:
    # The second field is the name in brackets, which may hold spaces and brackets itself.
    pid, _, rest = line.partition(" (")
    fields = rest.rpartition(") ")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return Process(int(pid), int(fields[1]), (user + system) * TICK)


def parse_machine_stat(text: str) -> tuple[float, float]:
    """Return what all cores spent working, and what was stolen from them, in seconds."""
    first = text.split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, stolen, *_ = map(int, first)
    return (user + nice + system + irq + softirq) * TICK, stolen * TICK
