"""The examples of XEP-0115, section 5."""

from imserver.features.caps import verification
from imserver.xmpp.parser import parse


def test_the_simple_example_of_the_standard() -> None:
    info = parse(
        b"<query xmlns='http://jabber.org/protocol/disco#info'>"
        b"<identity category='client' name='Exodus 0.9.1' type='pc'/>"
        b"<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>"
        b"<feature var='http://jabber.org/protocol/disco#items'/>"
        b"<feature var='http://jabber.org/protocol/muc'/></query>"
    )

    assert verification(info) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_the_complex_example_of_the_standard() -> None:
    info = parse(
        "<query xmlns='http://jabber.org/protocol/disco#info'>"
        "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
        "<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>"
        "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>"
        "<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>"
        "<x xmlns='jabber:x:data' type='result'>"
        "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
        "<field var='ip_version'><value>ipv4</value><value>ipv6</value></field>"
        "<field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>"
        "<field var='software'><value>Psi</value></field>"
        "<field var='software_version'><value>0.11</value></field></x></query>".encode()
    )

    assert verification(info) == "q07IKJEyjvHSyhy//CH0CxmKi8w="
