"""Refusals, as they stand on the wire."""

import pytest

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from imserver.xmpp.errors import (
    SASL_CONDITIONS,
    STANZA_CONDITIONS,
    STREAM_CONDITIONS,
    SASLError,
    StanzaError,
    StreamError,
)


@pytest.mark.parametrize("condition", STANZA_CONDITIONS)
def test_a_stanza_error_is_written_and_read(condition: str) -> None:
    written = StanzaError(condition, "Not like this").to_element()

    read = StanzaError.from_element(written)

    assert (read.condition, read.text) == (condition, "Not like this")
    assert read.type == written.get("type") == STANZA_CONDITIONS[condition]


def test_a_stanza_error_says_more_where_there_is_more() -> None:
    application = Element("too-many", "urn:x")

    error = StanzaError("policy-violation", "Slowly!", type="wait", application=application)

    assert str(error) == "policy-violation: Slowly!"
    assert str(StanzaError("gone")) == "gone"
    assert str(error.to_element()) == (
        f"<error xmlns='jabber:client' type='wait'><policy-violation xmlns='{namespaces.STANZAS}'/>"
        f"<text xmlns='{namespaces.STANZAS}' xml:lang='en'>Slowly!</text><too-many xmlns='urn:x'/></error>"
    )


def test_an_error_nobody_knows_is_undefined() -> None:
    strange = Element("error", namespaces.CLIENT).add(Element("bad-mood", namespaces.STANZAS))

    read = StanzaError.from_element(strange)

    assert (read.condition, read.text, read.type) == ("undefined-condition", "", "cancel")


@pytest.mark.parametrize("condition", sorted(STREAM_CONDITIONS))
def test_a_stream_error_is_written(condition: str) -> None:
    error = StreamError(condition, "Good bye", application=Element("a", "urn:x"))

    written = error.to_element()

    assert (written.name, written.namespace) == ("error", namespaces.STREAMS)
    assert [(child.name, child.namespace) for child in written.elements()] == [
        (condition, namespaces.STREAM_ERRORS),
        ("text", namespaces.STREAM_ERRORS),
        ("a", "urn:x"),
    ]
    assert str(error) == f"{condition}: Good bye"


@pytest.mark.parametrize("condition", sorted(SASL_CONDITIONS))
def test_a_failure_to_log_in_is_written(condition: str) -> None:
    written = SASLError(condition, "No").to_element()

    assert (written.name, written.namespace) == ("failure", namespaces.SASL)
    assert [child.name for child in written.elements()] == [condition, "text"]
    assert str(SASLError(condition)) == condition


@pytest.mark.parametrize("kind", [StanzaError, StreamError, SASLError])
def test_only_what_the_standards_know_can_be_said(
    kind: type[StanzaError | StreamError | SASLError],
) -> None:
    with pytest.raises((ValueError, KeyError)):
        kind("no-such-thing")
