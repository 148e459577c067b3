"""What Meta's errors mean."""

from __future__ import annotations

import pytest

from imserver_whatsapp.code_texts import NEXT, WHY
from imserver_whatsapp.codes import (
    RULES,
    UNCLEAR,
    UNKNOWN,
    Action,
    Rule,
    explain,
    is_about,
    rule,
    rule_of_answer,
    stanza_error,
)
from imserver_whatsapp.languages import LANGUAGES
from imserver_whatsapp.shapes import Declined

TABLE = {
    Action.STOP: [0, 190, 3, 10, 200, 250, 299, 368, 131031],
    Action.BACK_OFF: [4, 80007, 130429, 131057],
    Action.PAIR: [131056],
    Action.RETRY: [131000, 131016, 133004, 1, 2],
    Action.WINDOW_CLOSED: [131047, 470],
    Action.REFRESH_TEMPLATES: [132000, 132001, 132005, 132007, 132012, 132015, 132016],
    Action.ALARM: [131042, 133010],
    Action.SHOW: [131051, 131060],
    Action.FAIL: [
        *(131048, 131049, 131050, 100, 131008, 131009, 131026, 131030, 131052, 131053),
        *(130403, 130497, 135000, 131062, 999999),
    ],
}


@pytest.mark.parametrize(("action", "code"), [(action, code) for action in TABLE for code in TABLE[action]])
def test_what_is_done_about_each(action: Action, code: int) -> None:
    assert rule(code).action is action


@pytest.mark.parametrize(
    ("code", "condition", "type"),
    [
        (131047, "policy-violation", "modify"),
        (131026, "recipient-unavailable", "cancel"),
        (131053, "not-acceptable", "modify"),
        (130429, "resource-constraint", "wait"),
        (131056, "resource-constraint", "wait"),
    ],
)
def test_the_error_on_the_wire(code: int, condition: str, type: str) -> None:
    error = stanza_error(rule(code), code=code, details="d")

    assert (error.condition, error.type) == (condition, type)
    assert str(error.application) == f"<error xmlns='urn:imserver:whatsapp:0' code='{code}'/>"


@pytest.mark.parametrize("found", dict.fromkeys((*RULES.values(), UNKNOWN, UNCLEAR)))
def test_every_rule_says_why_and_what_to_do_in_every_language(found: Rule) -> None:
    assert len({explain(found, lang) for lang in LANGUAGES}) == len(LANGUAGES)
    assert stanza_error(found).condition == found.condition


@pytest.mark.parametrize("found", dict.fromkeys((*RULES.values(), UNKNOWN, UNCLEAR)))
def test_what_is_not_tried_again_is_not_said_to_be_kept(found: Rule) -> None:
    assert found.ended.is_final
    assert found.ended.next != "kept"
    assert found.ended.alarms == found.alarms


def test_no_text_is_left_over() -> None:
    rules = [*RULES.values(), UNKNOWN, UNCLEAR]

    assert {one.why for one in rules} == set(WHY)
    assert {one.next for one in rules} == set(NEXT)


def test_the_details_are_said_and_cut() -> None:
    text = explain(rule(100), "en", code=100, details="Param\ntemplate['name'] " + "x" * 500)

    assert "(100: Param template['name'] xxx" in text
    assert len(text) < 400


@pytest.mark.parametrize(
    ("status", "code", "action"),
    [
        (400, 131056, Action.PAIR),
        (401, None, Action.STOP),
        (403, None, Action.STOP),
        (404, None, Action.FAIL),
        (429, None, Action.BACK_OFF),
        (500, 131000, Action.RETRY),
        (503, 424242, Action.RETRY),
        (400, 424242, Action.FAIL),
        (500, 190, Action.STOP),
    ],
)
def test_answers(status: int, code: int | None, action: Action) -> None:
    found = rule_of_answer(status, code)

    assert found is not None
    assert found.action is action


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateways_answer_tells_nothing_of_the_message(status: int) -> None:
    assert rule_of_answer(status, None) is None


def test_an_error_is_told_by_its_code_and_never_by_its_title() -> None:
    answer = {
        "error": {
            "message": "(#130429) Rate limit hit",
            "type": "OAuthException",
            "code": 130429,
            "title": "Re-engagement message",
            "error_data": {"messaging_product": "whatsapp", "details": "slower"},
            "fbtrace_id": "A",
        }
    }

    assert is_about(Declined.model_validate(answer).error) == (rule(130429), "slower")
