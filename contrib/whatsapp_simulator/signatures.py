"""X-Hub-Signature-256: who sent a webhook's body (Cloud API: Webhooks)."""

from __future__ import annotations

import hashlib
import hmac

from contrib.whatsapp_simulator.envelopes import written_anew
from contrib.whatsapp_simulator.settings import Signing

HEADER = "X-Hub-Signature-256"


def signature(secret: str, body: bytes) -> str:
    """Sign exactly these bytes."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def signature_headers(secret: str, body: bytes, signing: Signing) -> dict[str, str]:
    """Sign as asked for, which may be wrongly."""
    match signing:
        case Signing.GOOD:
            return {HEADER: signature(secret, body)}
        case Signing.WRONG:
            return {HEADER: signature(f"not {secret}", body)}
        case Signing.REWRITTEN:
            return {HEADER: signature(secret, written_anew(body))}
        case Signing.MISSING:
            return {}
