"""Whether a file that was fetched is the one that was sent."""

from __future__ import annotations

import base64
import hmac
from contextlib import suppress
from typing import Final

from imserver_whatsapp.media_rules import MB

#: What a client can send at most; anything larger is 131052 at Meta's.
LARGEST: Final = 100 * MB

_URL_SAFE: Final = str.maketrans("-_", "+/")


def is_same(digest: bytes, sha256: str) -> bool:
    """Compare a SHA-256 with what Meta says it is, in base64 or in hexadecimal digits; if it says none, all is well."""
    if not sha256:
        return True
    return any(hmac.compare_digest(digest, one) for one in _read(sha256.strip()))


def _read(written: str) -> list[bytes]:
    found = []
    padded = written.translate(_URL_SAFE) + "=" * (-len(written) % 4)
    with suppress(ValueError):
        found.append(base64.b64decode(padded, validate=True))
    with suppress(ValueError):
        found.append(bytes.fromhex(written))
    return found
