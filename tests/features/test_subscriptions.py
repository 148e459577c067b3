"""The tables of RFC 6121, appendix A, line by line."""

from dataclasses import replace

import pytest

from imserver.features import subscriptions
from imserver.features.subscriptions import State
from imserver.storage.rosters import RosterItem

REQUEST = b"<presence xmlns='jabber:client' type='subscribe'/>"
STATES = {
    "None": State.NONE,
    "None + Pending Out": State.NONE_PENDING_OUT,
    "None + Pending In": State.NONE_PENDING_IN,
    "None + Pending Out+In": State.NONE_PENDING_OUT_IN,
    "To": State.TO,
    "To + Pending In": State.TO_PENDING_IN,
    "From": State.FROM,
    "From + Pending Out": State.FROM_PENDING_OUT,
    "Both": State.BOTH,
}

# existing state | may it pass? | new state, where it changes
OUTBOUND = {
    "subscribe": """
        None                  | MUST     | None + Pending Out
        None + Pending Out    | MUST     |
        None + Pending In     | MUST     | None + Pending Out+In
        None + Pending Out+In | MUST     |
        To                    | MUST     |
        To + Pending In       | MUST     |
        From                  | MUST     | From + Pending Out
        From + Pending Out    | MUST     |
        Both                  | MUST     |
        """,
    "unsubscribe": """
        None                  | MUST     |
        None + Pending Out    | MUST     | None
        None + Pending In     | MUST     |
        None + Pending Out+In | MUST     | None + Pending In
        To                    | MUST     | None
        To + Pending In       | MUST     | None + Pending In
        From                  | MUST     |
        From + Pending Out    | MUST     | From
        Both                  | MUST     | From
        """,
    "subscribed": """
        None                  | MUST NOT |
        None + Pending Out    | MUST NOT |
        None + Pending In     | MUST     | From
        None + Pending Out+In | MUST     | From + Pending Out
        To                    | MUST NOT |
        To + Pending In       | MUST     | Both
        From                  | MUST NOT |
        From + Pending Out    | MUST NOT |
        Both                  | MUST NOT |
        """,
    "unsubscribed": """
        None                  | MUST NOT |
        None + Pending Out    | MUST NOT |
        None + Pending In     | MUST     | None
        None + Pending Out+In | MUST     | None + Pending Out
        To                    | MUST NOT |
        To + Pending In       | MUST     | To
        From                  | MUST     | None
        From + Pending Out    | MUST     | None + Pending Out
        Both                  | MUST     | To
        """,
}
INBOUND = {
    "subscribe": """
        None                  | MUST     | None + Pending In
        None + Pending Out    | MUST     | None + Pending Out+In
        None + Pending In     | MUST NOT |
        None + Pending Out+In | MUST NOT |
        To                    | MUST     | To + Pending In
        To + Pending In       | MUST NOT |
        From                  | MUST NOT |
        From + Pending Out    | MUST NOT |
        Both                  | MUST NOT |
        """,
    "unsubscribe": """
        None                  | MUST NOT |
        None + Pending Out    | MUST NOT |
        None + Pending In     | MUST     | None
        None + Pending Out+In | MUST     | None + Pending Out
        To                    | MUST NOT |
        To + Pending In       | MUST     | To
        From                  | MUST     | None
        From + Pending Out    | MUST     | None + Pending Out
        Both                  | MUST     | To
        """,
    "subscribed": """
        None                  | MUST NOT |
        None + Pending Out    | MUST     | To
        None + Pending In     | MUST NOT |
        None + Pending Out+In | MUST     | To + Pending In
        To                    | MUST NOT |
        To + Pending In       | MUST NOT |
        From                  | MUST NOT |
        From + Pending Out    | MUST     | Both
        Both                  | MUST NOT |
        """,
    "unsubscribed": """
        None                  | MUST NOT |
        None + Pending Out    | MUST     | None
        None + Pending In     | MUST NOT |
        None + Pending Out+In | MUST     | None + Pending In
        To                    | MUST     | None
        To + Pending In       | MUST     | None + Pending In
        From                  | MUST NOT |
        From + Pending Out    | MUST     | From
        Both                  | MUST     | From
        """,
}

Line = tuple[str, State, bool, State]


def lines(tables: dict[str, str]) -> list[Line]:
    found = []
    for type, table in tables.items():
        for line in table.strip().splitlines():
            state, passes, after = (cell.strip() for cell in line.split("|"))
            found.append((type, STATES[state], passes == "MUST", STATES[after or state]))
    return found


def item_in(state: State) -> RosterItem:
    return RosterItem(
        "luis@localhost",
        subscription=state.subscription,
        ask=state.asks,
        pending_in=REQUEST if state.is_asked else None,
    )


@pytest.mark.parametrize(("type", "state", "passes", "after"), lines(OUTBOUND))
def test_what_we_send_follows_the_tables(type: str, state: State, passes: bool, after: State) -> None:
    step = subscriptions.send(item_in(state), type)

    assert (step.passes, State.of(step.after)) == (passes, after)


@pytest.mark.parametrize(("type", "state", "passes", "after"), lines(INBOUND))
def test_what_a_contact_sends_follows_the_tables(type: str, state: State, passes: bool, after: State) -> None:
    step = subscriptions.take(item_in(state), type, REQUEST)

    assert (step.passes, State.of(step.after)) == (passes, after)


@pytest.mark.parametrize("state", State)
def test_a_yes_is_kept_for_later_where_nobody_asked_and_nobody_sees_us(state: State) -> None:
    step = subscriptions.send(item_in(state), "subscribed")

    assert step.after.approved == (state in subscriptions.APPROVED)


@pytest.mark.parametrize(("state", "after"), subscriptions.APPROVED.items())
def test_a_request_that_was_approved_before_is_granted_once(state: State, after: State) -> None:
    approved = replace(item_in(state), approved=True)

    step = subscriptions.take(approved, "subscribe", REQUEST)

    assert (step.passes, step.answer, step.shares) == (False, "subscribed", True)
    assert (State.of(step.after), step.after.approved) == (after, False)


@pytest.mark.parametrize("state", [state for state in State if state in subscriptions.SHARED])
def test_who_sees_us_already_and_asks_again_is_told_so(state: State) -> None:
    step = subscriptions.take(item_in(state), "subscribe", REQUEST)

    assert (step.passes, step.answer, step.after) == (False, "subscribed", step.before)


@pytest.mark.parametrize("state", [state for state in State if state not in subscriptions.SHARED])
def test_a_no_takes_back_an_earlier_yes(state: State) -> None:
    approved = replace(item_in(state), approved=True)

    assert not subscriptions.send(approved, "unsubscribed").after.approved


def test_a_request_is_kept_word_for_word() -> None:
    stranger = RosterItem("tea@localhost", listed=False)

    step = subscriptions.take(stranger, "subscribe", REQUEST)

    assert step.after == replace(stranger, pending_in=REQUEST)


def test_what_can_not_be_pending_is_not() -> None:
    assert State.of(RosterItem("luis@localhost", subscription="to", ask=True)) is State.TO
    assert State.of(RosterItem("luis@localhost", subscription="both", pending_in=REQUEST)) is State.BOTH


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("type", subscriptions.OUTBOUND)
def test_a_step_says_who_begins_and_who_stops_seeing_us(type: str, state: State) -> None:
    for step in (
        subscriptions.send(item_in(state), type),
        subscriptions.take(item_in(state), type, REQUEST),
    ):
        saw, sees = (one.subscription in ("from", "both") for one in (step.before, step.after))
        assert (step.shares, step.hides) == (sees and not saw, saw and not sees)
