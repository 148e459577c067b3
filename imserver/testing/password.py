"""RFC 5802: the password of all actors, and how they prove it; keys are derived once, since that takes long."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from imserver.stream.scram import make_credentials

PASSWORD: Final = "open sesame"  # noqa: S105 - everybody may know it
SALT: Final = b"the same for all actors"
CREDENTIALS: Final = make_credentials(PASSWORD, iterations=4096, salt=SALT, mechanisms=("SCRAM-SHA-256",))
SALTED: Final = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 4096)


def prove(message: str) -> str:
    """Make the proof of the last message of SCRAM-SHA-256, from what was said so far."""
    client_key = hmac.digest(SALTED, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message.encode(), "sha256")
    return base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
