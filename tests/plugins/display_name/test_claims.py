"""What clients may call themselves."""

import pytest

from imserver_display_name.claims import LONGEST, claim, is_free, skeleton


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Anna", "Anna"),
        ("  Anna \n García\t", "Anna García"),
        ("An\u202ena\u2069\u200b", "Anna"),
        ("Anna\x00\x07\x1b[31m", "Anna31m"),
        ("Anna” (+34600000000) “", "Anna +34600000000"),
        ("\U000e0041nna", "nna"),
        ("👩‍🚀 Eva", "👩‍🚀 Eva"),
        ("سارا‌جان", "سارا‌جان"),
        ("Zoe" + "\u0301" * 50, "Zoé" + "\u0301" * 3),
        ("A" * 500, "A" * (LONGEST - 1) + "…"),
        ("maria@example.com", ""),
        ("https://example.com", ""),
        ("+34 600 000 000", ""),
        ("\u200b\u3164 \u2800", ""),
        ("", ""),
    ],
)
def test_a_claimed_name_is_cleaned(said: str, shown: str) -> None:
    assert claim(said) == shown


@pytest.mark.parametrize(
    "posed", ["Support", " SUPPORT ", "Ѕuppоrt", "S.u-p_p o r t", "Ｓｕｐｐｏｒｔ", "Süpport", "5upp0rt"]
)
def test_names_that_look_like_others_are_not_free(posed: str) -> None:
    assert not is_free(posed, {skeleton("support")})


@pytest.mark.parametrize("name", ["Anna", "Supporter", "Анна", "李雷", "👩‍🚀"])
def test_other_names_are(name: str) -> None:
    assert is_free(name, {skeleton("support"), skeleton("ana")})
