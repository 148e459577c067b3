"""What `/metrics` shows of the desk: who waits now, and what happened since the start; see docs/figures.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from imserver.counters import Histogram
from imserver.desk.conversation import State
from imserver.desk.figures import MOMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from imserver.desk.conversation import Conversation
    from imserver.desk.effects import Happened, Kind

#: Upper bounds of the buckets, in seconds: those of Amazon Connect's service levels, and some for slower channels.
SECONDS: Final = (
    *(5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0),
    *(1800.0, 3600.0, 14400.0, 86400.0),
)
#: Whose times are shown as a distribution: these are what promises are made about.
PROMISED: Final[Mapping[Kind, tuple[str, str]]] = {
    "accepted": ("imserver_desk_queue_answer_seconds", "How long clients waited for an agent"),
    "abandoned": ("imserver_desk_queue_abandon_seconds", "How long clients waited before they gave up"),
    "first_response": ("imserver_desk_first_response_seconds", "From accepting to the agent's first words"),
    "reply": ("imserver_desk_reply_seconds", "From the client's words to the agent's"),
}
STANDING: Final = (State.WAITING, State.OFFERED, State.ACTIVE, State.WRAPPING)


class Staff(Protocol):
    """An agent, as far as the figures go."""

    @property
    def is_ready(self) -> bool: ...

    @property
    def paused(self) -> str: ...


class Tallied:
    """How often each kind of event happened to somebody, and how many seconds that took."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, Kind]] = Counter()
        self.seconds: defaultdict[tuple[str, Kind], float] = defaultdict(float)

    def add(self, name: str, happened: Happened) -> None:
        """Count one event."""
        self.counts[name, happened.kind] += 1
        self.seconds[name, happened.kind] += happened.seconds


class DeskCounters:
    """What happened since the server started; cheap to keep up."""

    __slots__ = ("agents", "distributions", "queues")

    def __init__(self) -> None:
        self.queues = Tallied()
        self.agents = Tallied()
        self.distributions: defaultdict[tuple[Kind, str], Histogram] = defaultdict(lambda: Histogram(SECONDS))

    def count(self, happened: Happened) -> None:
        """Count one event."""
        self.queues.add(happened.queue, happened)
        if happened.agent:
            self.agents.add(happened.agent, happened)
        if happened.kind in PROMISED:
            self.distributions[happened.kind, happened.queue].observe(happened.seconds)


class DeskCollector(Collector):
    """One desk's numbers, read when somebody asks."""

    def __init__(
        self,
        counters: DeskCounters,
        *,
        now: Callable[[], float],
        queues: Callable[[], Iterable[str]],
        conversations: Callable[[], Iterable[Conversation]],
        staff: Callable[[], Iterable[Staff]],
    ) -> None:
        self._counters = counters
        self._now = now
        self._queues = queues
        self._conversations = conversations
        self._staff = staff

    def collect(self) -> Iterator[Metric]:
        """Read all numbers."""
        yield from show_standing(self._queues(), self._conversations(), self._now())
        yield show_staff(self._staff())
        yield from show_tallied("queue", self._counters.queues)
        yield from show_tallied("agent", self._counters.agents)
        yield from show_distributions(self._counters.distributions)


def show_standing(
    queues: Iterable[str], conversations: Iterable[Conversation], now: float
) -> Iterator[Metric]:
    """Tell how many conversations there are, and who waits longest."""
    counts = {(queue, state): 0 for queue in queues for state in STANDING}
    longest = {queue: 0.0 for queue, _ in counts}
    for conversation in conversations:
        if conversation.state not in STANDING:
            continue
        place = (conversation.queue, conversation.state)
        counts[place] = counts.get(place, 0) + 1
        if conversation.state in (State.WAITING, State.OFFERED):
            waits = max(0.0, now - conversation.waiting_since)
            longest[conversation.queue] = max(longest.get(conversation.queue, 0.0), waits)

    shown = GaugeMetricFamily(
        "imserver_desk_conversations", "Conversations now by queue and state", labels=["queue", "state"]
    )
    for (queue, state), count in counts.items():
        shown.add_metric([queue, state.value], count)
    yield shown
    waiting = GaugeMetricFamily(
        "imserver_desk_longest_wait_seconds",
        "How long the one who waits longest has waited",
        labels=["queue"],
    )
    for queue, seconds in longest.items():
        waiting.add_metric([queue], seconds)
    yield waiting


def show_staff(staff: Iterable[Staff]) -> Metric:
    """Tell how many agents could be asked now."""
    counts = dict.fromkeys(("ready", "paused", "away"), 0)
    for agent in staff:
        counts["paused" if agent.paused else "ready" if agent.is_ready else "away"] += 1
    shown = GaugeMetricFamily("imserver_desk_agents", "Agents now by state", labels=["state"])
    for state, count in counts.items():
        shown.add_metric([state], count)
    return shown


def show_tallied(whose: Literal["queue", "agent"], tallied: Tallied) -> Iterator[Metric]:
    """Tell what happened to each queue, or each agent."""
    events = CounterMetricFamily(
        f"imserver_desk_{whose}_events", f"What happened by {whose} and kind", labels=[whose, "kind"]
    )
    for (name, kind), count in tallied.counts.items():
        events.add_metric([name, kind], count)
    yield events
    seconds = CounterMetricFamily(
        f"imserver_desk_{whose}_seconds",
        f"How long that took, by {whose} and kind",
        labels=[whose, "kind"],
    )
    for (name, kind), sum_of_them in tallied.seconds.items():
        if kind not in MOMENTS:
            seconds.add_metric([name, kind], sum_of_them)
    yield seconds


def show_distributions(distributions: Mapping[tuple[Kind, str], Histogram]) -> Iterator[Metric]:
    """Tell how many clients were served within how many seconds."""
    bounds = [*map(str, SECONDS), "+Inf"]
    for kind, (name, text) in PROMISED.items():
        shown = HistogramMetricFamily(name, text, labels=["queue"])
        for (which, queue), histogram in distributions.items():
            if which == kind:
                buckets = list(zip(bounds, accumulate(histogram.buckets), strict=True))
                shown.add_metric([queue], buckets, histogram.total)
        yield shown
