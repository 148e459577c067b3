"""Only Meta gets in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.signature import (
    NotSigned,
    NotVerified,
    answer_verification,
    check_signature,
    sign,
)

BODY = b'{"text": "Ol\\u00e1 \\ud83d\\udc4b", "n": 1}'


def test_what_is_signed_with_our_secret_is_taken() -> None:
    check_signature(BODY, sign(BODY, "secret"), ["secret"])


def test_while_a_secret_is_replaced_both_count() -> None:
    for secret in ("old", "new"):
        check_signature(BODY, sign(BODY, secret), ["old", "new"])


def test_the_signature_is_of_the_raw_bytes() -> None:
    written_anew = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    assert written_anew != BODY

    with pytest.raises(NotSigned, match="wrong"):
        check_signature(BODY, sign(written_anew, "secret"), ["secret"])


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "there is no"),
        ("sha256=", "64 digits"),
        ("sha1=" + "0" * 64, "64 digits"),
        ("sha256=" + "z" * 64, "64 digits"),
        ("sha256=" + "٠" * 64, "64 digits"),
        ("sha256=" + "0" * 63 + "é", "64 digits"),
        ("sha256=" + "0" * 64, "wrong"),
        (sign(BODY, "other"), "wrong"),
        (sign(BODY + b" ", "secret"), "wrong"),
    ],
)
def test_what_is_not_ours_is_refused(header: str, reason: str) -> None:
    with pytest.raises(NotSigned, match=reason):
        check_signature(BODY, header, ["secret"])


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_taken(secrets: list[str]) -> None:
    with pytest.raises(NotSigned):
        check_signature(BODY, sign(BODY, ""), secrets)


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_header_breaks_it(body: bytes, header: str) -> None:
    with pytest.raises(NotSigned):
        check_signature(body, header, ["secret"])


def test_the_challenge_is_given_back_as_it_is() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "ñ"}

    assert answer_verification(query, ["other", "ñ"]) == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "unsubscribe", "hub.challenge": "1", "hub.verify_token": "word"},
        {"hub.mode": "subscribe", "hub.verify_token": "word"},
        {"hub.mode": "subscribe", "hub.challenge": "1" * 1000, "hub.verify_token": "word"},
    ],
)
def test_who_does_not_know_the_word_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(NotVerified):
        answer_verification(query, ["word"])


def test_an_empty_word_is_none() -> None:
    with pytest.raises(NotVerified):
        answer_verification({"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}, [""])
