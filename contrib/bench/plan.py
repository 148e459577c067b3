"""What `make bench` does, in order, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contrib.bench.sign_in import Security

OURS = ("imserver",)
PEERS = ("imserver", "prosody", "ejabberd")
ALL = ("imserver", "imserver-postgresql", "prosody", "ejabberd")
TLS = Security.DIRECT_TLS


@dataclass(frozen=True, slots=True)
class Step:
    """One workload, for several servers in turns."""

    name: str
    title: str
    workload: str
    archive: bool = True
    servers: tuple[str, ...] = ALL
    clients: int = 100
    in_flight: int = 1
    contacts: int = 0
    rate: int = 0
    security: Security = Security.NONE
    repeat: int = 1
    warm_up: float = 1.0
    seconds: float = 3.0

    @property
    def heading(self) -> str:
        """The title with its figures, whatever they have become."""
        return self.title.format(
            archive="archive on" if self.archive else "archive off",
            clients=f"{self.clients:,}",
            contacts=self.contacts,
            flight=self.in_flight,
            rate=f"{self.rate:,}",
        )

    def estimate(self) -> float:
        """Say about how long it takes, in seconds, on two slow cores."""
        return sum(self.estimate_run(server) for server in self.servers) * self.repeat

    def estimate_run(self, server: str) -> float:
        devices = 3 if self.workload == "carbons" else 1
        logins = self.clients * devices * (2 if self.workload == "reconnect" else 1)
        speed = LOGINS_PER_SECOND[server] * (0.6 if self.security is TLS else 1.0)
        return (
            START_AND_STOP[server]
            + logins / speed
            + self.warm_up
            + self.seconds
            + AFTERWARDS.get(self.workload, 1.5)
            + (self.clients * self.contacts / PRESENCES_PER_SECOND)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    steps: Sequence[Step]
    paging: Sequence[int] = ()
    """Messages stored; the first one is what the others are compared with."""

    def estimate(self) -> float:
        return sum(step.estimate() for step in self.steps) + sum(self.paging) / ROWS_PER_SECOND


# Measured on a virtual machine with two slow cores.
START_AND_STOP = {
    "imserver": 4.0,
    "imserver-bare": 4.0,
    "imserver-desk": 5.0,
    "imserver-desk-plugins": 6.0,
    "imserver-postgresql": 7.0,
    "prosody": 3.5,
    "ejabberd": 8.5,
}
LOGINS_PER_SECOND = {
    "imserver": 120.0,
    "imserver-bare": 120.0,
    "imserver-desk": 110.0,
    "imserver-desk-plugins": 110.0,
    "imserver-postgresql": 110.0,
    "prosody": 200.0,
    "ejabberd": 450.0,
}
AFTERWARDS = {"carbons": 2.5, "reconnect": 4.5, "presence": 2.0}
PRESENCES_PER_SECOND = 4_500.0
ROWS_PER_SECOND = 30_000.0


def chat(name: str, title: str, **rest: Any) -> Step:
    return Step(name, title, "chat", **rest)


CHAT = "{archive}: {clients} clients, {flight} in flight a pair"

# The targets and the chart know some of them by name.
FULL = Plan(
    steps=(
        chat("chat-on", CHAT, in_flight=4, repeat=3),
        chat("chat-off", CHAT, archive=False, servers=PEERS, in_flight=4, repeat=3),
        Step(
            "rate",
            "{archive}: {rate} messages/s, {clients} clients",
            "rate",
            servers=PEERS,
            rate=1000,
            repeat=2,
            seconds=4,
        ),
        Step(
            "idle",
            "{archive}: {clients} idle clients, TLS",
            "idle",
            servers=PEERS,
            clients=1000,
            security=TLS,
            seconds=0.5,
        ),
        chat("chat-on-1", CHAT, servers=PEERS),
        chat("chat-on-tls", f"{CHAT}, TLS", servers=PEERS, in_flight=4, security=TLS),
        chat("chat-on-1000", CHAT, servers=PEERS, clients=1000, in_flight=4),
        chat("chat-off-5000", CHAT, archive=False, servers=PEERS, clients=5000, warm_up=3),
        Step("typing", "{archive}: 10 chat states a message", "typing", servers=PEERS, in_flight=4),
        Step(
            "carbons", "{archive}: {clients} accounts, 3 devices each", "carbons", servers=PEERS, clients=50
        ),
        Step(
            "presence",
            "{archive}: {clients} clients with {contacts} contacts come online",
            "presence",
            servers=PEERS,
            clients=1000,
            contacts=50,
            seconds=0,
        ),
        Step(
            "reconnect",
            "{archive}: {clients} clients reconnect and resume, TLS",
            "reconnect",
            servers=PEERS,
            clients=500,
            security=TLS,
            seconds=0,
        ),
    ),
    paging=(10_000, 100_000, 1_000_000),
)

QUICK = Plan(
    steps=(
        chat("chat-on", CHAT, in_flight=4),
        chat("chat-off", CHAT, archive=False, servers=PEERS, in_flight=4),
        Step(
            "rate",
            "{archive}: {rate} messages/s, {clients} clients",
            "rate",
            servers=PEERS,
            rate=1000,
            seconds=2,
        ),
        Step(
            "idle",
            "{archive}: {clients} idle clients, TLS",
            "idle",
            servers=PEERS,
            clients=200,
            security=TLS,
            seconds=0.5,
        ),
    ),
    paging=(10_000, 100_000),
)


def only(plan: Plan, names: Iterable[str]) -> Plan:
    """Keep the steps with one of these names or workloads."""
    wanted = set(names)
    return Plan(
        steps=[step for step in plan.steps if wanted & {step.name, step.workload}],
        paging=plan.paging if "paging" in wanted else (),
    )
