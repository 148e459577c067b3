"""XEP-0280, 6.1: which messages are copied."""

import pytest

from imserver.features.carbons import is_copied_when_received, is_copied_when_sent
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Message

BODY = "<body>Good morning</body>"
COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
RECEIVED = "<received xmlns='urn:xmpp:receipts' id='1'/>"
DISPLAYED = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
INVITATION = "<x xmlns='jabber:x:conference' jid='room@conference.localhost'/>"
MEDIATED = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='ana@localhost'/></x>"
IN_ROOM = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
PRIVATE = "<private xmlns='urn:xmpp:carbons:2'/>"
NO_COPY = "<no-copy xmlns='urn:xmpp:hints'/>"


def message(type: str, inside: str) -> Message:
    return Message(type=type, payload=parse(f"<m xmlns='jabber:client'>{inside}</m>".encode()).elements())


@pytest.mark.parametrize(
    ("type", "inside"),
    [
        ("chat", BODY),
        ("chat", COMPOSING),
        ("chat", ""),
        ("normal", BODY),
        ("normal", COMPOSING),
        ("normal", RECEIVED),
        ("normal", DISPLAYED),
        ("normal", INVITATION),
        ("normal", MEDIATED),
        ("error", BODY),
        ("error", COMPOSING + PRIVATE),
    ],
)
def test_what_is_part_of_a_conversation_is_copied(type: str, inside: str) -> None:
    assert is_copied_when_sent(message(type, inside))[0]
    assert is_copied_when_received(message(type, inside))[0]


@pytest.mark.parametrize(
    ("type", "inside", "reason"),
    [
        ("groupchat", BODY, "is said in a room"),
        ("headline", BODY, "is not part of a conversation"),
        ("normal", "", "is not part of a conversation"),
        ("error", "", "is not part of a conversation"),
        ("chat", BODY + PRIVATE, "asks not to be copied"),
        ("chat", BODY + NO_COPY, "asks not to be copied"),
        ("normal", INVITATION + NO_COPY, "asks not to be copied"),
    ],
)
def test_what_is_not_or_asks_not_to_be_is_left_alone(type: str, inside: str, reason: str) -> None:
    assert is_copied_when_sent(message(type, inside)) == (False, reason)
    assert is_copied_when_received(message(type, inside)) == (False, reason)


def test_what_is_whispered_in_a_room_is_copied_by_the_room() -> None:
    whisper = message("chat", BODY + IN_ROOM)

    assert is_copied_when_sent(whisper)[0]
    assert is_copied_when_received(whisper) == (False, "is said in a room")
