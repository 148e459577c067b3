from imserver.desk.composing import Composing
from imserver.xmpp.jid import JID

DESK, PHONE = JID.parse("ana@example.com/desk"), JID.parse("ana@example.com/phone")
MARIA, LUIS = JID.parse("k1@xmpp.example.com"), JID.parse("k2@xmpp.example.com")


def composing() -> Composing:
    """Ana writes to both, and to one of them on two devices."""
    one = Composing()
    for device, reader in ((DESK, MARIA), (DESK, LUIS), (PHONE, LUIS)):
        one.note(device, reader, "composing")
    return one


def test_whoever_was_written_to_is_known_when_the_device_goes() -> None:
    one = composing()

    assert one.leave(DESK) == [MARIA, LUIS]
    assert one.leave(DESK) == []
    assert one.of(DESK.bare) == [PHONE]


def test_another_state_ends_it_for_that_reader_only() -> None:
    one = composing()
    one.note(DESK, LUIS, "active")
    one.note(DESK, MARIA, "")

    assert not one.stop(DESK, LUIS)
    assert one.leave(DESK) == [MARIA]


def test_devices_that_are_not_there_any_more_are_found() -> None:
    assert composing().dead(lambda device: device == DESK) == [PHONE]
