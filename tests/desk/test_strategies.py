import pytest

from imserver.desk.agents import Agent
from imserver.desk.conversation import Conversation
from imserver.desk.settings import QueueSettings
from imserver.desk.strategies import STRATEGIES, choose_agent


def agent(name: str, *, idle_since: float = 0.0, load: int = 0, offers: int = 0, turn: int = 0) -> Agent:
    return Agent(
        f"{name}@x",
        idle_since=idle_since,
        conversations=set(range(load)),
        offers=set(range(offers)),
        turn=turn,
    )


CONVERSATION = Conversation(1, "k@xmpp.x", "support", "support", 0.0)


@pytest.mark.parametrize(
    ("strategy", "candidates", "chosen"),
    [
        ("longest-idle", [agent("a", idle_since=20), agent("b", idle_since=10)], ["b@x"]),
        ("longest-idle", [agent("a", turn=2), agent("b", turn=1)], ["b@x"]),
        ("longest-idle", [agent("a", idle_since=10, offers=1), agent("b", idle_since=20)], ["b@x"]),
        (
            "longest-idle",
            [agent("a", idle_since=10, offers=2), agent("b", idle_since=20, offers=1)],
            ["b@x"],
        ),
        ("longest-idle", [agent("a", idle_since=10, load=4), agent("b", idle_since=20)], ["a@x"]),
        ("least-busy", [agent("a", load=2), agent("b", load=1, idle_since=99)], ["b@x"]),
        ("least-busy", [agent("a", load=1, idle_since=20), agent("b", load=1, idle_since=10)], ["b@x"]),
        ("round-robin", [agent("a", turn=5), agent("b", turn=4, load=3)], ["b@x"]),
        ("all-at-once", [agent("a"), agent("b")], ["a@x", "b@x"]),
    ],
)
def test_a_strategy_chooses(strategy: str, candidates: list[Agent], chosen: list[str]) -> None:
    assert choose_agent(QueueSettings(strategy=strategy), CONVERSATION, candidates) == chosen


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_among_equals_the_choice_is_always_the_same(strategy: str) -> None:
    choose = STRATEGIES[strategy]

    assert choose([agent("b"), agent("a")])[-1] == choose([agent("a"), agent("b")])[0] == "a@x"


def test_a_strategy_of_somebody_else_is_left_to_them() -> None:
    assert choose_agent(QueueSettings(strategy="by-language"), CONVERSATION, [agent("a")]) is None
