import json

import pytest

from imserver.desk.conversation import STEPS, Conversation, IllegalStep, State, step
from imserver.storage.conversations import ConversationRow

ALL_STEPS = sorted({name for _, name in STEPS})


def conversation(state: State = State.WAITING) -> Conversation:
    return Conversation(7, "k1@xmpp.example.com", "support", "sales", 100.0, state=state)


@pytest.mark.parametrize(("state", "name"), STEPS)
def test_a_step_of_the_table_is_taken(state: State, name: str) -> None:
    one = conversation(state)

    step(one, name)

    assert one.state is STEPS[state, name]


@pytest.mark.parametrize(
    ("state", "name"), [(state, name) for state in State for name in ALL_STEPS if (state, name) not in STEPS]
)
def test_what_does_not_stand_in_the_table_cannot_happen(state: State, name: str) -> None:
    one = conversation(state)

    with pytest.raises(IllegalStep, match=f"conversation 7 is {state}: there is no '{name}'"):
        step(one, name)

    assert one.state is state


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in STEPS} == set(State) == set(STEPS.values())


def test_it_is_read_as_it_was_written() -> None:
    one = conversation(State.ACTIVE)
    one.agent, one.guests, one.offered = "ana@example.com", {"eva@example.com"}, {"luis@example.com": 3.5}
    one.declined, one.skills, one.unanswered_since, one.handed = {"x@example.com"}, {"german": 2}, 101.5, 9

    row = ConversationRow(**json.loads(json.dumps(one.to_row())))
    read = Conversation.from_row(row)

    assert read.to_row() == one.to_row()
    assert (read.state, read.guests, read.entrance) == (State.ACTIVE, {"eva@example.com"}, "sales")


def test_a_row_does_not_change_with_the_conversation() -> None:
    one = conversation()
    row = one.to_row()

    one.declined.add("ana@example.com")
    one.offered["ana@example.com"] = 1.0

    assert (row["details"]["declined"], row["details"]["offered"]) == ([], {})


def test_what_another_version_wrote_is_read_as_far_as_it_is_understood() -> None:
    row = ConversationRow(7, "k1@xmpp.example.com", "support", "waiting", "", 100.0, None, {"mood": "good"})

    assert Conversation.from_row(row).entrance == "support"
