"""What Meta answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.answers import NotTaken, Taken, Unclear, read_answer
from imserver_whatsapp.codes import UNKNOWN, Action, rule


def error(code: object) -> bytes:
    return json.dumps(
        {"error": {"message": "(#1) m", "code": code, "error_data": {"details": "d"}, "fbtrace_id": "A"}}
    ).encode()


def test_it_was_taken() -> None:
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+5511987654321", "wa_id": "551187654321", "user_id": "BR.1"}],
        "messages": [{"id": "wamid.1", "message_status": "accepted"}],
    }

    assert read_answer(200, json.dumps(answer).encode()) == Taken("wamid.1", "551187654321", "BR.1")
    assert read_answer(200, b'{"messages":[{"id":"wamid.1"}]}') == Taken("wamid.1")


def test_it_was_not() -> None:
    assert read_answer(400, error(131047)) == NotTaken(rule(131047), 131047, "d")
    assert read_answer(500, error("131000")) == NotTaken(rule(131000), 131000, "d")
    assert read_answer(401, error(0)) == NotTaken(rule(0), 0, "d")
    assert read_answer(404, b"not found") == NotTaken(UNKNOWN)


def test_an_error_without_a_code_is_not_the_one_with_the_code_0() -> None:
    answer = read_answer(400, error(None))

    assert isinstance(answer, NotTaken)
    assert answer.rule.action is not Action.STOP


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b'{"messages":[]}'),
        (200, b"<html>"),
        (502, b"<html>"),
        (504, b""),
        (500, b"{}"),
    ],
)
def test_nobody_can_tell(status: int, body: bytes) -> None:
    assert isinstance(read_answer(status, body), Unclear)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_no_answer_breaks_it(status: int, body: bytes) -> None:
    read_answer(status, body)
