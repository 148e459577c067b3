"""Who the business is, how quick its customers are, and what may go wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contrib.whatsapp_simulator.clock import HOUR, MINUTE

VERSION: Final = "26.0"
#: After how many seconds a webhook is told again, the last for all that follow, for seven days. "With falling
#: frequency" is all that is published.
RETRIES: Final = (5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)


@dataclass(frozen=True, slots=True)
class BusinessNumber:
    """A telephone number of the business."""

    id: str = "1122334455667"
    display: str = "351210000000"
    name: str = "Casa do Chá"
    #: Messages a second, in and out (Cloud API: Throughput); 20 with the phone app beside it, up to 1,000 later.
    throughput: int = 80


@dataclass(frozen=True, slots=True)
class Account:
    """A WhatsApp Business Account, and the app that works for it."""

    id: str = "1234567890987654321"
    name: str = "Casa do Chá, Lda."
    app_id: str = "670843887433847"
    app_secret: str = "app-secret"
    verify_token: str = "verify-token"
    token: str = "access-token"
    version: str = VERSION
    numbers: tuple[BusinessNumber, ...] = (BusinessNumber(),)
    #: While an account is being tried out, only these may be written to; None: everybody.
    allowed: frozenset[str] | None = None


class Closed(StrEnum):
    """How a free text outside the 24 hours is refused."""

    AT_ONCE = "at once"
    LATER = "later"


class Signing(StrEnum):
    """What X-Hub-Signature-256 says."""

    GOOD = "good"
    WRONG = "wrong"
    MISSING = "missing"
    #: Right for the same JSON written with é instead of \u00e9; so wrong for these bytes.
    REWRITTEN = "rewritten"


@dataclass(slots=True)
class Pace:
    """How many seconds a message takes to its next status; None: not until somebody says so."""

    sent: float = 0.0
    delivered: float = 0.0
    read: float | None = None
    played: float | None = None


@dataclass(slots=True)
class Mischief:
    """What goes wrong on purpose; all of it happens with the real WhatsApp."""

    #: Updates that come within so many seconds share one POST.
    batch_seconds: float = 0.0
    #: How often each update is told once more, in an envelope of its own.
    duplicates: int = 0
    #: Each update is late by anything up to so many seconds, so that they overtake each other.
    disorder_seconds: float = 0.0
    #: How many POSTs are on the way at the same time.
    concurrency: int = 1
    signing: Signing = Signing.GOOD
    closed: Closed = Closed.AT_ONCE
    #: `sent` is told before the request that sent the message is answered.
    status_first: bool = False
    #: `read` comes without a `delivered` before it.
    skips_delivered: bool = False
    #: Requests are answered so many seconds later.
    slow_answers: float = 0.0
    #: A rate is a nuisance in some tests.
    rates: bool = True


@dataclass(slots=True)
class Settings:
    """All there is to set."""

    account: Account = field(default_factory=Account)
    pace: Pace = field(default_factory=Pace)
    mischief: Mischief = field(default_factory=Mischief)
    #: For how long an attempt to reach the webhook may take, by the real clock.
    patience: float = 10.0
    retries: Sequence[float] = RETRIES
    #: Equal seeds make equal ids and equal disorder.
    seed: int = 7
