"""Ids that look like WhatsApp's."""

from __future__ import annotations

import base64
from random import Random

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"


class Identifiers:
    """Makes ids that nobody has had; equal seeds make equal ids."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def wamid(self, whose: str) -> str:
        """Name a message."""
        inside = b"\x1d\x18" + whose.encode() + b"\x15\x02\x00\x12\x18" + self._letters(20).encode()
        return f"wamid.{base64.b64encode(inside).decode()}"

    def media(self) -> str:
        """Name a file."""
        return self._digits(16)

    def user(self, country: str) -> str:
        """Name a person, to this business only (Cloud API: Business-scoped user IDs)."""
        return f"{country}.{self._digits(20)}"

    def trace(self) -> str:
        """Name an answer."""
        return f"A{self._letters(22)}"

    def secret(self) -> str:
        """Make something that cannot be guessed in a URL."""
        return self._letters(40)

    def conversation(self) -> str:
        """Name what was a conversation before v24."""
        return self._letters(32).lower()

    def challenge(self) -> str:
        """Make the number that a webhook has to say after us."""
        return self._digits(10)

    def _letters(self, length: int) -> str:
        return "".join(self._random.choices(ALPHANUMERIC, k=length))

    def _digits(self, length: int) -> str:
        return self._random.choice(DIGITS[1:]) + "".join(self._random.choices(DIGITS, k=length - 1))
