"""Blue ticks and "typing…"."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from imserver_whatsapp.attention import Attention, Policy
from imserver_whatsapp.fetched import is_same

NOW = 1_000.0


def said(requests: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    return [(one["message_id"], "typing_indicator" in one) for one in requests]


def test_what_is_shown_is_marked_once() -> None:
    attention = Attention("view")
    attention.heard("w1")

    assert said(attention.seen("w1")) == [("w1", False)]
    assert attention.seen("w1") == []
    assert attention.answered() == []


def test_what_is_answered_is_marked() -> None:
    attention = Attention("reply")
    attention.heard("w1")

    assert attention.seen("w1") == []
    assert said(attention.answered()) == [("w1", False)]
    assert attention.answered() == []


def test_never_is_never() -> None:
    attention = Attention("never")
    attention.heard("w1")

    assert attention.seen("w1") == attention.answered() == attention.composing(NOW) == []


def test_typing_is_said_again_after_twenty_seconds_until_they_pause() -> None:
    attention = Attention("view")
    attention.heard("w1")

    assert said(attention.composing(NOW)) == [("w1", True)]
    assert attention.repeats_at == NOW + 20
    assert attention.composing(NOW + 19) == []
    assert said(attention.composing(NOW + 20)) == [("w1", True)]
    attention.paused()
    assert said(attention.composing(NOW + 22)) == [("w1", True)]
    attention.answered()
    assert said(attention.composing(NOW + 23)) == [("w1", True)]


@pytest.mark.parametrize(("policy", "is_said"), [("view", True), ("reply", False), ("never", False)])
def test_typing_marks_as_read_so_it_is_said_only_where_that_is_allowed(policy: Policy, is_said: bool) -> None:
    attention = Attention(policy)
    attention.heard("w1")

    assert bool(attention.composing(NOW)) is is_said


def test_after_an_answer_typing_says_nothing_new() -> None:
    attention = Attention("reply")
    attention.heard("w1")
    attention.answered()

    assert said(attention.composing(NOW)) == [("w1", True)]
    attention.heard("w2")
    assert attention.composing(NOW + 30) == []


def test_without_a_message_of_the_clients_there_is_no_typing() -> None:
    assert Attention("view").composing(NOW) == []
    assert Attention("reply").answered() == []


DIGEST = hashlib.sha256(b"a").digest()


@pytest.mark.parametrize(
    ("sha256", "expected"),
    [
        ("ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=", True),
        ("ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs", True),
        (DIGEST.hex(), True),
        ("", True),
        ("AAAA", False),
        ("not a hash", False),
        (hashlib.sha256(b"b").hexdigest(), False),
    ],
)
def test_a_file_is_the_one_that_was_sent(sha256: str, expected: bool) -> None:
    assert is_same(DIGEST, sha256) is expected
