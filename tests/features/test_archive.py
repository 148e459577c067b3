"""XEP-0313 and XEP-0441: decisions that need no server."""

import pytest

from imserver.features.archive_preferences import decide, read_preferences, write_preferences
from imserver.features.archive_queries import Filters, read_filters
from imserver.storage.preferences import ArchivePreferences
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.forms import Field, Form
from imserver.xmpp.jid import JID
from imserver.xmpp.parser import parse
from imserver.xmpp.timestamps import parse_timestamp

LUIS, LUIS_AT_HOME = JID.parse("luis@localhost"), JID.parse("luis@localhost/home")


def filters(**given: str) -> Filters:
    fields = tuple(Field(name.replace("_", "-"), value=value) for name, value in given.items())
    return read_filters(Form(fields, type="urn:xmpp:mam:2").to_element("submit"))


def test_without_a_form_everything_is_wanted() -> None:
    assert read_filters(None) == Filters()


def test_all_filters_are_read() -> None:
    wanted = filters(
        **{"with": "Luis@localhost/home"}, start="2026-01-31T12:00:00Z", after_id="3", before_id="9", ids="5"
    )

    assert wanted == Filters(
        LUIS_AT_HOME, parse_timestamp("2026-01-31T12:00:00Z"), after_id=3, before_id=9, ids=(5,)
    )


def test_an_empty_field_is_none() -> None:
    assert filters(**{"with": "", "start": ""}) == Filters()


@pytest.mark.parametrize(
    ("name", "value", "condition"),
    [
        ("with", "@localhost", "jid-malformed|bad-request"),
        ("start", "yesterday", "bad-request"),
        ("end", "2026-13-01T00:00:00Z", "bad-request"),
        ("after-id", "28482-98726-73623", "item-not-found"),
        ("before-id", "-1", "item-not-found"),
        ("ids", "9223372036854775808", "item-not-found"),
        ("include-groupchat", "perhaps", "bad-request"),
        ("{http://example.com/}free-text-search", "hello", "feature-not-implemented"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(name: str, value: str, condition: str) -> None:
    with pytest.raises(StanzaError, match=condition):
        filters(**{name: value})


@pytest.mark.parametrize("kind", ["", "urn:xmpp:mam:1"])
def test_a_form_of_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        read_filters(Form(type=kind).to_element("submit"))


@pytest.mark.parametrize(
    ("preferences", "decision"),
    [
        (ArchivePreferences(), "always"),
        (ArchivePreferences("roster"), "roster"),
        (ArchivePreferences("always", never=frozenset({LUIS})), "never"),
        (ArchivePreferences("never", always=frozenset({LUIS})), "always"),
        (ArchivePreferences("never", always=frozenset({LUIS_AT_HOME})), "always"),
        (ArchivePreferences("never", always=frozenset({f"{LUIS}/work"})), "never"),
        (ArchivePreferences("always", always=frozenset({LUIS_AT_HOME}), never=frozenset({LUIS})), "always"),
    ],
)
def test_a_listed_address_counts_more_than_the_default(
    preferences: ArchivePreferences, decision: str
) -> None:
    assert decide(preferences, LUIS_AT_HOME) == decision


def test_preferences_are_written_as_they_were_read() -> None:
    prefs = parse(
        b"<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>luis@localhost</jid></always><never/></prefs>"
    )

    assert write_preferences(read_preferences(prefs)) == prefs


@pytest.mark.parametrize(
    ("prefs", "condition"),
    [
        (b"<prefs xmlns='urn:xmpp:mam:2'/>", "bad-request"),
        (b"<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>", "bad-request"),
        (
            b"<prefs xmlns='urn:xmpp:mam:2' default='always'><never><jid>@</jid></never></prefs>",
            "jid-malformed",
        ),
    ],
)
def test_preferences_that_make_no_sense_are_refused(prefs: bytes, condition: str) -> None:
    with pytest.raises(StanzaError, match=condition):
        read_preferences(parse(prefs))
