"""Results made up for tests."""

from contrib.bench.archive_paging import Paging
from contrib.bench.figures import Case, Results
from contrib.bench.plan import FULL, Step
from contrib.bench.report import PERFECT, Latency, Report

REPORT = Report(
    clients=2,
    logins_per_second=100.0,
    server_cpu_ms_per_login=1.0,
    login_server_share=0.99,
    login_generator_share=0.2,
    memory_bytes_per_client=30_000.0,
    memory_bytes=10_000_000,
    seconds=1.0,
    count=1000,
    per_second=1000.0,
    latency=Latency(1.0, 2.0, 3.0),
    server_cpu_us_each=100.0,
    server_cpu_share=0.99,
    generator_cpu_us_each=10.0,
    generator_cpu_share=0.2,
    others_cpu_share=0.0,
    stolen_cpu_share=0.0,
    correctness=PERFECT,
    surprise="",
)
STEP = Step("chat-on", "{archive}: {clients} clients", "chat")
OURS, THEIRS = Case(STEP, "imserver"), Case(STEP, "prosody")
PAGING = [Paging(10_000, 2.0, 1.0, 3.0), Paging(1_000_000, 2.0, 1.1, 3.0)]


def everything() -> Results:
    """Every step of the plan, each server the same."""
    return {Case(step, server): [REPORT] * step.repeat for step in FULL.steps for server in step.servers}
