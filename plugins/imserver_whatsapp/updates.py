"""What Meta tells, one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from imserver_whatsapp import shapes

JSON: TypeAlias = Any
Raw: TypeAlias = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of ours."""

    id: str = ""
    #: As Meta writes it, without "+".
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, by what Meta says of them; each of these may be missing."""

    #: The digits of the phone number.
    wa_id: str = ""
    user_id: str = ""
    parent_user_id: str = ""
    name: str = ""
    username: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is anything to tell them by."""
        return bool(self.wa_id or self.user_id or self.parent_user_id)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A body that is not what its type says, or is missing, or of a type that is not known here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """Somebody wrote to us."""

    account: str
    number: Number
    sender: Person
    id: str
    #: Seconds since 1970, by Meta's clock; 0 if it does not say.
    sent: float
    type: str
    body: Any
    context: shapes.Context | None = None
    referral: shapes.Referral | None = None
    errors: tuple[shapes.Error, ...] = ()
    group: str = ""
    raw: Raw = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same, however often and in whatever envelope it comes."""
        return ("message", self.number.id, self.id)


@dataclass(frozen=True, slots=True)
class Echo:
    """Somebody of ours wrote in the phone's app: it is as if we had sent it, and opens no window."""

    account: str
    number: Number
    client: Person
    id: str
    sent: float
    type: str
    body: Any
    context: shapes.Context | None = None
    errors: tuple[shapes.Error, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same, however often and in whatever envelope it comes."""
        return ("echo", self.number.id, self.id)


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a message of ours."""

    account: str
    number: Number
    recipient: Person
    id: str
    #: `sent`, `delivered`, `read`, `played`, `failed`, or something new.
    state: str
    at: float
    #: Our own id, if Meta gives it back.
    ours: str = ""
    errors: tuple[shapes.Error, ...] = ()
    raw: Raw = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same, however often and in whatever envelope it comes."""
        return ("status", self.number.id, self.id, self.state)


@dataclass(frozen=True, slots=True)
class SystemChange:
    """Somebody has another number, another id, or another phone now."""

    account: str
    number: Number
    before: Person
    after: Person
    id: str
    at: float
    kind: str
    text: str = ""
    raw: Raw = field(default_factory=dict, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same, however often and in whatever envelope it comes."""
        return ("message", self.number.id, self.id)


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody rang a number of ours: nobody answers here, but it opens the 24 hours."""

    number: Number
    caller: Person
    at: float
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """A template of the account is another now: approved, rejected, paused or rewritten."""

    account: str
    #: The webhook's field.
    about: str
    name: str
    language: str = ""
    event: str = ""
    reason: str = ""
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Meta reports an error that is about no message of its own."""

    number: Number
    error: shapes.Error
    raw: Raw = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that is not for us."""

    about: str
    raw: JSON = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that can't be read."""

    path: str
    reason: str
    raw: JSON = field(default=None, repr=False)


Update: TypeAlias = (
    Inbound | Echo | Status | SystemChange | Called | TemplateChange | Trouble | Ignored | Broken
)
