"""The desk's stories, one moral each."""

from __future__ import annotations

from typing import Any

import pytest

from imserver.desk.assignment import Question
from imserver.desk.conversation import State
from imserver.desk.effects import (
    Closed,
    HandOver,
    Happened,
    Offer,
    Refused,
    TakeAway,
    TellAgent,
    TellClient,
    Withdraw,
)
from imserver.desk.floor import Floor
from tests.desk.floors import ANA, EVA, LUIS, MONDAY, Stage, of, settings

C1, C2, C3 = "c1@xmpp.example.com", "c2@xmpp.example.com", "c3@xmpp.example.com"


def stage(*members: str, **support: Any) -> Stage:
    """A queue `support`; its agents are there already."""
    members = members or (ANA, LUIS)
    made = Stage(support={"members": members, **support})
    made.comes(*members)
    return made


# Coming


def test_a_client_is_welcomed_and_offered_to_an_agent() -> None:
    desk = stage(ANA)

    conversation = desk.writes(C1)

    assert desk.effects == [
        Happened(1, "support", "", "opened", MONDAY),
        TellClient(conversation, "welcome"),
        Offer(conversation, ANA, MONDAY + 30),
        Happened(1, "support", ANA, "offered", MONDAY),
    ]


def test_two_messages_of_a_new_client_make_one_conversation() -> None:
    desk = stage()

    assert desk.writes(C1) is desk.writes(C1)
    assert desk.effects == []


def test_a_client_has_a_conversation_with_each_queue_they_write_to() -> None:
    desk = Stage(support={"members": [ANA]}, sales={"members": [ANA]})
    support, sales = desk.writes(C1, "support"), desk.writes(C1, "sales")

    assert support is not sales
    assert desk.floor.of_client(C1) == [support, sales]


def test_nobody_gets_into_a_queue_that_there_is_not() -> None:
    desk = stage()

    with pytest.raises(Refused, match="target_unknown"):
        desk.writes(C1, "sails")


def test_who_waits_is_told_the_position() -> None:
    desk = stage(ANA, agent_capacity=1)
    desk.attended(C1, ANA)

    conversation = desk.writes(C2)

    assert TellClient(conversation, "position", {"position": 1}) in desk.effects


def test_with_a_position_comes_an_estimate_once_one_is_known() -> None:
    desk = stage(ANA, agent_capacity=1)
    first = desk.attended(C1, ANA)
    desk.passes(240)
    desk.done(desk.floor.close(first, "", ANA, desk.now))
    desk.attended(C1, ANA)

    second = desk.writes(C2)

    assert TellClient(second, "position_estimate", {"position": 1, "minutes": 4}) in desk.effects
    assert desk.floor.estimate(second) == 240


def test_a_changed_position_is_told_and_an_unchanged_one_is_not() -> None:
    desk = stage(ANA, agent_capacity=1, position_seconds=60)
    first = desk.attended(C1, ANA)
    desk.writes(C2)
    third = desk.writes(C3)

    assert desk.floor.position(third) == 2
    assert desk.passes(300) == []

    desk.done(desk.floor.close(first, "", ANA, desk.now))
    desk.accepts(ANA, desk.floor.conversations[2])
    told = of(TellClient, desk.passes(60))
    assert [(one.conversation, one.values["position"]) for one in told] == [(third, 1)]


def test_who_comes_when_nobody_is_there_is_told_so() -> None:
    desk = Stage(support={"members": [ANA]})

    desk.writes(C1)

    assert desk.told() == ["welcome", "no_agents"]


# Opening hours: the play begins on a Monday at 08:00

HOURS = {"hours": {"monday": ["09:00-18:00"]}}


def test_who_comes_when_it_is_closed_is_told_when_it_opens_and_is_offered_then() -> None:
    desk = stage(ANA, **HOURS)

    conversation = desk.writes(C1)

    assert desk.told() == ["welcome", "away_until"]
    assert of(TellClient, desk.effects)[1].values["opens"].isoformat() == "2026-01-05T09:00:00+00:00"
    assert conversation.state is State.WAITING
    assert of(Offer, desk.passes(3600)) == [Offer(conversation, ANA, MONDAY + 3630)]


def test_who_waits_over_the_break_is_offered_after_it() -> None:
    breaks = {"monday": ["09:00-13:00", "16:00-19:00"]}
    desk = stage(ANA, position_seconds=0, silent_warning_seconds=0, agent_capacity=1, hours=breaks)
    desk.passes(4 * 3600)
    first = desk.attended(C1, ANA)
    second = desk.writes(C2)
    desk.passes(2 * 3600)
    desk.done(desk.floor.close(first, "", ANA, desk.now))
    assert not second.offered

    desk.passes(2 * 3600)

    assert set(second.offered) == {ANA}


def test_waiting_for_the_opening_does_not_count_as_waiting() -> None:
    desk = stage(ANA, accept="assign", **HOURS)
    desk.writes(C1)

    desk.passes(3600)

    assert ("accepted", ANA, 0.0) in desk.happened()


def test_who_came_first_in_the_night_is_first_in_the_morning() -> None:
    desk = stage(ANA, accept="assign", agent_capacity=1, **HOURS)
    first = desk.writes(C1)
    desk.passes(10)
    second = desk.writes(C2)

    desk.passes(3600)

    assert (first.state, second.state) == (State.ACTIVE, State.WAITING)


def test_after_hours_nobody_is_asked() -> None:
    desk = stage(ANA, agent_capacity=1, **HOURS)
    desk.passes(9 * 3600)
    conversation = desk.attended(C1, ANA)
    late = desk.writes(C2)
    desk.passes(3600)

    desk.done(desk.floor.close(conversation, "", ANA, desk.now))

    assert late.state is State.WAITING


# Offers


def test_who_accepts_has_it() -> None:
    desk = stage(ANA)
    conversation = desk.writes(C1)
    desk.passes(10)

    desk.accepts(ANA, conversation)

    assert desk.effects == [
        HandOver(conversation, ANA),
        Happened(1, "support", ANA, "accepted", desk.now, 10),
        TellClient(conversation, "attended"),
    ]


def test_of_two_who_accept_at_once_the_first_has_it_and_the_other_is_told() -> None:
    desk = stage(strategy="all-at-once")
    conversation = desk.writes(C1)

    desk.accepts(LUIS, conversation)

    assert Withdraw(conversation, ANA, "taken", by=LUIS) in desk.effects
    with pytest.raises(Refused) as refused:
        desk.accepts(ANA, conversation)
    assert (refused.value.key, refused.value.values) == ("taken", {"agent": LUIS})
    assert conversation.agent == LUIS


def test_accepting_twice_is_accepting_once() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)

    desk.accepts(ANA, conversation)

    assert desk.effects == []


def test_who_is_not_asked_cannot_accept_what_another_is_asked_for() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    (asked,) = conversation.offered

    with pytest.raises(Refused, match="not_offered"):
        desk.accepts(LUIS if asked == ANA else ANA, conversation)


def test_who_answers_too_late_has_it_all_the_same_if_nobody_was_asked_since() -> None:
    desk = stage(ANA)
    conversation = desk.writes(C1)
    desk.passes(31)
    assert conversation.state is State.WAITING

    desk.accepts(ANA, conversation)

    assert (conversation.state, conversation.agent) == (State.ACTIVE, ANA)


def test_nobody_takes_more_from_a_queue_than_they_have_room_for() -> None:
    desk = stage(ANA, agent_capacity=1)
    desk.attended(C1, ANA)
    second = desk.writes(C2)

    with pytest.raises(Refused, match="no_room"):
        desk.accepts(ANA, second)


def test_a_stranger_takes_nothing_from_a_queue() -> None:
    desk = stage(ANA, LUIS, agent_capacity=0)
    conversation = desk.writes(C1)

    with pytest.raises(Refused, match="not_a_member"):
        desk.accepts(EVA, conversation)


def test_who_declines_is_passed_over() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    (first,) = conversation.offered
    (other,) = {ANA, LUIS} - {first}
    desk.passes(5)

    desk.done(desk.floor.decline(conversation, first, desk.now))

    assert desk.effects == [
        Withdraw(conversation, first, "declined"),
        Happened(1, "support", first, "declined", desk.now, 5),
        Offer(conversation, other, desk.now + 30),
        Happened(1, "support", other, "offered", desk.now),
    ]


def test_only_who_is_asked_can_decline() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.attended(C1, next(iter(desk.writes(C1).offered)))
    (other,) = {ANA, LUIS} - {conversation.agent}

    with pytest.raises(Refused, match="taken"):
        desk.floor.decline(conversation, other, desk.now)
    with pytest.raises(Refused, match="not_offered"):
        desk.floor.decline(conversation, conversation.agent, desk.now)


def test_when_all_have_declined_they_are_asked_again_after_a_while() -> None:
    desk = stage(ANA, ask_again_seconds=45)
    conversation = desk.writes(C1)
    desk.done(desk.floor.decline(conversation, ANA, desk.now))

    assert of(Offer, desk.passes(44)) == []
    assert of(Offer, desk.passes(1)) == [Offer(conversation, ANA, desk.now + 30)]


def test_who_does_not_answer_is_passed_over_and_paused_after_some_misses() -> None:
    desk = stage(ANA, misses_before_pause=2)
    conversation = desk.writes(C1)

    assert Withdraw(conversation, ANA, "expired") in desk.passes(30)
    assert desk.happened()[0] == ("missed", ANA, 30)
    assert TellAgent(ANA, "paused_missed", {"misses": 2}) in desk.passes(60)
    assert desk.floor.agents[ANA].paused == "missed"
    assert of(Offer, desk.passes(600)) == []


def test_an_answer_makes_up_for_the_misses_before() -> None:
    desk = stage(ANA, misses_before_pause=2)
    conversation = desk.writes(C1)
    desk.passes(60)
    desk.done(desk.floor.decline(conversation, ANA, desk.now))

    desk.passes(61)

    assert desk.floor.agents[ANA].paused == ""


def test_who_was_paused_for_misses_and_comes_back_is_asked_again() -> None:
    desk = stage(ANA, misses_before_pause=1)
    conversation = desk.writes(C1)
    desk.passes(61)

    desk.is_away(ANA)
    desk.comes(ANA)

    assert of(Offer, desk.effects) == [Offer(conversation, ANA, desk.now + 30)]


@pytest.mark.parametrize("how", ["away", "gone", "paused"])
def test_who_goes_is_not_asked_any_more_and_has_missed_nothing(how: str) -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    (first,) = conversation.offered
    (other,) = {ANA, LUIS} - {first}

    match how:
        case "away":
            desk.is_away(first)
        case "gone":
            desk.goes(first)
        case _:
            desk.done(desk.floor.pause(first, "lunch", desk.now))

    assert of(Withdraw, desk.effects) == [
        Withdraw(conversation, first, "paused" if how == "paused" else "away")
    ]
    assert [offer.agent for offer in of(Offer, desk.effects)] == [other]
    assert desk.floor.agents[first].misses == 0


def test_a_pause_lasts_until_it_is_ended_also_over_going_and_coming() -> None:
    desk = stage(ANA)
    desk.done(desk.floor.pause(ANA, "lunch", desk.now))
    desk.goes(ANA)
    desk.comes(ANA)
    conversation = desk.writes(C1)
    assert not conversation.offered

    desk.done(desk.floor.unpause(ANA, desk.now))

    assert conversation.state is State.OFFERED


def test_a_queue_may_assign_without_asking() -> None:
    desk = stage(ANA, accept="assign")

    conversation = desk.writes(C1)

    assert (conversation.state, conversation.agent) == (State.ACTIVE, ANA)
    assert of(Offer, desk.effects) == []
    assert of(HandOver, desk.effects) == [HandOver(conversation, ANA)]


# Who gets whom


def test_an_agent_has_no_more_than_their_capacity_in_all_their_queues() -> None:
    queue = {"members": [ANA], "accept": "assign", "agent_capacity": 2}
    desk = Stage(support=queue, sales=queue)
    desk.comes(ANA)

    conversations = [desk.writes(C1), desk.writes(C2, "sales"), desk.writes(C3)]

    assert [one.state for one in conversations] == [State.ACTIVE, State.ACTIVE, State.WAITING]


def test_a_queue_serves_no_more_than_its_capacity() -> None:
    desk = stage(ANA, LUIS, accept="assign", capacity=1)
    first, second = desk.writes(C1), desk.writes(C2)
    assert not second.agent

    desk.done(desk.floor.close(first, "", first.agent, desk.now))

    assert second.state is State.ACTIVE


def test_wrap_up_takes_room() -> None:
    desk = stage(ANA, accept="assign", agent_capacity=1, wrap_up_seconds=45)
    first, second = desk.writes(C1), desk.writes(C2)
    desk.done(desk.floor.close(first, "", ANA, desk.now))
    assert (first.state, second.state) == (State.WRAPPING, State.WAITING)

    desk.passes(45)

    assert (first.state, second.state) == (State.CLOSED, State.ACTIVE)


def test_the_queue_of_higher_priority_is_served_first() -> None:
    desk = Stage(
        support={"members": [ANA], "accept": "assign"},
        vip={"members": [ANA], "accept": "assign", "priority": 1, "agent_capacity": 1},
    )
    ordinary = desk.writes(C1)
    desk.passes(100)
    important = desk.writes(C2, "vip")

    desk.comes(ANA)

    assert important.accepted == ordinary.accepted == desk.now
    assert [one.conversation for one in of(HandOver, desk.effects)] == [important, ordinary]


def test_a_single_client_may_have_priority() -> None:
    desk = Stage(support={"members": [ANA], "accept": "assign", "agent_capacity": 1})
    desk.writes(C1)
    important = desk.writes(C2, priority=1)

    desk.comes(ANA)

    assert important.agent == ANA


def test_a_delayed_queue_is_asked_for_after_the_delay() -> None:
    desk = stage(ANA, delay_seconds=20)
    conversation = desk.writes(C1)
    assert not conversation.offered

    desk.passes(20)

    assert conversation.state is State.OFFERED


def test_only_who_knows_what_is_wanted_is_asked_until_less_is_wanted() -> None:
    desk = Stage(
        support={
            "members": [ANA, LUIS],
            "skills": {"german": 3},
            "relax_after_seconds": 30,
            "position_seconds": 0,
            "agents": {ANA: {"skills": {"german": 1}}, LUIS: {"skills": {"german": 3}}},
        }
    )
    desk.comes(ANA)
    conversation = desk.writes(C1)

    assert of(Offer, desk.passes(59)) == []
    assert of(Offer, desk.passes(1)) == [Offer(conversation, ANA, desk.now + 30)]


def test_without_relaxing_a_client_waits_for_who_knows() -> None:
    desk = Stage(
        support={
            "members": [ANA, LUIS],
            "skills": {"german": 1},
            "agents": {LUIS: {"skills": {"german": 2}}},
        }
    )
    desk.comes(ANA)
    conversation = desk.writes(C1)
    desk.passes(100_000)
    assert conversation.state is State.WAITING

    desk.comes(LUIS)

    assert set(conversation.offered) == {LUIS}


def test_a_client_may_want_something_of_their_own() -> None:
    desk = Stage(
        support={"members": [ANA, LUIS], "agents": {LUIS: {"skills": {"vip": 1}}}},
    )
    desk.comes(ANA, LUIS)

    assert set(desk.writes(C1, skills={"vip": 1}).offered) == {LUIS}


def test_who_waits_too_long_goes_to_the_overflow_queue_and_keeps_place_and_waiting_time() -> None:
    desk = Stage(
        support={"members": [ANA], "overflow_queue": "sales", "overflow_after_seconds": 60},
        sales={"members": [LUIS]},
    )
    early = desk.writes(C1)
    desk.passes(30)
    desk.writes(C2, "sales")

    desk.passes(30)

    assert (early.queue, early.entrance, early.waiting_since) == ("sales", "support", MONDAY)
    assert desk.floor.position(early) == 1
    assert desk.writes(C1) is early


def test_in_the_overflow_queue_all_are_asked_anew() -> None:
    desk = Stage(
        support={
            "members": [ANA],
            "overflow_queue": "sales",
            "overflow_after_seconds": 60,
            "ask_again_seconds": 900,
        },
        sales={"members": [ANA]},
    )
    desk.comes(ANA)
    conversation = desk.writes(C1)
    desk.done(desk.floor.decline(conversation, ANA, desk.now))

    desk.passes(60)

    assert set(conversation.offered) == {ANA}


def test_an_overflow_queue_that_is_closed_takes_nobody_until_it_opens() -> None:
    desk = Stage(
        support={"members": [ANA], "overflow_queue": "sales", "overflow_after_seconds": 600},
        sales={"members": [LUIS], **HOURS},
    )
    conversation = desk.writes(C1)
    desk.passes(3599)
    assert conversation.queue == "support"

    desk.passes(601)

    assert conversation.queue == "sales"


def test_who_knows_the_client_is_asked_first() -> None:
    desk = stage(ANA, LUIS, EVA)
    for known in (ANA, LUIS, EVA):
        conversation = desk.writes(f"{known[0]}@xmpp.example.com", known_agent=known)
        assert set(conversation.offered) == {known}


def test_a_client_waits_a_while_for_who_knows_them_and_is_busy() -> None:
    desk = Stage(
        support={"members": [ANA, LUIS], "agents": {ANA: {"capacity": 1}}, "prefer_seconds": 60},
    )
    desk.comes(ANA)
    desk.attended(C1, ANA)
    desk.comes(LUIS)

    conversation = desk.writes(C2, known_agent=ANA)

    assert of(Offer, desk.passes(59)) == []
    assert [offer.agent for offer in of(Offer, desk.passes(1))] == [LUIS]
    assert conversation.preferred == ""


def test_a_client_does_not_wait_for_who_has_gone() -> None:
    desk = Stage(support={"members": [ANA, LUIS], "agents": {ANA: {"capacity": 1}}})
    desk.comes(ANA)
    desk.attended(C1, ANA)
    desk.comes(LUIS)
    conversation = desk.writes(C2, known_agent=ANA)
    assert not conversation.offered

    desk.goes(ANA)

    assert set(conversation.offered) == {LUIS}


def test_who_knows_the_client_and_has_room_in_time_is_asked() -> None:
    desk = Stage(support={"members": [ANA, LUIS], "agents": {ANA: {"capacity": 1}}})
    desk.comes(ANA)
    first = desk.attended(C1, ANA)
    desk.comes(LUIS)
    conversation = desk.writes(C2, known_agent=ANA)

    desk.done(desk.floor.close(first, "", ANA, desk.now))

    assert set(conversation.offered) == {ANA}


@pytest.mark.parametrize("known", [EVA, "stranger@example.com", ""])
def test_nobody_is_waited_for_who_is_not_there(known: str) -> None:
    desk = Stage(support={"members": [ANA, EVA]})
    desk.comes(ANA)

    assert set(desk.writes(C1, known_agent=known).offered) == {ANA}


def test_a_plugin_chooses_among_those_who_can() -> None:
    asked: list[Question] = []

    def choose(question: Question) -> list[str]:
        asked.append(question)
        return [LUIS, "stranger@example.com", LUIS]

    floor = Floor(settings(support={"members": [ANA, LUIS]}), choose)
    for agent in (ANA, LUIS):
        floor.agent_changed(agent, MONDAY, ready=True, online=True)

    conversation, _ = floor.client_wrote(C1, "support", MONDAY, new_id=lambda: 1)

    assert set(conversation.offered) == {LUIS}
    assert [agent.jid for agent in asked[0].candidates] == [ANA, LUIS]


def test_a_plugin_may_let_a_client_wait_and_is_asked_again() -> None:
    answers: list[list[str] | None] = [[], None]
    floor = Floor(settings(support={"members": [ANA]}), lambda question: answers.pop(0))
    floor.agent_changed(ANA, MONDAY, ready=True, online=True)

    conversation, _ = floor.client_wrote(C1, "support", MONDAY, new_id=lambda: 1)

    assert conversation.state is State.WAITING
    assert floor.next_deadline() == MONDAY + 30
    assert of(Offer, floor.tick(MONDAY + 30)) == [Offer(conversation, ANA, MONDAY + 60)]


# In a conversation


def test_the_figures_tell_first_response_and_reply_apart() -> None:
    desk = stage(ANA)
    conversation = desk.writes(C1)
    desk.passes(10)
    desk.accepts(ANA, conversation)
    desk.passes(5)
    desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))
    assert desk.happened() == [("first_response", ANA, 5)]

    desk.passes(60)
    desk.writes(C1)
    desk.passes(4)
    desk.writes(C1)
    desk.passes(4)
    desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))
    assert desk.happened() == [("reply", ANA, 8)]

    desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))
    assert desk.happened() == []


def test_who_is_not_in_a_conversation_cannot_write_in_it() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    with pytest.raises(Refused, match="not_active"):
        desk.floor.agent_wrote(conversation, ANA, desk.now)
    desk.accepts(next(iter(conversation.offered)), conversation)
    (other,) = {ANA, LUIS} - {conversation.agent}

    with pytest.raises(Refused) as refused:
        desk.floor.agent_wrote(conversation, other, desk.now)

    assert refused.value.values == {"agent": conversation.agent}


def test_a_guest_is_in_it_until_they_leave() -> None:
    desk = stage(ANA, LUIS, accept="assign")
    conversation = desk.writes(C1)
    owner = conversation.agent
    (guest,) = {ANA, LUIS} - {owner}

    desk.done(desk.floor.invite(conversation, guest, owner, desk.now))

    assert desk.effects == [HandOver(conversation, guest, owner, "invited", is_guest=True)]
    desk.done(desk.floor.agent_wrote(conversation, guest, desk.now))
    assert desk.floor.between(guest, C1) is conversation
    assert desk.floor.agents[guest].load == 0

    desk.done(desk.floor.leave(conversation, guest, desk.now))

    assert desk.effects == [TakeAway(conversation, guest, "left")]
    assert desk.floor.between(guest, C1) is None


@pytest.mark.parametrize(
    ("guest", "key"),
    [(ANA, "already_in"), (EVA, "target_away"), ("nobody@example.com", "target_unknown")],
)
def test_who_cannot_come_cannot_be_invited(guest: str, key: str) -> None:
    desk = Stage(support={"members": [ANA, EVA]})
    desk.comes(ANA)
    conversation = desk.attended(C1, ANA)

    with pytest.raises(Refused, match=key):
        desk.floor.invite(conversation, guest, ANA, desk.now)


def test_who_has_a_conversation_cannot_just_leave() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)

    with pytest.raises(Refused, match="leave_owner"):
        desk.floor.leave(conversation, ANA, desk.now)


def test_words_go_to_the_conversation_where_the_client_wrote_last() -> None:
    queue = {"members": [ANA], "accept": "assign"}
    desk = Stage(support=queue, sales=queue)
    desk.comes(ANA)
    support, sales = desk.writes(C1), desk.writes(C1, "sales")
    desk.passes(1)
    desk.writes(C1)

    assert desk.floor.between(ANA, C1) is support
    assert desk.floor.of_agent(ANA) == [support, sales]


# Transfer


def test_a_conversation_is_passed_on_to_an_agent_with_the_reason() -> None:
    desk = stage(ANA)
    desk = Stage(support={"members": [ANA, LUIS]})
    desk.comes(ANA)
    conversation = desk.attended(C1, ANA)
    desk.comes(LUIS)
    desk.passes(100)

    desk.done(desk.floor.transfer(conversation, LUIS, "speaks French", ANA, desk.now))

    assert desk.effects == [
        Happened(1, "support", ANA, "handled", desk.now, 100),
        TakeAway(conversation, ANA, "transferred"),
        Happened(1, "support", ANA, "transferred", desk.now),
        TellClient(conversation, "transferred"),
        Offer(conversation, LUIS, desk.now + 30),
        Happened(1, "support", LUIS, "offered", desk.now),
    ]
    desk.accepts(LUIS, conversation)
    assert of(HandOver, desk.effects) == [HandOver(conversation, LUIS, ANA, "speaks French")]


def test_what_the_other_does_not_take_stays_in_the_queue_in_its_place_by_age() -> None:
    desk = Stage(support={"members": [ANA, LUIS, EVA], "agents": {EVA: {"capacity": 1}}})
    desk.comes(ANA)
    conversation = desk.attended(C1, ANA)
    desk.comes(LUIS, EVA)
    desk.done(desk.floor.transfer(conversation, LUIS, "", ANA, desk.now))

    desk.done(desk.floor.decline(conversation, LUIS, desk.now))

    assert set(conversation.offered) == {EVA}


def test_a_conversation_is_passed_on_to_a_queue_and_the_client_notices_no_other_address() -> None:
    desk = Stage(support={"members": [ANA]}, sales={"members": [LUIS, ANA]})
    desk.comes(ANA, LUIS)
    conversation = desk.attended(C1, ANA)

    desk.done(desk.floor.transfer(conversation, "sales", "wants to buy", ANA, desk.now))

    assert (conversation.queue, conversation.entrance) == ("sales", "support")
    assert set(conversation.offered) == {LUIS}
    assert desk.writes(C1) is conversation


def test_who_gave_it_away_is_not_asked_at_once_but_if_nobody_else_comes() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)

    desk.done(desk.floor.transfer(conversation, "support", "", ANA, desk.now))

    assert conversation.state is State.WAITING
    desk.passes(30)
    assert set(conversation.offered) == {ANA}


def test_a_guest_takes_over_without_being_asked() -> None:
    desk = stage(ANA, LUIS, accept="assign")
    conversation = desk.writes(C1)
    owner = conversation.agent
    (guest,) = {ANA, LUIS} - {owner}
    desk.done(desk.floor.invite(conversation, guest, owner, desk.now))

    desk.done(desk.floor.transfer(conversation, guest, "yours", owner, desk.now))

    assert (conversation.agent, conversation.guests) == (guest, set())
    assert of(HandOver, desk.effects) == [HandOver(conversation, guest, owner, "yours")]
    assert of(TakeAway, desk.effects) == [TakeAway(conversation, owner, "transferred")]


@pytest.mark.parametrize(
    ("to", "key"),
    [
        (ANA, "target_same"),
        (LUIS, "target_full"),
        (EVA, "target_away"),
        ("nobody@example.com", "target_unknown"),
        ("night", "target_away"),
    ],
)
def test_a_transfer_that_would_lead_nowhere_is_refused(to: str, key: str) -> None:
    desk = Stage(
        support={"members": [ANA, LUIS, EVA], "agents": {LUIS: {"capacity": 0}}},
        night={"members": [EVA], "hours": {"monday": ["20:00-22:00"]}},
    )
    desk.comes(ANA, LUIS)
    conversation = desk.attended(C1, ANA)

    with pytest.raises(Refused, match=key):
        desk.floor.transfer(conversation, to, "", ANA, desk.now)

    assert conversation.agent == ANA


# Lost agents


def test_a_lost_agent_who_comes_back_in_time_keeps_their_clients() -> None:
    desk = stage(ANA, LUIS, accept="assign", lost_agent_grace_seconds=60)
    conversation = desk.writes(C1)
    lost = conversation.agent
    desk.goes(lost)
    desk.passes(59)

    desk.is_away(lost)

    assert desk.passes(600) == []
    assert conversation.agent == lost


def test_a_lost_agents_clients_go_to_the_head_of_the_queue_with_their_waiting_time() -> None:
    desk = stage(ANA, agent_capacity=1, lost_agent_grace_seconds=60)
    first = desk.attended(C1, ANA)
    desk.passes(300)
    second = desk.writes(C2)
    desk.goes(ANA)

    effects = desk.passes(60)

    assert effects == [
        Happened(1, "support", ANA, "handled", MONDAY + 300, 300),
        TakeAway(first, ANA, "lost"),
        Happened(1, "support", ANA, "requeued", MONDAY + 360, 60),
        TellClient(first, "requeued"),
    ]
    assert first.waiting_since == MONDAY
    assert desk.floor.waiting("support") == [first, second]


def test_an_agent_who_is_only_away_is_not_lost() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)
    desk.is_away(ANA)

    desk.passes(1000)

    assert conversation.agent == ANA


def test_a_guest_takes_the_place_of_a_lost_agent() -> None:
    desk = stage(ANA, LUIS, accept="assign", lost_agent_grace_seconds=60)
    conversation = desk.writes(C1)
    owner = conversation.agent
    (guest,) = {ANA, LUIS} - {owner}
    desk.done(desk.floor.invite(conversation, guest, owner, desk.now))
    desk.goes(owner)

    effects = desk.passes(60)

    assert (conversation.agent, conversation.guests) == (guest, set())
    assert of(HandOver, effects) == [HandOver(conversation, guest, owner, "agent_lost")]
    assert of(TakeAway, effects) == [TakeAway(conversation, owner, "lost")]


# Ending


def test_an_agent_closes_a_conversation() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)
    desk.passes(100)

    desk.done(desk.floor.close(conversation, "solved", ANA, desk.now))

    assert desk.effects == [
        Happened(1, "support", ANA, "handled", desk.now, 100),
        Closed(conversation, ANA),
        Happened(1, "support", ANA, "closed", desk.now, 100),
        TellClient(conversation, "closed"),
        TakeAway(conversation, ANA, "closed"),
    ]
    assert (conversation.state, conversation.code, conversation.closed) == (State.CLOSED, "solved", desk.now)


def test_a_wrap_up_ends_when_it_is_done_or_its_time_is_over() -> None:
    desk = stage(ANA, wrap_up_seconds=60, wrap_up_codes=["solved", "spam"])
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.close(conversation, "", ANA, desk.now))
    values = {"seconds": 60, "codes": ("solved", "spam")}
    assert TellAgent(ANA, "wrap_up_codes", values, conversation) in desk.effects
    desk.passes(20)

    desk.done(desk.floor.close(conversation, "spam", ANA, desk.now))

    assert desk.happened() == [("wrapped_up", ANA, 20)]
    assert (conversation.state, conversation.code) == (State.CLOSED, "spam")


@pytest.mark.parametrize(("code", "key"), [("", "code_required"), ("sold", "code_unknown")])
def test_a_code_may_be_required_and_is_one_of_the_queues(code: str, key: str) -> None:
    desk = stage(ANA, wrap_up_codes=["solved", "spam"], wrap_up_required=True)
    conversation = desk.attended(C1, ANA)

    with pytest.raises(Refused, match=key) as refused:
        desk.floor.close(conversation, code, ANA, desk.now)

    assert refused.value.values["codes"] == ("solved", "spam")
    assert conversation.state is State.ACTIVE


def test_nobody_closes_what_is_not_theirs_or_over() -> None:
    desk = stage(ANA, LUIS, accept="assign")
    conversation = desk.writes(C1)
    (other,) = {ANA, LUIS} - {conversation.agent}

    with pytest.raises(Refused, match="not_yours"):
        desk.floor.close(conversation, "", other, desk.now)
    desk.done(desk.floor.close(conversation, "", conversation.agent, desk.now))
    with pytest.raises(Refused, match="gone"):
        desk.floor.close(conversation, "", conversation.agent, desk.now)


def test_a_client_who_leaves_unserved_has_abandoned() -> None:
    desk = stage(ANA)
    conversation = desk.writes(C1)
    desk.passes(12)

    desk.done(desk.floor.client_left(conversation, desk.now))

    assert Withdraw(conversation, ANA, "closed") in desk.effects
    assert desk.happened() == [("abandoned", "", 12), ("closed", "", 12)]
    assert desk.told() == []


def test_a_client_who_leaves_is_wrapped_up() -> None:
    desk = stage(ANA, wrap_up_seconds=60)
    conversation = desk.attended(C1, ANA)

    desk.done(desk.floor.client_left(conversation, desk.now))

    assert conversation.state is State.WRAPPING
    assert of(TellAgent, desk.effects)[0] == TellAgent(ANA, "client_left", conversation=conversation)


def test_a_silent_client_is_warned_and_then_closed() -> None:
    desk = stage(ANA, silent_warning_seconds=600, silent_close_seconds=120)
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))

    assert desk.passes(600) == [TellClient(conversation, "silent_warning", {"minutes": 2})]
    desk.passes(119)
    assert conversation.closed is None
    effects = desk.passes(1)
    assert desk.told() == ["silent_closed"]
    assert TellAgent(ANA, "closed_silent", conversation=conversation) in effects
    assert conversation.state is State.CLOSED


@pytest.mark.parametrize("who", ["client", "agent"])
def test_a_word_after_the_warning_keeps_it_open(who: str) -> None:
    desk = stage(ANA, silent_warning_seconds=600, silent_close_seconds=120)
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))
    desk.passes(600)

    if who == "client":
        desk.writes(C1)
    else:
        desk.done(desk.floor.agent_wrote(conversation, ANA, desk.now))

    desk.passes(599)
    assert conversation.state is State.ACTIVE


def test_a_client_who_waits_for_an_answer_is_not_silent() -> None:
    desk = stage(ANA, silent_warning_seconds=600)
    desk.attended(C1, ANA)

    assert desk.passes(10_000) == []


# Coming back


def test_who_comes_back_soon_is_with_their_agent_again_without_asking() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    desk.accepts(next(iter(conversation.offered)), conversation)
    agent = conversation.agent
    desk.done(desk.floor.close(conversation, "solved", agent, desk.now))
    desk.passes(60)

    assert desk.writes(C1) is conversation

    assert (conversation.state, conversation.agent, conversation.code) == (State.ACTIVE, agent, "")
    assert of(HandOver, desk.effects) == [HandOver(conversation, agent, agent, "reopened")]
    assert ("reopened", "", 60) in desk.happened()
    assert conversation.waiting_since == desk.now


def test_who_comes_back_while_their_agent_is_gone_waits_for_anybody() -> None:
    desk = stage(ANA, LUIS)
    conversation = desk.writes(C1)
    desk.accepts(next(iter(conversation.offered)), conversation)
    agent = conversation.agent
    desk.done(desk.floor.close(conversation, "", agent, desk.now))
    desk.goes(agent)

    desk.writes(C1)

    assert set(conversation.offered) == {ANA, LUIS} - {agent}


def test_who_writes_during_the_wrap_up_goes_on_with_the_same_agent() -> None:
    desk = stage(ANA, agent_capacity=1, wrap_up_seconds=60)
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.close(conversation, "", ANA, desk.now))

    desk.writes(C1)

    assert conversation.state is State.ACTIVE
    assert TellAgent(ANA, "reopened", conversation=conversation) in desk.effects
    desk.passes(120)
    assert conversation.state is State.ACTIVE


def test_who_comes_back_late_begins_anew() -> None:
    desk = stage(ANA, reopen_seconds=900)
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.close(conversation, "", ANA, desk.now))
    desk.passes(901)

    assert desk.writes(C1).id != conversation.id
    assert conversation.id not in desk.floor.conversations


# After kill -9


def test_after_a_crash_everybody_who_waits_has_their_place_and_waiting_time() -> None:
    desk = stage(ANA, agent_capacity=1)
    desk.attended(C1, ANA)
    desk.passes(10)
    desk.writes(C2)
    desk.passes(10)
    desk.writes(C3)

    desk.crashes()

    waiting = desk.floor.waiting("support")
    assert [(one.client, one.waiting_since - MONDAY) for one in waiting] == [(C2, 10), (C3, 20)]


def test_after_a_crash_an_agent_has_the_grace_to_come_back() -> None:
    desk = stage(ANA, LUIS, lost_agent_grace_seconds=60)
    mine = desk.writes(C1)
    desk.accepts(next(iter(mine.offered)), mine)
    desk.passes(500)

    desk.crashes()
    desk.passes(50)
    desk.comes(mine.agent)

    assert desk.passes(600) == []
    assert desk.again(mine).agent == mine.agent


def test_after_a_crash_those_who_were_asked_are_asked_again_once_they_are_there() -> None:
    desk = stage(ANA)
    conversation = desk.writes(C1)

    desk.crashes()
    assert desk.effects == []
    desk.comes(ANA)

    assert of(Offer, desk.effects) == [Offer(desk.again(conversation), ANA, desk.now + 30)]


def test_after_a_crash_who_was_paused_is_paused_and_who_can_be_reopened_can() -> None:
    desk = stage(ANA)
    conversation = desk.attended(C1, ANA)
    desk.done(desk.floor.close(conversation, "", ANA, desk.now))
    desk.done(desk.floor.pause(ANA, "lunch", desk.now))

    desk.crashes()

    assert desk.floor.agents[ANA].paused == "lunch"
    assert desk.writes(C1).id == conversation.id


def test_clients_of_a_queue_that_is_gone_after_a_start_are_served_where_they_came_in_or_told() -> None:
    desk = Stage(support={"members": [ANA]}, sales={"members": [LUIS]})
    desk.comes(ANA)
    moved = desk.attended(C1, ANA)
    desk.done(desk.floor.transfer(moved, "sales", "", ANA, desk.now))
    lost = desk.writes(C2, "sales")
    desk.floor = Floor(settings(support={"members": [ANA]}), lambda question: None)

    desk.done(desk.floor.restore([moved, lost], [], desk.now))

    assert desk.floor.waiting("support") == [moved]
    assert lost.state is State.CLOSED
    assert of(TellClient, desk.effects) == [TellClient(lost, "unserved")]
    assert desk.stored[lost.id]


# Settings that are read again


def test_new_members_are_asked_once_it_is_told_that_they_are_there() -> None:
    desk = Stage(support={"members": [ANA]})
    conversation = desk.writes(C1)

    desk.done(desk.floor.reload(settings(support={"members": [ANA, LUIS]}), desk.now))
    desk.comes(LUIS)

    assert set(conversation.offered) == {LUIS}


def test_members_who_are_removed_are_not_asked_and_keep_what_they_have() -> None:
    desk = stage(ANA)
    mine, offered = desk.attended(C1, ANA), desk.writes(C2)

    desk.done(desk.floor.reload(settings(support={"members": [LUIS]}), desk.now))

    assert desk.effects == [Withdraw(offered, ANA, "removed")]
    desk.done(desk.floor.agent_wrote(mine, ANA, desk.now))
    desk.done(desk.floor.close(mine, "", ANA, desk.now))
    assert mine.state is State.CLOSED


def test_more_room_is_used_at_once() -> None:
    desk = stage(ANA, accept="assign", agent_capacity=1)
    desk.writes(C1)
    second = desk.writes(C2)

    more = settings(support={"members": [ANA], "accept": "assign", "agent_capacity": 2})
    desk.done(desk.floor.reload(more, desk.now))

    assert second.state is State.ACTIVE


def test_clients_of_a_queue_that_is_removed_go_to_its_overflow_queue() -> None:
    desk = Stage(support={"members": [ANA]}, sales={"members": [ANA], "overflow_queue": "support"})
    desk.comes(ANA)
    mine = desk.attended(C1, ANA, "sales")
    offered = desk.writes(C2, "sales")

    desk.done(desk.floor.reload(settings(support={"members": [LUIS]}), desk.now))

    assert offered.queue == "support"
    assert offered.state is State.WAITING
    assert (mine.queue, mine.agent) == ("sales", ANA)
    assert desk.writes(C2, "sales") is offered


def test_without_an_overflow_queue_a_removed_queue_serves_whom_it_has_and_lets_nobody_in() -> None:
    desk = Stage(support={"members": [ANA]}, sales={"members": [LUIS]})
    waiting = desk.writes(C1, "sales")

    desk.done(desk.floor.reload(settings(support={"members": [ANA]}), desk.now))

    desk.comes(LUIS)
    desk.accepts(LUIS, waiting)
    with pytest.raises(Refused):
        desk.writes(C2, "sales")
    desk.done(desk.floor.close(waiting, "", LUIS, desk.now))
    assert list(desk.floor.queues) == ["support"]
    desk.passes(901)
    assert not desk.floor.conversations


def test_strangers_come_and_go_unnoticed() -> None:
    desk = stage(ANA)

    desk.comes("stranger@example.com")

    assert desk.floor.pause("stranger@example.com", "", desk.now) == []
    assert desk.floor.unpause("stranger@example.com", desk.now) == []
    assert list(desk.floor.agents) == [ANA]
