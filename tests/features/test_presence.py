"""RFC 6121, 4.3.2: what is said of somebody who is not here."""

from datetime import UTC, datetime

from imserver.features import requests
from imserver.features.probes import gone
from imserver.storage.lasts import Last
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Presence

ANA = JID.parse("ana@localhost")
LUIS = JID.parse("luis@localhost")


def test_who_has_left_did_so_at_a_time() -> None:
    presence = gone(LUIS, ANA, Last(datetime(2026, 3, 1, 9, 30, tzinfo=UTC), "to lunch"))

    assert presence.element == parse(
        b"<presence xmlns='jabber:client' from='luis@localhost' to='ana@localhost' type='unavailable'>"
        b"<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-03-01T09:30:00.000000Z'/></presence>"
    )


def test_who_has_never_been_here_just_is_not() -> None:
    assert gone(LUIS, ANA, None) == Presence(type="unavailable", sender=LUIS, to=ANA)


def test_a_request_survives_being_written_down() -> None:
    nick = Element("nick", "http://jabber.org/protocol/nick", text="Luis")
    request = Presence(type="subscribe", sender=LUIS, to=ANA, id="1", lang="es", payload=[nick])

    assert requests.read(requests.written(request), LUIS, ANA) == request


def test_a_request_that_is_too_long_is_kept_without_its_words() -> None:
    essay = Element("status", "jabber:client", text="please " * 2000)
    request = Presence(type="subscribe", sender=LUIS, to=ANA, payload=[essay])

    assert requests.read(requests.written(request), LUIS, ANA) == Presence(
        type="subscribe", sender=LUIS, to=ANA
    )
