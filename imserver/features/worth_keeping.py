"""XEP-0313, 6.1.1, XEP-0160, 3 and XEP-0334: which messages are kept, for good or until they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.xmpp import namespaces
from imserver.xmpp.stanza import child_key

if TYPE_CHECKING:
    from imserver.xmpp.stanza import Message

#: Whether, and why.
Verdict = tuple[bool, str]

#: What says something to people, or about something said to them, also without a body.
CONTENT: Final = frozenset(
    {
        child_key("subject", namespaces.CLIENT),
        # Encrypted: XEP-0384 in its two versions, XEP-0373, XEP-0027.
        child_key("encrypted", "eu.siacs.conversations.axolotl"),
        child_key("encrypted", "urn:xmpp:omemo:2"),
        child_key("openpgp", "urn:xmpp:openpgp:0"),
        child_key("x", "jabber:x:encrypted"),
        # What becomes of a message: XEP-0444, XEP-0424 in its two versions, XEP-0308.
        child_key("reactions", "urn:xmpp:reactions:0"),
        child_key("retract", "urn:xmpp:message-retract:1"),
        child_key("apply-to", "urn:xmpp:fasten:0"),
        child_key("replace", "urn:xmpp:message-correct:0"),
        # Files: XEP-0066, XEP-0447.
        child_key("x", "jabber:x:oob"),
        child_key("file-sharing", "urn:xmpp:sfs:0"),
        # Invitations: XEP-0249.
        child_key("x", "jabber:x:conference"),
    }
)

#: XEP-0184, XEP-0333: that it was received or read. All devices of an account want to know.
NOTES: Final = frozenset(
    {
        child_key("received", namespaces.RECEIPTS),
        child_key("received", namespaces.MARKERS),
        child_key("displayed", namespaces.MARKERS),
        child_key("acknowledged", namespaces.MARKERS),
    }
)

_STORE: Final = frozenset({child_key("store", namespaces.HINTS)})
_NO_STORE: Final = frozenset({child_key("no-store", namespaces.HINTS)})
_NO_PERMANENT_STORE: Final = _NO_STORE | {child_key("no-permanent-store", namespaces.HINTS)}

_CONVERSATION: Final = frozenset({"chat", "normal"})


def is_worth_keeping(message: Message) -> Verdict:
    """Decide whether a message goes into the archives of those who exchange it."""
    # XEP-0334, 5: in an error, hints are those of the message that failed. Rooms keep what is said in rooms.
    if message.type in ("error", "groupchat"):
        return False, f"is of type {message.type}"
    if message.has_any(_NO_PERMANENT_STORE):
        return False, "asks not to be kept"
    return _has_content(message)


def may_wait(message: Message) -> Verdict:
    """Decide whether a message waits for an account that is offline."""
    # XEP-0160, 3: others are for those who are there.
    if message.type not in _CONVERSATION:
        return False, f"is of type {message.type}"
    if message.has_any(_NO_STORE):
        return False, "asks not to be stored"
    return _has_content(message)


def has_something_to_say(message: Message) -> bool:
    """Tell whether its sender would miss it if it were lost: not so for chat states and the like."""
    return message.has_body or message.has_any(CONTENT)


def _has_content(message: Message) -> Verdict:
    if message.type in _CONVERSATION:
        if message.has_body:
            return True, "has a body"
        if message.has_any(CONTENT):
            return True, "has content besides a body"
        if message.has_any(NOTES):
            return True, "says what became of a message"
    if message.has_any(_STORE):
        return True, "asks to be kept"
    return False, "has nothing to keep"
