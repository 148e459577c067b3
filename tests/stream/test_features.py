"""What a stream offers."""

import pytest

from imserver.stream import features
from imserver.xmpp.element import Element


@pytest.mark.parametrize(
    ("feature", "written"),
    [
        (features.starttls(required=False), "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        (
            features.starttls(required=True),
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
        ),
        (
            features.mechanisms(["SCRAM-SHA-256", "PLAIN"]),
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
            "<mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism></mechanisms>",
        ),
        (
            features.channel_bindings(["tls-exporter"]),
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>",
        ),
        (
            features.limits(10_000),
            "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits>",
        ),
        (
            features.limits(10_000, 60),
            "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes><idle-seconds>60</idle-seconds></limits>",
        ),
        (features.bind(), "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"),
        (
            features.session(),
            "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>",
        ),
        (features.management(), "<sm xmlns='urn:xmpp:sm:3'/>"),
        (features.client_state(), "<csi xmlns='urn:xmpp:csi:0'/>"),
    ],
)
def test_a_feature_is_written_as_its_standard_says(feature: Element, written: str) -> None:
    assert str(feature) == written
