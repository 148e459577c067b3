"""What the clients do, by name."""

from contrib.bench.workloads.carbons import Carbons
from contrib.bench.workloads.chat import Chat
from contrib.bench.workloads.chat_states import Typing
from contrib.bench.workloads.idle import Idle
from contrib.bench.workloads.presence import PresenceStorm
from contrib.bench.workloads.rate import SteadyRate
from contrib.bench.workloads.reconnect import ReconnectStorm
from contrib.bench.workloads.through_desk import ThroughDesk
from contrib.bench.workloads.workload import Workload

WORKLOADS: dict[str, type[Workload]] = {
    workload.name: workload
    for workload in (Chat, Typing, Carbons, SteadyRate, PresenceStorm, Idle, ReconnectStorm, ThroughDesk)
}
