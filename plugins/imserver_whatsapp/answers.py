"""What Meta answers to a message that was posted: it was taken, it was not, or nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from imserver_whatsapp.codes import Rule, rule_of_answer
from imserver_whatsapp.reading import read_json
from imserver_whatsapp.shapes import Accepted, Declined


@dataclass(frozen=True, slots=True)
class Taken:
    """Meta has it; that is all it says."""

    wamid: str
    #: How Meta knows the client: another form of the number perhaps, or the user id.
    wa_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Meta does not have it, and says why."""

    rule: Rule
    code: int = 0
    details: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have it: nothing that can be understood was said."""

    reason: str


Answer: TypeAlias = Taken | NotTaken | Unclear


def read_answer(status: int, body: bytes) -> Answer:
    """Read the answer to `POST /{number}/messages`; an answer that did not come at all is unclear, too."""
    try:
        said = read_json(body)
    except ValueError:
        said = None
    if 200 <= status < 300:
        return _taken(said)
    try:
        error = Declined.model_validate(said).error
    except ValidationError:
        error = None
    code = error.code if error is not None else None
    rule = rule_of_answer(status, code)
    if rule is None:
        return Unclear(f"HTTP {status} without a code")
    return NotTaken(rule, code or 0, error.details if error is not None else "")


def _taken(said: object) -> Answer:
    try:
        accepted = Accepted.model_validate(said)
    except ValidationError:
        return Unclear("a success without the id of the message")
    contact = accepted.contacts[0] if accepted.contacts else None
    wamid = accepted.messages[0].id
    return Taken(wamid, contact.wa_id, contact.user_id) if contact is not None else Taken(wamid)
