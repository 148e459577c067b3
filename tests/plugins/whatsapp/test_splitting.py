"""Long texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_whatsapp.splitting import LONGEST, is_boundary, split_text, units

FAMILY = "👩‍👩‍👧‍👦"
CHARACTERS = [
    "a",
    " ",
    "\n",
    ". ",
    "é",
    "e\u0301",
    FAMILY,
    "👍🏽",
    "🇵🇹",
    "1️⃣",
    "각",
    "\u1100\u1161\u11a8",
    "क्षि",
    "𝄞",
]


def test_a_short_text_is_one() -> None:
    assert split_text(" Olá \n") == ["Olá"]
    assert split_text("") == split_text(" \n ") == []
    assert split_text("x" * LONGEST) == ["x" * LONGEST]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two three", ["one two", "three"]),
        ("one two\nthree four", ["one two", "three four"]),
        ("first.\n\nsecond", ["first.", "second"]),
        ("Hi. There you", ["Hi. There", "you"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
    ],
)
def test_it_is_cut_where_people_would(text: str, pieces: list[str]) -> None:
    assert split_text(text, 10) == pieces


def test_a_family_stays_together() -> None:
    assert split_text(FAMILY * 3, 25) == [FAMILY * 2, FAMILY]
    assert split_text("🇵🇹" * 3, 10) == ["🇵🇹" * 2, "🇵🇹"]
    assert split_text("e\u0301" * 4, 5) == ["e\u0301" * 2] * 2


def test_emoji_count_twice_as_metas_programs_may_count_them() -> None:
    assert units("a👍") == 3
    assert [units(piece) for piece in split_text("👍" * LONGEST)] == [LONGEST, LONGEST]


@given(st.lists(st.sampled_from(CHARACTERS), max_size=80).map("".join), st.integers(30, 60))
def test_nothing_is_lost_no_piece_is_too_long_and_no_character_is_torn(text: str, longest: int) -> None:
    pieces = split_text(text, longest)

    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < units(piece) <= longest for piece in pieces)
    at = 0
    for piece in pieces:
        at = text.index(piece, at)
        assert is_boundary(text, at)
        at += len(piece)


@given(st.text(max_size=300), st.integers(2, 40))
def test_whatever_the_text_it_ends(text: str, longest: int) -> None:
    pieces = split_text(text, longest)

    assert all(units(piece) <= longest for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_character_without_end_is_cut_all_the_same() -> None:
    assert len(split_text("e" + "\u0301" * 10_000)) == 3
