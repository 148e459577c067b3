"""XEP-0160: what waited, as it is delivered."""

from imserver.features.offline import read_waiting
from imserver.storage.archive import time_to_id
from imserver.storage.offline import OfflineRow
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import Message
from imserver.xmpp.timestamps import parse_timestamp

ANA, LUIS = JID.parse("ana@localhost/stage"), JID.parse("luis@localhost")


def test_what_waited_is_as_it_was_and_says_since_when() -> None:
    payload = parse(
        b"<m xmlns='jabber:client'><body>&lt;Hi&gt;</body><x xmlns='urn:example:x'/></m>"
    ).elements()
    message = Message(sender=ANA, to=LUIS, type="chat", id="1", lang="es", payload=payload)
    row = OfflineRow(LUIS, time_to_id(parse_timestamp("2026-01-31T12:00:00Z")), message.wire)

    waited = read_waiting(row, JID.parse("localhost"))

    assert waited.wire == message.wire.replace(
        b"</message>",
        b"<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-01-31T12:00:00.000000Z'/></message>",
    )
    assert waited.number == 0
