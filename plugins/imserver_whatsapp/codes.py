"""What an error of the Graph API means, by its code: what we do, what agents are told, and what they can do.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from imserver import Element, StanzaError
from imserver_whatsapp.code_texts import NEXT, WHY
from imserver_whatsapp.languages import pick

if TYPE_CHECKING:
    from imserver_whatsapp.shapes import Error

#: The namespace of what says which code it was.
NAMESPACE: Final = "urn:imserver:whatsapp:0"


class Action(Enum):
    """What is done about it."""

    #: Transient: the same once more, a few times.
    RETRY = "retry"
    #: Too much from one of our numbers: all of its lanes slow down.
    BACK_OFF = "back off"
    #: Too much to one client: that lane waits 4^x seconds.
    PAIR = "pair"
    #: Nothing gets out until an admin has done something: what waits is kept.
    STOP = "stop"
    #: It does not get there.
    FAIL = "fail"
    #: It does not get there, and an admin has to know.
    ALARM = "alarm"
    #: It does not get there, and nothing but a template will.
    WINDOW_CLOSED = "window closed"
    #: It does not get there; what is known of the account's templates is out of date.
    REFRESH_TEMPLATES = "refresh templates"
    #: Something that came in could not be passed on: a placeholder says so.
    SHOW = "show"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code means."""

    action: Action
    #: By RFC 6120, 8.3.3, and its type.
    condition: str
    type: str
    #: Names of texts.
    why: str
    next: str

    @property
    def is_final(self) -> bool:
        """Whether the message will never get there."""
        return self.action not in (Action.RETRY, Action.BACK_OFF, Action.PAIR, Action.STOP)

    @property
    def ended(self) -> Rule:
        """The same, said of a message that is not tried again: tries are used up, or a status says that it failed."""
        if self.action is Action.STOP:
            return replace(self, action=Action.ALARM, next="admin")
        return self if self.is_final else replace(self, action=Action.FAIL)

    @property
    def alarms(self) -> bool:
        """Whether an admin has to know."""
        return self.action in (Action.STOP, Action.ALARM)


_TOKEN: Final = Rule(Action.STOP, "service-unavailable", "wait", "channel_down", "kept")
_LOCKED: Final = Rule(Action.STOP, "service-unavailable", "wait", "account_locked", "kept")
_BUSY: Final = Rule(Action.BACK_OFF, "resource-constraint", "wait", "too_much", "later")
_SPAM: Final = Rule(Action.FAIL, "policy-violation", "cancel", "held_back", "other_channel")
_TRANSIENT: Final = Rule(Action.RETRY, "internal-server-error", "wait", "trouble", "again")
_PARAMETER: Final = Rule(Action.FAIL, "bad-request", "modify", "parameter", "rewrite")
_CLOSED: Final = Rule(Action.WINDOW_CLOSED, "policy-violation", "modify", "window_closed", "template")
_TEMPLATE: Final = Rule(Action.REFRESH_TEMPLATES, "not-acceptable", "modify", "template", "other_template")
_GENERIC: Final = Rule(Action.FAIL, "undefined-condition", "cancel", "generic", "again")

#: What is not in the table.
UNKNOWN: Final = _GENERIC
#: Nobody knows whether it got there: there was no answer, and no word of it since.
UNCLEAR: Final = Rule(Action.FAIL, "remote-server-timeout", "wait", "unclear", "ask")

RULES: Final[Mapping[int, Rule]] = {
    **dict.fromkeys((0, 3, 10, 190, *range(200, 300)), _TOKEN),
    **dict.fromkeys((4, 80007, 130429), _BUSY),
    131056: Rule(Action.PAIR, "resource-constraint", "wait", "pair", "later"),
    131048: _SPAM,
    131049: _SPAM,
    130472: _SPAM,
    131050: Rule(Action.FAIL, "policy-violation", "cancel", "opted_out", "other_channel"),
    **dict.fromkeys((1, 2, 131000, 131016, 133004), _TRANSIENT),
    # The number is being given more messages a second: that takes a minute.
    131057: _BUSY,
    **dict.fromkeys((368, 131031), _LOCKED),
    **dict.fromkeys((100, 131008, 131009), _PARAMETER),
    131026: Rule(Action.FAIL, "recipient-unavailable", "cancel", "undeliverable", "other_channel"),
    131030: Rule(Action.FAIL, "not-allowed", "cancel", "not_listed", "admin"),
    **dict.fromkeys((470, 131047), _CLOSED),
    **dict.fromkeys(
        (131051, 131060), Rule(Action.SHOW, "feature-not-implemented", "cancel", "not_shown", "ask_client")
    ),
    131052: Rule(Action.FAIL, "not-acceptable", "modify", "media_in", "ask_client"),
    131053: Rule(Action.FAIL, "not-acceptable", "modify", "media_out", "other_file"),
    130403: Rule(Action.FAIL, "forbidden", "cancel", "blocked", "other_channel"),
    130497: Rule(Action.FAIL, "forbidden", "cancel", "country", "other_channel"),
    131042: Rule(Action.ALARM, "service-unavailable", "cancel", "payment", "admin"),
    **dict.fromkeys((132000, 132001, 132005, 132007, 132012, 132015, 132016), _TEMPLATE),
    133010: Rule(Action.ALARM, "service-unavailable", "cancel", "unregistered", "admin"),
    135000: _GENERIC,
    131062: Rule(Action.FAIL, "not-acceptable", "cancel", "no_phone", "ask_phone"),
}


def rule(code: int) -> Rule:
    """Look a code up."""
    return RULES.get(code, UNKNOWN)


def rule_of_answer(status: int, code: int | None) -> Rule | None:
    """Decide on an HTTP answer that is no success; None: it is not clear whether the message was taken.

    A code says for certain that it was not. Without one, only an answer below 500 does: what a gateway says on the
    way (502, 504) tells nothing of what became of the request behind it.
    """
    if code is not None and code in RULES:
        return RULES[code]
    if status == 429:
        return _BUSY
    if status >= 500:
        return _TRANSIENT if code is not None else None
    if status in (401, 403):
        return _TOKEN
    return UNKNOWN


def explain(rule: Rule, lang: str, *, details: str = "", code: int = 0) -> str:
    """Say why, and what to do: for the line in the chat."""
    why = pick(WHY[rule.why], lang)
    said = f" ({code}: {_short(details)})" if details and code else f" ({code})" if code else ""
    return f"{why}{said} {pick(NEXT[rule.next], lang)}".strip()


def stanza_error(rule: Rule, *, code: int = 0, details: str = "") -> StanzaError:
    """Write the error for the very message, with Meta's code."""
    application = Element("error", NAMESPACE, {"code": str(code)}) if code else None
    text = explain(rule, "en", details=details, code=code)
    return StanzaError(rule.condition, text, type=rule.type, application=application)


def is_about(error: Error) -> tuple[Rule, str]:
    """Find what an error of Meta's means, and its details; never by its title, which they rewrite."""
    return rule(error.code) if error.code is not None else UNKNOWN, error.details


def _short(details: str) -> str:
    line = " ".join(details.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
