from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest

from imserver.desk.conversation import Conversation, State
from imserver.desk.effects import Happened
from imserver.desk.metrics import DeskCollector, DeskCounters

ANA = "ana@example.com"
NOW = 1000.0


@dataclass
class Person:
    is_ready: bool = False
    paused: str = ""


def conversation(queue: str, state: State, waiting_since: float = NOW) -> Conversation:
    return Conversation(
        1, "k@xmpp.example.com", queue, queue, waiting_since, state=state, waiting_since=waiting_since
    )


def shown(
    counters: DeskCounters | None = None,
    conversations: tuple[Conversation, ...] = (),
    staff: tuple[Person, ...] = (),
) -> dict[str, float]:
    """Read the numbers as Prometheus does, each line by what stands before the number."""
    registry = CollectorRegistry()
    registry.register(
        DeskCollector(
            counters or DeskCounters(),
            now=lambda: NOW,
            queues=lambda: ["support", "sales"],
            conversations=lambda: conversations,
            staff=lambda: staff,
        )
    )
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def test_conversations_are_counted_by_queue_and_state() -> None:
    numbers = shown(
        conversations=(
            conversation("support", State.WAITING),
            conversation("support", State.WAITING),
            conversation("support", State.ACTIVE),
            conversation("support", State.CLOSED),
            conversation("closed down", State.WRAPPING),
        )
    )

    assert numbers['imserver_desk_conversations{queue="support",state="waiting"}'] == 2
    assert numbers['imserver_desk_conversations{queue="support",state="active"}'] == 1
    assert numbers['imserver_desk_conversations{queue="sales",state="waiting"}'] == 0
    assert numbers['imserver_desk_conversations{queue="closed down",state="wrapping"}'] == 1
    assert not any('closed"}' in name for name in numbers)


def test_the_longest_wait_is_of_those_who_still_wait() -> None:
    numbers = shown(
        conversations=(
            conversation("support", State.OFFERED, NOW - 90),
            conversation("support", State.WAITING, NOW - 30),
            conversation("support", State.ACTIVE, NOW - 500),
        )
    )

    assert numbers['imserver_desk_longest_wait_seconds{queue="support"}'] == 90
    assert numbers['imserver_desk_longest_wait_seconds{queue="sales"}'] == 0


def test_agents_are_counted_by_whether_they_can_be_asked() -> None:
    staff = (Person(is_ready=True), Person(is_ready=True, paused="lunch"), Person(), Person(paused="missed"))

    numbers = shown(staff=staff)

    assert numbers['imserver_desk_agents{state="ready"}'] == 1
    assert numbers['imserver_desk_agents{state="paused"}'] == 2
    assert numbers['imserver_desk_agents{state="away"}'] == 1


def test_what_happened_is_counted_for_the_queue_and_for_the_agent() -> None:
    counters = DeskCounters()
    counters.count(Happened(1, "support", "", "opened", NOW))
    counters.count(Happened(1, "support", ANA, "accepted", NOW, 12.5))
    counters.count(Happened(2, "support", ANA, "accepted", NOW, 2))

    numbers = shown(counters)

    assert numbers['imserver_desk_queue_events_total{kind="opened",queue="support"}'] == 1
    assert numbers['imserver_desk_queue_events_total{kind="accepted",queue="support"}'] == 2
    assert numbers['imserver_desk_agent_events_total{agent="ana@example.com",kind="accepted"}'] == 2
    assert numbers['imserver_desk_agent_seconds_total{agent="ana@example.com",kind="accepted"}'] == 14.5
    assert 'imserver_desk_queue_seconds_total{kind="opened",queue="support"}' not in numbers
    assert not any('agent=""' in name for name in numbers)


def test_a_service_level_can_be_read_from_the_distribution() -> None:
    counters = DeskCounters()
    for seconds in (3, 15, 16, 100_000):
        counters.count(Happened(1, "support", ANA, "accepted", NOW, seconds))

    numbers = shown(counters)

    name = "imserver_desk_queue_answer_seconds"
    assert numbers[f'{name}_bucket{{le="15.0",queue="support"}}'] == 2
    assert numbers[f'{name}_bucket{{le="20.0",queue="support"}}'] == 3
    assert numbers[f'{name}_count{{queue="support"}}'] == 4
    assert numbers[f'{name}_sum{{queue="support"}}'] == 100_034
