"""Proof that a webhook is called by Meta: X-Hub-Signature-256, and the question that is asked once.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final

#: The longest challenge that is given back; Meta's are numbers of ten digits.
LONGEST_CHALLENGE: Final = 256

_HEADER: Final = re.compile(r"sha256=([0-9a-fA-F]{64})", re.ASCII)


class NotSigned(Exception):
    """That did not come from Meta, or from an app whose secret is not known here."""


class NotVerified(Exception):
    """Who asks does not know the word."""


def sign(body: bytes, secret: str) -> str:
    """Write the header that goes with a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def check_signature(body: bytes, header: str, secrets: Sequence[str]) -> None:
    """Check that the very bytes of a body were signed with one of the secrets; while one is replaced there are two.

    Raises:
        NotSigned: If they were not; the text says what is wrong, and nothing of what would be right.
    """
    if not header:
        raise NotSigned("there is no X-Hub-Signature-256")
    found = _HEADER.fullmatch(header.strip())
    if found is None:
        raise NotSigned("X-Hub-Signature-256 is not sha256= and 64 digits")
    given = bytes.fromhex(found[1])
    is_right = False
    for secret in secrets:
        # An empty secret is none: anybody could sign with it.
        expected = hmac.digest(secret.encode(), body, "sha256")
        is_right |= hmac.compare_digest(given, expected) and bool(secret)
    if not is_right:
        raise NotSigned("the signature is wrong: was it made with another app secret?")


def answer_verification(query: Mapping[str, str], tokens: Sequence[str]) -> str:
    """Answer `GET ?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`: the challenge, as plain text.

    Raises:
        NotVerified: If the token is not ours.
    """
    if query.get("hub.mode") != "subscribe":
        raise NotVerified("hub.mode is not subscribe")
    challenge = query.get("hub.challenge", "")
    if not challenge or len(challenge) > LONGEST_CHALLENGE:
        raise NotVerified("there is no hub.challenge")
    given = query.get("hub.verify_token", "").encode()
    is_right = False
    for token in tokens:
        is_right |= hmac.compare_digest(given, token.encode()) and bool(token)
    if not is_right:
        raise NotVerified("hub.verify_token is not the one in the settings")
    return challenge
