"""A webhook's body, read item by item: what is broken stops nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from imserver_whatsapp import shapes
from imserver_whatsapp.updates import (
    JSON,
    Broken,
    Called,
    Echo,
    Ignored,
    Inbound,
    Number,
    Person,
    Raw,
    Status,
    SystemChange,
    TemplateChange,
    Trouble,
    Unreadable,
    Update,
)

#: The largest body, in bytes: Meta sends no larger one.
LARGEST_BODY: Final = 3 * 1024 * 1024
#: How deep lists and objects may stand in each other.
DEEPEST: Final = 64
#: How many updates are taken from a body; Meta says that there are up to a thousand.
MOST_UPDATES: Final = 10_000

#: The webhooks that tell of a change of a template.
TEMPLATE_FIELDS: Final = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "message_template_components_update",
        "template_category_update",
        "template_correct_category_detection",
    }
)


class TooLarge(ValueError):
    """A body that Meta would not send."""


def read_updates(body: bytes) -> Iterator[Update]:
    """Read all that a body tells, in its order.

    Raises:
        TooLarge: If it is larger than any that Meta sends.
    """
    if len(body) > LARGEST_BODY:
        raise TooLarge(f"a webhook's body has {LARGEST_BODY} bytes at most, not {len(body)}")
    try:
        envelope = read_json(body)
    except ValueError as error:
        yield Broken("", f"it is not JSON: {error}", body[:10_000].decode(errors="replace"))
        return
    for count, update in enumerate(_read_envelope(envelope)):
        if count == MOST_UPDATES:
            yield Broken("", f"there are more than {MOST_UPDATES} updates in it")
            return
        yield update


def read_json(body: bytes) -> JSON:
    """Read JSON that somebody else wrote.

    Raises:
        ValueError: If it is none, or nested too deeply.
    """
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        # Half an emoji, where a text was cut: it is one character that is lost, and not the body.
        try:
            return _mended(json.loads(body, parse_constant=_refuse_constant))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    _check_depth(value)
    return value


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is no JSON")


def _check_depth(value: JSON, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        if isinstance(inner, dict | list):
            _check_depth(inner, depth + 1)


def _mended(value: JSON, depth: int = 0) -> JSON:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(inner, depth + 1) for inner in value]
        case dict():
            return {_mended(key): _mended(inner, depth + 1) for key, inner in value.items()}
    return value


def _read_envelope(envelope: JSON) -> Iterator[Update]:
    if not isinstance(envelope, dict):
        yield Broken("", "it is not an object", envelope)
        return
    for path, entry in _items(envelope, "entry", ""):
        if not isinstance(entry, dict):
            yield Broken(path, "it is not an object", entry)
            continue
        account = _id(entry.get("id"))
        for inner, change in _items(entry, "changes", f"{path}."):
            yield from _read_change(account, inner, change)


def _read_change(account: str, path: str, change: JSON) -> Iterator[Update]:
    value = change.get("value") if isinstance(change, dict) else None
    if not isinstance(value, dict):
        yield Broken(path, "it has no value", change)
        return
    name = str(change.get("field", ""))[: shapes.LONGEST_ID]
    place = f"{path}.value"
    try:
        match name:
            case "messages" | "message_echoes" | "smb_message_echoes" | "calls":
                yield from _Batch(account, name, value).read(place)
            case _ if name in TEMPLATE_FIELDS:
                yield _template_change(account, name, value)
            case _:
                yield Ignored(name, value)
    except ValidationError as error:
        yield Broken(place, _why(error), value)


class _Batch:
    """What one change tells of one number."""

    def __init__(self, account: str, field: str, value: Raw) -> None:
        metadata = shapes.Metadata.model_validate(value.get("metadata") or {})
        self.account = account
        self.field = field
        self.value = value
        self.number = Number(metadata.phone_number_id, metadata.display_phone_number)
        self.contacts = list(self._contacts())
        self.errors: list[shapes.Error] = []

    def _contacts(self) -> Iterator[shapes.Contact]:
        for _, raw in _items(self.value, "contacts", ""):
            try:
                yield shapes.Contact.model_validate(raw)
            except ValidationError:
                continue  # the message says itself who wrote it

    def read(self, path: str) -> Iterator[Update]:
        """Read messages, what became of ours, echoes, calls and errors, each by itself."""
        found = False
        errors = list(_items(self.value, "errors", f"{path}."))
        self.errors = [error for _, raw in errors if (error := _error(raw)) is not None]
        readers: dict[str, Callable[[JSON], Update]] = {
            "messages": self._message,
            "statuses": self._status,
            "message_echoes": self._echo,
            "errors": self._trouble,
        }
        if self.field == "calls":  # what has a status there is the call
            readers = {"calls": self._call, "errors": self._trouble}
        for key, reader in readers.items():
            for place, raw in _items(self.value, key, f"{path}."):
                found = True
                try:
                    yield reader(raw)
                except ValidationError as error:
                    yield Broken(place, _why(error), raw)
                except _Nobody as error:
                    yield Broken(place, str(error), raw)
        if not found:
            yield Ignored(self.field, self.value)

    def _message(self, raw: JSON) -> Update:
        header = shapes.Header.model_validate(raw)
        sender = self._person(header.sender, header.from_user_id, header.from_parent_user_id)
        body = read_body(header.type, raw)
        if isinstance(body, shapes.System):
            if not sender.is_known:
                raise _Nobody("nobody can tell whom it is about")
            return self._change(header, sender, body, raw)
        if not sender.is_known:
            raise _Nobody("nobody can tell who wrote it")
        return Inbound(
            self.account,
            self.number,
            sender,
            header.id,
            header.timestamp,
            header.type,
            body,
            header.context,
            header.referral,
            # Where a message has no body, the reason stands beside it.
            header.errors or (tuple(self.errors) if isinstance(body, Unreadable) else ()),
            header.group_id,
            raw,
        )

    def _change(self, header: shapes.Header, before: Person, system: shapes.System, raw: Raw) -> Update:
        after = Person(
            _digits(system.wa_id), system.user_id, system.parent_user_id, before.name, before.username
        )
        return SystemChange(
            self.account,
            self.number,
            before,
            after,
            header.id,
            header.timestamp,
            system.type,
            system.body,
            raw,
        )

    def _echo(self, raw: JSON) -> Update:
        header = shapes.Header.model_validate(raw)
        client = self._person(header.to, header.to_user_id, header.to_parent_user_id)
        # COMPAT: of a message that was deleted in the app, `from` and `to` are seen the other way round.
        ours = _digits(self.number.shown)
        if ours and client.wa_id == ours:
            client = self._person(header.sender, header.from_user_id, header.from_parent_user_id)
        if not client.is_known:
            raise _Nobody("nobody can tell whom it was sent to")
        body = read_body(header.type, raw)
        return Echo(
            self.account,
            self.number,
            client,
            header.id,
            header.timestamp,
            header.type,
            body,
            header.context,
            header.errors,
            raw,
        )

    def _status(self, raw: JSON) -> Update:
        status = shapes.Status.model_validate(raw)
        # Of a group it is the group's id.
        phone = status.recipient_id if status.recipient_type != "group" else ""
        recipient = self._person(phone, status.recipient_user_id, status.recipient_parent_user_id)
        return Status(
            self.account,
            self.number,
            recipient,
            status.id,
            status.status,
            status.timestamp,
            status.biz_opaque_callback_data,
            status.errors,
            raw,
        )

    def _call(self, raw: JSON) -> Update:
        call = shapes.Call.model_validate(raw)
        caller = self._person(call.sender, call.from_user_id, "")
        if call.direction != "USER_INITIATED" or not caller.is_known:
            return Ignored("calls", raw)
        return Called(self.number, caller, call.timestamp, raw)

    def _trouble(self, raw: JSON) -> Update:
        return Trouble(self.number, shapes.Error.model_validate(raw), raw)

    def _person(self, wa_id: str, user_id: str, parent: str) -> Person:
        """Put together what a message and the list of contacts say of somebody."""
        wa_id = _digits(wa_id)
        contact = self._contact_of(wa_id, user_id)
        if contact is None:
            return Person(wa_id, user_id, parent)
        return Person(
            wa_id or _digits(contact.wa_id),
            user_id or contact.user_id,
            parent or contact.parent_user_id,
            contact.profile.name,
            contact.profile.username,
        )

    def _contact_of(self, wa_id: str, user_id: str) -> shapes.Contact | None:
        for contact in self.contacts:
            if user_id and contact.user_id:
                if user_id == contact.user_id:
                    return contact
            elif wa_id and wa_id == _digits(contact.wa_id):
                return contact
        # A message that does not say who wrote it is by the only one whom the batch is about.
        is_plain = len(self.contacts) == 1 and not (wa_id or user_id)
        return self.contacts[0] if is_plain else None


class _Nobody(Exception):
    """There is nobody whom it could be shown to have come from."""


def read_body(type: str, raw: Raw) -> Any:
    """Read the body of a message, which stands under the name of its type."""
    adapter = shapes.BODIES.get(type)
    if adapter is None:
        return Unreadable(f"messages of type {type[:64]!r} are not known here")
    if type not in raw:
        # An album's: only the errors say what it is.
        return shapes.Unsupported() if type == "unsupported" else Unreadable(f"it has no {type}")
    try:
        return adapter.validate_python(raw[type])
    except ValidationError as error:
        return Unreadable(_why(error))


def _template_change(account: str, field: str, value: Raw) -> Update:
    update = shapes.TemplateUpdate.model_validate(value)
    return TemplateChange(
        account,
        field,
        update.message_template_name,
        update.message_template_language,
        update.event,
        update.reason,
        value,
    )


def _error(raw: JSON) -> shapes.Error | None:
    try:
        return shapes.Error.model_validate(raw)
    except ValidationError:
        return None


def _items(holder: Raw, key: str, path: str) -> Iterator[tuple[str, JSON]]:
    """List what stands in a list, and where; what is no list counts as its one item."""
    found = holder.get(key)
    if found is None:
        return
    for index, item in enumerate(found if isinstance(found, list) else [found]):
        yield f"{path}{key}[{index}]", item


def _digits(number: str) -> str:
    """Write a number as Meta does: digits only. What is none stays as it is, but for the "+"."""
    if number.isascii() and number.isdigit():
        return number
    digits = "".join(sign for sign in number if sign.isascii() and sign.isdigit())
    plain = number.strip().removeprefix("+")
    return digits if digits and all(sign in "0123456789 ()-./" for sign in plain) else plain


def _id(value: JSON) -> str:
    return str(value)[: shapes.LONGEST_ID] if isinstance(value, str | int) else ""


def _why(error: ValidationError) -> str:
    """Say what is wrong without repeating what somebody wrote."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in found[:5])
