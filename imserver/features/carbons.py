"""XEP-0280: Message Carbons. All devices of an account see both sides of its conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.features.worth_keeping import CONTENT, NOTES
from imserver.hooks import hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.routing.router import with_stable_id
from imserver.xmpp import namespaces
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.stanza import IQ, Message, child_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imserver.features.worth_keeping import Verdict
    from imserver.routing.sessions import Session
    from imserver.server import Server
    from imserver.xmpp.jid import JID

_MUC_USER: Final = "http://jabber.org/protocol/muc#user"

#: XEP-0280, 7; XEP-0334, 4.3.
_PRIVATE: Final = frozenset(
    {child_key("private", namespaces.CARBONS), child_key("no-copy", namespaces.HINTS)}
)
_CHAT_STATES: Final = frozenset(
    child_key(state, namespaces.CHAT_STATES)
    for state in ("active", "composing", "paused", "inactive", "gone")
)
#: XEP-0280, 6.1: "payload elements typically used in IM".
_CONVERSATION: Final = CONTENT | NOTES | _CHAT_STATES | {child_key("request", namespaces.RECEIPTS)}


def is_copied_when_sent(message: Message) -> Verdict:
    """XEP-0280, 6.1: decide whether the sender's other devices see a message."""
    if message.type == "groupchat":
        return False, "is said in a room"
    # XEP-0334, 5: in an error, hints are those of the message that failed.
    if message.type != "error" and message.has_any(_PRIVATE):
        return False, "asks not to be copied"
    if message.type == "chat":
        return True, "is of type chat"
    if message.has_any(_CONVERSATION) or (message.type in ("normal", "error") and message.has_body):
        return True, "is part of a conversation"
    if _invites(message):
        return True, "invites to a room"
    return False, "is not part of a conversation"


def is_copied_when_received(message: Message) -> Verdict:
    """XEP-0280, 6.1: decide whether the recipient's other devices see a message."""
    # What an occupant of a room says to another is copied to all of its devices by the room.
    if message.has("x", _MUC_USER) and not _invites(message):
        return False, "is said in a room"
    return is_copied_when_sent(message)


def _invites(message: Message) -> bool:
    """XEP-0045, 7.8.2: tell whether a room passes on an invitation."""
    room = message.child("x", _MUC_USER)
    return room is not None and room.child("invite") is not None


# Copying


@hookimpl
def message_accepted(server: Server, message: Message) -> None:
    """Show the sender's other devices what it sent."""
    sender, to = message.sender, message.to
    # To oneself it is received, and not sent as well.
    if sender is None or to is None or sender.bare == to.bare:
        return
    others = _others(server, sender.bare, (), sender)
    if others and sender.domain != server.domain and server.sessions.find(sender) is None:
        return  # a component speaks for one who is a guest there: they sent something else
    if others and is_copied_when_sent(message)[0]:
        _copy("sent", with_stable_id(message, sender.bare), sender.bare, others)


@hookimpl
def message_delivered(server: Server, message: Message, sessions: Sequence[Session]) -> None:
    """Show the recipient's other devices what one of them got."""
    account = sessions[0].bare
    others = _others(server, account, sessions, message.sender)
    if others and is_copied_when_received(message)[0]:
        _copy("received", message, account, others, copied=message)
        if message.readers is not None:
            message.readers += others


def _others(server: Server, account: JID, readers: Sequence[Session], sender: JID | None) -> list[Session]:
    """List the sessions of an account that want copies, and neither wrote nor got the message itself."""
    return [
        session
        for session in server.sessions.of(account)
        if session.carbons_since is not None
        and session.keeps_stanzas
        and session.jid != sender
        and session not in readers
    ]


def _copy(
    direction: str,
    message: Message,
    account: JID,
    sessions: Iterable[Session],
    *,
    copied: Message | None = None,
) -> None:
    """Wrap a message once (XEP-0297), and address it to each."""
    key = child_key(direction, namespaces.CARBONS)
    written = b"<%b xmlns='%b'><forwarded xmlns='%b'>%b</forwarded></%b>" % (
        direction.encode(),
        namespaces.CARBONS.encode(),
        namespaces.FORWARD.encode(),
        message.framed,
        direction.encode(),
    )
    for session in sessions:
        copy = Message(sender=account, to=session.jid, type=message.type)
        copy.append(key, written)
        copy.copied = copied
        session.send(copy)


# Switching


@iq_handler("set", namespaces.CARBONS, "enable", target=Target.ACCOUNT)
def enable(server: Server, iq: IQ) -> None:
    """Copy to this session from now on."""
    _session(server, iq).carbons_since = server.number()


@iq_handler("set", namespaces.CARBONS, "disable", target=Target.ACCOUNT)
def disable(server: Server, iq: IQ) -> None:
    """Copy to this session no more."""
    _session(server, iq).carbons_since = None


def _session(server: Server, iq: IQ) -> Session:
    session = server.sessions.find(iq.sender) if iq.sender is not None else None
    if session is None:
        raise StanzaError("not-allowed", "Only a session can have copies")
    return session


@hookimpl
def register_iq_handlers() -> list[IQHandler]:
    """Let sessions choose."""
    return [enable, disable]


@hookimpl
def register_disco_features() -> list[tuple[Target, str]]:
    """XEP-0280, 3: it is looked for at the server."""
    return [(Target.SERVER, namespaces.CARBONS)]
