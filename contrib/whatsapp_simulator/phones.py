"""The forms a phone number has: as it is written, and as WhatsApp knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: The countries whose people one tries things out with; anybody else counts as from the US.
COUNTRIES: Final[Mapping[str, str]] = {
    "351": "PT",
    "972": "IL",
    "244": "AO",
    "258": "MZ",
    "238": "CV",
    "353": "IE",
    "34": "ES",
    "33": "FR",
    "44": "GB",
    "49": "DE",
    "39": "IT",
    "31": "NL",
    "55": "BR",
    "52": "MX",
    "54": "AR",
    "91": "IN",
    "1": "US",
}
_NOT_DIGITS = re.compile(r"\D")
_WRITTEN = re.compile(r"\+?[\d\s().-]{5,25}")


def is_phone(text: str) -> bool:
    """Whether this could be a phone number."""
    return bool(_WRITTEN.fullmatch(text)) and 5 <= len(digits_of(text)) <= 15


def digits_of(text: str) -> str:
    """Leave away what is not a digit."""
    return _NOT_DIGITS.sub("", text)


def wa_id_of(phone: str) -> str:
    """Say how WhatsApp calls a number, whichever of its forms it is written in.

    Brazil's older accounts are known without the mobile 9, Mexico's with the 1 and Argentina's with the 9
    that people no longer dial; so an answer's `wa_id` differs from the request's `to` (Cloud API: Messages).
    """
    digits = digits_of(phone)
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9" and int(digits[2:4]) >= 31:
        return digits[:4] + digits[5:]
    if digits.startswith("52") and len(digits) == 12:
        return f"521{digits[2:]}"
    if digits.startswith("54") and len(digits) == 12:
        return f"549{digits[2:]}"
    return digits


def country_of(phone: str) -> str:
    """Say from which country a number is, roughly."""
    digits = digits_of(phone)
    return next((COUNTRIES[digits[:n]] for n in (3, 2, 1) if digits[:n] in COUNTRIES), "US")
