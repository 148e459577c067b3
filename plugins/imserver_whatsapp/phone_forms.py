"""The forms of one phone number: in three countries WhatsApp and people write it differently."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers

#: Brazil, Mexico, Argentina.
_BRAZIL, _MEXICO, _ARGENTINA = 55, 52, 54


@lru_cache(maxsize=4_096)
def phone_forms(number: str) -> tuple[str, ...]:
    """List all forms of a number, the one given first, as `+5511987654321`; none if it is no number.

    Of each two of them, at most one can be somebody's: it is no question of whose.
    """
    digits = number.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 5 <= len(digits) <= 17):
        return ()
    written = f"+{digits}"
    twin = _twin(written)
    return (written, twin) if twin else (written,)


def shown(number: str) -> str:
    """Write a number as people read it: `+351 910 000 000`."""
    try:
        parsed = phonenumbers.parse(number if number.startswith("+") else f"+{number}")
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _twin(written: str) -> str:
    for country in (_BRAZIL, _MEXICO, _ARGENTINA):
        prefix = f"+{country}"
        if written.startswith(prefix):
            national = _national(country, written.removeprefix(prefix))
            return f"{prefix}{national}" if national else ""
    return ""


def _national(country: int, given: str) -> str:
    """Write the national part the other way."""
    if country == _BRAZIL:
        # Since 2016 mobile numbers have a ninth digit, a 9 behind the area's two; WhatsApp's ids often lack it.
        area, local = given[:2], given[2:]
        if len(local) == 9 and local[0] == "9" and local[1] in "6789":
            return _if_valid(country, given, area + local[1:])
        if len(local) == 8 and local[0] in "6789":
            return _if_valid(country, f"{area}9{local}", f"{area}9{local}")
        return ""
    # Mexico: a 1 in front of mobile numbers until 2019. Argentina: a 9, when called from abroad.
    sign, plain = ("1", given.removeprefix("1")) if country == _MEXICO else ("9", given.removeprefix("9"))
    if len(given) == 11 and given[0] == sign:
        return _if_valid(country, plain, plain)
    if len(given) == 10:
        return _if_valid(country, given, sign + given)
    return ""


def _if_valid(country: int, checked: str, twin: str) -> str:
    """Give the twin if the form that the numbering plan knows is one of its numbers."""
    number = phonenumbers.PhoneNumber(country_code=country, national_number=int(checked))
    return twin if phonenumbers.is_valid_number(number) else ""
