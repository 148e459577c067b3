"""Customers, and what was said with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contrib.whatsapp_simulator.clock import DAY
from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.rates import PairRate
from contrib.whatsapp_simulator.shapes import JSON

#: Cloud API, Customer service windows: how long a business may answer freely.
WINDOW_SECONDS: Final = DAY
#: Cloud API: for how long a number stays known, a message can be reacted to.
MONTH_SECONDS: Final = 30 * DAY
#: Cloud API, Messages: for how long "typing" is shown.
TYPING_SECONDS: Final = 25.0


class Author(StrEnum):
    CUSTOMER = "customer"
    BUSINESS = "business"
    #: A human in the WhatsApp Business app on the same number.
    APP = "app"


class Status(StrEnum):
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


#: What may still become of a message.
AFTER: Final = {
    Status.ACCEPTED: {Status.SENT, Status.DELIVERED, Status.READ, Status.PLAYED, Status.FAILED},
    Status.SENT: {Status.DELIVERED, Status.READ, Status.PLAYED, Status.FAILED},
    Status.DELIVERED: {Status.READ, Status.PLAYED},
    Status.READ: {Status.PLAYED},
    Status.PLAYED: set(),
    Status.FAILED: set(),
}


@dataclass(slots=True, eq=False)
class Customer:
    """Somebody with WhatsApp."""

    key: str
    phone: str
    wa_id: str
    user_id: str
    name: str
    username: str = ""
    parent_user_id: str = ""
    #: Has a username, so the business sees only the user id (Cloud API: Business-scoped user IDs).
    hides_phone: bool = False
    is_online: bool = True
    is_reachable: bool = True
    identity_hash: str = ""


@dataclass(slots=True, eq=False)
class ChatMessage:
    """A message as both sides see it."""

    id: str
    author: Author
    customer: Customer
    number: str
    kind: str
    content: JSON
    at: float
    context: str = ""
    opaque: str | None = None
    to: str = ""
    status: Status = Status.ACCEPTED
    error: GraphError | None = None
    statuses: list[tuple[Status, float]] = field(default_factory=list)
    reactions: dict[Author, str] = field(default_factory=dict)
    rendered: JSON = field(default_factory=dict)
    is_edited: bool = False
    is_revoked: bool = False
    is_read: bool = False

    @property
    def text(self) -> str:
        """What is to be read: the text, or the caption."""
        return str(self.content.get("body", "") or self.content.get("caption", ""))

    @property
    def media_id(self) -> str:
        return str(self.content.get("id", ""))

    @property
    def is_voice(self) -> bool:
        return self.kind == "audio" and bool(self.content.get("voice"))

    def may_become(self, status: Status) -> bool:
        return status in AFTER[self.status]


@dataclass(slots=True, eq=False)
class Chat:
    """All between one customer and one number of the business."""

    number: str
    customer: Customer
    messages: list[ChatMessage] = field(default_factory=list)
    pair_rate: PairRate = field(default_factory=PairRate)
    last_heard: float | None = None
    #: When the business last wrote to the phone number, not to the user id.
    last_by_phone: float | None = None
    typing_until: float = 0.0

    def window_until(self) -> float | None:
        """When the 24 hours are over; None: they never began."""
        return None if self.last_heard is None else self.last_heard + WINDOW_SECONDS

    def is_open(self, now: float) -> bool:
        """Whether free texts may be sent."""
        until = self.window_until()
        return until is not None and now < until

    def shows_phone(self, now: float) -> bool:
        """Whether webhooks tell the phone number (Cloud API: Business-scoped user IDs)."""
        if not self.customer.hides_phone:
            return True
        return self.last_by_phone is not None and now - self.last_by_phone < MONTH_SECONDS


class Chats:
    """Who there is, and where everything they said is found."""

    def __init__(self) -> None:
        self.customers: list[Customer] = []
        self._chats: dict[tuple[str, str], Chat] = {}
        self._messages: dict[str, ChatMessage] = {}

    def by_key(self, key: str) -> Customer | None:
        return next((one for one in self.customers if one.key == key), None)

    def by_wa_id(self, wa_id: str) -> Customer | None:
        return next((one for one in self.customers if one.wa_id == wa_id), None)

    def by_user_id(self, user_id: str) -> Customer | None:
        return next((one for one in self.customers if user_id in (one.user_id, one.parent_user_id)), None)

    def between(self, number: str, customer: Customer) -> Chat:
        """Find what was said, or begin."""
        where = (number, customer.key)
        if where not in self._chats:
            self._chats[where] = Chat(number, customer)
        return self._chats[where]

    def with_customer(self, customer: Customer) -> list[Chat]:
        return [chat for chat in self._chats.values() if chat.customer is customer]

    def add(self, message: ChatMessage) -> None:
        self._messages[message.id] = message
        self.between(message.number, message.customer).messages.append(message)

    def note(self, message: ChatMessage) -> None:
        """Know a message by its id that has no bubble of its own: a reaction."""
        self._messages[message.id] = message

    def message(self, wamid: str) -> ChatMessage | None:
        return self._messages.get(wamid)
