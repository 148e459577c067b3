"""What Meta sends, as it stands in the JSON: known fields by name, unknown ones kept.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

#: The longest id that is believed to be one.
LONGEST_ID: Final = 512


def _text(value: object) -> object:
    return "" if value is None else value


def _list(value: object) -> object:
    return () if value is None else value


def _flag(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.casefold() == "true")


def _seconds(value: object) -> float:
    """Read seconds since 1970, be they a text or a number; 0 for what is no time."""
    try:
        seconds = float(str(value))
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 2**33 else 0.0


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _or_nothing(value: object, read: ValidatorFunctionWrapHandler) -> Any:
    """Do without something that a message does not need to be understood."""
    try:
        return read(value)
    except ValidationError:
        return None


def _readable(value: object) -> object:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


#: What stands beside something more important: if it can't be read, it is as if it were not there.
Aside: Final = WrapValidator(_or_nothing)
#: A text; nothing is "".
Text = Annotated[str, BeforeValidator(_text)]
#: An id; nothing is "".
Id = Annotated[str, BeforeValidator(_text), Field(max_length=LONGEST_ID)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Seconds = Annotated[float, BeforeValidator(_seconds)]


class Shape(BaseModel):
    """Something in the JSON; whatever Meta adds to it is kept, and stops nobody."""

    model_config = ConfigDict(
        extra="allow", frozen=True, coerce_numbers_to_str=True, populate_by_name=True, protected_namespaces=()
    )


# Errors


class ErrorData(Shape):
    details: Text = ""


class Error(Shape):
    """What went wrong, in an answer, a status, a message, or by itself."""

    #: None if it has none; 0 is one of Meta's.
    code: Annotated[int | None, BeforeValidator(_number)] = None
    error_subcode: Annotated[int | None, BeforeValidator(_number)] = None
    title: Text = ""
    message: Text = ""
    error_data: Annotated[ErrorData | None, Aside] = None
    href: Text = ""
    fbtrace_id: Text = ""

    @property
    def details(self) -> str:
        """What people may make use of: the details, else the message, else the title."""
        details = self.error_data.details if self.error_data is not None else ""
        return details or self.message or self.title


Errors = Annotated[tuple[Error, ...], BeforeValidator(_readable)]


# Who


class Profile(Shape):
    name: Text = ""
    username: Text = ""


class Contact(Shape):
    """Whom a batch is about."""

    profile: Profile = Profile()
    wa_id: Id = ""
    user_id: Id = ""
    parent_user_id: Id = ""
    identity_key_hash: Text = ""


class Metadata(Shape):
    """Which number of ours a batch is about."""

    display_phone_number: Id = ""
    phone_number_id: Id = ""


# What a message holds


class TextBody(Shape):
    body: Text = ""


class Media(Shape):
    id: Id = ""
    url: Text = ""
    mime_type: Text = ""
    #: In base64.
    sha256: Text = ""
    caption: Text = ""
    filename: Text = ""
    voice: Flag = False
    animated: Flag = False


class Location(Shape):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Text = ""
    address: Text = ""
    url: Text = ""


class CardName(Shape):
    formatted_name: Text = ""
    first_name: Text = ""
    middle_name: Text = ""
    last_name: Text = ""
    prefix: Text = ""
    suffix: Text = ""


class CardPhone(Shape):
    phone: Text = ""
    wa_id: Text = ""
    type: Text = ""


class CardEmail(Shape):
    email: Text = ""
    type: Text = ""


class CardURL(Shape):
    url: Text = ""
    type: Text = ""


class CardAddress(Shape):
    street: Text = ""
    city: Text = ""
    state: Text = ""
    zip: Text = ""
    country: Text = ""
    type: Text = ""


class CardCompany(Shape):
    company: Text = ""
    department: Text = ""
    title: Text = ""


class Card(Shape):
    """A contact that somebody passes on."""

    name: CardName = CardName()
    phones: Annotated[tuple[CardPhone, ...], BeforeValidator(_list)] = ()
    emails: Annotated[tuple[CardEmail, ...], BeforeValidator(_list)] = ()
    urls: Annotated[tuple[CardURL, ...], BeforeValidator(_list)] = ()
    addresses: Annotated[tuple[CardAddress, ...], BeforeValidator(_list)] = ()
    org: Annotated[CardCompany | None, Aside] = None
    birthday: Text = ""


class Reply(Shape):
    """A choice out of several."""

    id: Text = ""
    title: Text = ""
    description: Text = ""


class FlowReply(Shape):
    name: Text = ""
    body: Text = ""
    #: An object, as a text.
    response_json: Text = ""


class Interactive(Shape):
    type: Text = ""
    button_reply: Reply | None = None
    list_reply: Reply | None = None
    nfm_reply: FlowReply | None = None


class Button(Shape):
    payload: Text = ""
    text: Text = ""


class Reaction(Shape):
    message_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    #: Nothing: it is taken back.
    emoji: Text = ""


class OrderedItem(Shape):
    product_retailer_id: Text = ""
    quantity: Text = ""
    item_price: Text = ""
    currency: Text = ""


class Order(Shape):
    catalog_id: Text = ""
    text: Text = ""
    product_items: Annotated[tuple[OrderedItem, ...], BeforeValidator(_list)] = ()


class Unsupported(Shape):
    type: Text = ""


class Inner(Shape):
    """What a message says after it was edited; its body stands under the name of its type."""

    type: Text = ""


class Edit(Shape):
    original_message_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    message: Inner | None = None


class Revoke(Shape):
    original_message_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class System(Shape):
    type: Text = ""
    body: Text = ""
    #: The new one.
    wa_id: Id = ""
    user_id: Id = ""
    parent_user_id: Id = ""


#: The body of a message stands under the name of its type.
BODIES: Final[Mapping[str, TypeAdapter[Any]]] = {
    "text": TypeAdapter(TextBody),
    **dict.fromkeys(("image", "video", "audio", "document", "sticker"), TypeAdapter(Media)),
    "location": TypeAdapter(Location),
    "contacts": TypeAdapter(tuple[Card, ...]),
    "interactive": TypeAdapter(Interactive),
    "button": TypeAdapter(Button),
    "reaction": TypeAdapter(Reaction),
    "order": TypeAdapter(Order),
    "unsupported": TypeAdapter(Unsupported),
    "edit": TypeAdapter(Edit),
    "revoke": TypeAdapter(Revoke),
    "system": TypeAdapter(System),
}


class Product(Shape):
    catalog_id: Text = ""
    product_retailer_id: Text = ""


class Context(Shape):
    """What a message refers to."""

    id: Id = ""
    sender: Id = Field(default="", alias="from")
    forwarded: Flag = False
    frequently_forwarded: Flag = False
    referred_product: Annotated[Product | None, Aside] = None


class Referral(Shape):
    """The advertisement that somebody came by."""

    source_url: Text = ""
    source_id: Text = ""
    source_type: Text = ""
    headline: Text = ""
    body: Text = ""
    media_type: Text = ""
    image_url: Text = ""
    video_url: Text = ""
    thumbnail_url: Text = ""
    ctwa_clid: Text = ""


class Header(Shape):
    """What all messages have, whoever wrote them."""

    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    timestamp: Seconds = 0.0
    type: Text = ""
    sender: Id = Field(default="", alias="from")
    from_user_id: Id = ""
    from_parent_user_id: Id = ""
    to: Id = ""
    to_user_id: Id = ""
    to_parent_user_id: Id = ""
    group_id: Id = ""
    context: Annotated[Context | None, Aside] = None
    referral: Annotated[Referral | None, Aside] = None
    errors: Errors = ()


# What became of ours


class Origin(Shape):
    type: Text = ""


class Window(Shape):
    """What Meta calls a conversation."""

    id: Text = ""
    expiration_timestamp: Seconds = 0.0
    origin: Origin | None = None


class Pricing(Shape):
    billable: Flag = False
    pricing_model: Text = ""
    type: Text = ""
    category: Text = ""


class Status(Shape):
    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    status: Annotated[str, Field(min_length=1, max_length=64)]
    timestamp: Seconds = 0.0
    recipient_id: Id = ""
    recipient_user_id: Id = ""
    recipient_parent_user_id: Id = ""
    recipient_type: Text = ""
    biz_opaque_callback_data: Id = ""
    conversation: Annotated[Window | None, Aside] = None
    pricing: Annotated[Pricing | None, Aside] = None
    errors: Errors = ()


class Call(Shape):
    id: Id = ""
    sender: Id = Field(default="", alias="from")
    from_user_id: Id = ""
    event: Text = ""
    direction: Text = ""
    timestamp: Seconds = 0.0


class TemplateUpdate(Shape):
    """Something about a template of the account has changed."""

    event: Text = ""
    message_template_id: Id = ""
    message_template_name: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    message_template_language: Id = ""
    reason: Text = ""


# Answers to what is asked of the Graph API


class AnsweredContact(Shape):
    input: Id = ""
    wa_id: Id = ""
    user_id: Id = ""


class AnsweredMessage(Shape):
    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
    message_status: Text = ""


class Accepted(Shape):
    """A message was taken; not more than that."""

    contacts: Annotated[tuple[AnsweredContact, ...], BeforeValidator(_list)] = ()
    messages: Annotated[tuple[AnsweredMessage, ...], Field(min_length=1)]


class Declined(Shape):
    error: Error


class MediaInfo(Shape):
    """Where a file can be had for five minutes."""

    url: Annotated[str, Field(min_length=1)]
    id: Id = ""
    mime_type: Text = ""
    #: In base64, or in hexadecimal digits: both are seen.
    sha256: Text = ""
    file_size: Annotated[int | None, BeforeValidator(_number)] = None


class Uploaded(Shape):
    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
