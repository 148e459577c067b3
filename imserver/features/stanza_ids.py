"""XEP-0359: Unique and Stable Stanza IDs. What only this server may say is taken out of what others send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.features import archive_queries
from imserver.hooks import hookimpl
from imserver.iq import Target
from imserver.xmpp import namespaces
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.stanza import child_key

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.element import Element
    from imserver.xmpp.stanza import Message

#: What is looked at more closely.
SUSPICIOUS: Final = frozenset(
    {
        child_key("stanza-id", namespaces.STANZA_IDS),
        child_key("delay", namespaces.DELAY),
        child_key("sent", namespaces.CARBONS),
        child_key("received", namespaces.CARBONS),
        child_key("result", archive_queries.NAMESPACE),
    }
)


@hookimpl
def refine_message(server: Server, message: Message) -> Message | None:
    """Take out what claims to be said by us."""
    if not message.has_any(SUSPICIOUS):
        return None
    honest = [child for child in message.children() if not _is_forged(server, message, child)]
    if len(honest) == len(message.child_keys):
        return None
    message.replace_children(honest)
    return message


def _is_forged(server: Server, message: Message, child: Element) -> bool:
    """Tell whether a sender says what only this server, or one of its components, can know."""
    assert message.sender is not None
    match child.namespace, child.name:
        case namespaces.STANZA_IDS, "stanza-id":
            # XEP-0359, 4, rule 2; a component may speak for its own rooms.
            return _claims_to_be_us(server, message.sender, child.get("by"))
        case namespaces.DELAY, "delay":
            # XEP-0203, 5. People may say that they wrote something earlier.
            by = child.get("from")
            return bool(by) and _claims_to_be_us(server, message.sender, by, may_be_itself=True)
        case namespaces.CARBONS, "sent" | "received":
            return True  # XEP-0280, 12, CVE-2017-5589: copies come from the own server only
        case archive_queries.NAMESPACE, "result":
            # XEP-0313, 8.2: results come from whoever was asked, and people are not.
            return message.sender.domain == server.domain
    return False


def _claims_to_be_us(server: Server, sender: JID, text: str, *, may_be_itself: bool = False) -> bool:
    try:
        by = JID.parse(text)
    except JIDError:
        return True  # it says nothing then, and who reads it may be less strict than we are
    if by.domain != server.domain:
        return by.domain in server.router.components and by.domain != sender.domain
    return not (may_be_itself and by.local and by.bare == sender.bare)


@hookimpl
def register_disco_features() -> list[tuple[Target, str]]:
    """XEP-0359, 6: tell clients that the ids can be relied on."""
    return [(Target.SERVER | Target.ACCOUNT, namespaces.STANZA_IDS)]
