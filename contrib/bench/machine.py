"""Where it was measured."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    python_loop_ns: float
    """A turn of an empty loop: figures of two machines can be laid side by side."""

    @classmethod
    def this(cls) -> Machine:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(
            cpu=models[0] if models else platform.machine(),
            cores=os.cpu_count() or 1,
            memory_gb=memory / 1e9,
            system=f"{_distribution()}, Linux {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            python_loop_ns=time_python_loop(),
        )

    def __str__(self) -> str:
        return (
            f"{self.cpu}, {self.cores} cores, {self.memory_gb:.0f} GB, {self.system}, {self.python}"
            f" ({self.python_loop_ns:.0f} ns a turn of an empty loop)"
        )


def time_python_loop() -> float:
    rounds = 1_000_000
    begun = time.process_time()
    for _ in range(rounds):
        pass
    return (time.process_time() - begun) / rounds * 1e9


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"
