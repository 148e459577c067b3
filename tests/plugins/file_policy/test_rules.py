"""Who may upload what, by what is said of it."""

from __future__ import annotations

import pytest

from imserver_file_policy import rules
from imserver_file_policy.refusal import Refusal
from imserver_file_policy.rules import Asker
from imserver_file_policy.settings import Rule

USUAL = Rule()
AGENT, CLIENT, ACCOUNT = Asker("agent"), Asker("client"), Asker("account")


def refusal(rule: Rule, name: str, type: str = "", size: int = 1) -> Refusal:
    with pytest.raises(Refusal) as refused:
        rules.check(rule, name, type, size)
    return refused.value


@pytest.mark.parametrize(
    ("asker", "name"),
    [
        (Asker("client", ["whatsapp"]), "whatsapp"),
        (Asker("agent", ["whatsapp"]), "out"),
        (AGENT, "out"),
        (CLIENT, "clients"),
        (ACCOUNT, "rest"),
    ],
)
def test_the_first_rule_that_is_about_somebody_is_theirs(asker: Asker, name: str) -> None:
    given = [
        Rule(name="whatsapp", channel="whatsapp", direction="in"),
        Rule(name="out", direction="out"),
        Rule(name="clients", role="client"),
        Rule(name="rest"),
    ]

    assert [rule.name for rule in rules.rules_for(asker, given)] == [name]


def test_an_agents_file_has_to_fit_every_channel_that_it_may_go_to() -> None:
    given = [Rule(name="small", channel="whatsapp"), Rule(name="rest")]

    found = rules.rules_for(Asker("agent", ["web", "whatsapp", "xmpp"]), given)

    assert [rule.name for rule in found] == ["rest", "small"]


def test_who_has_no_rule_may_upload_nothing() -> None:
    with pytest.raises(Refusal) as refused:
        rules.rules_for(CLIENT, [Rule(role="agent")])

    assert refused.value.key == "no_rule"


@pytest.mark.parametrize(
    ("name", "type", "key"),
    [
        ("run.exe", "", "extension"),
        ("page.html", "text/html", "extension"),
        ("logo.svg", "image/svg+xml", "extension"),
        ("macros.docm", "", "extension"),
        ("invoice.pdf.exe", "application/pdf", "extension"),
        ("README", "", "no_extension"),
        ("invoice.exe.pdf", "application/pdf", "hidden"),
        ("photo․exe.jpg", "image/jpeg", "hidden"),
        ("photo.jpg\u200b", "image/jpeg", "misleading"),
        ("photo.jpg", "text/html", "type"),
        ("photo.jpg", "image/png", "type"),
        ("notes.txt", "text/html", "type"),
    ],
)
def test_what_the_usual_rule_refuses(name: str, type: str, key: str) -> None:
    assert refusal(USUAL, name, type).key == key


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("photo.jpg", ""),
        ("photo.jpg", "application/octet-stream"),
        ("photo.jpg", "image/jpg"),
        ("voice.m4a", "audio/x-m4a"),
        ("voice.oga", "audio/ogg"),
        ("sums.csv", "application/vnd.ms-excel"),
        ("notes.md", "text/markdown"),
        ("all.zip", "application/x-zip-compressed"),
    ],
)
def test_what_the_usual_rule_allows(name: str, type: str) -> None:
    rules.check(USUAL, name, type, 1)


def test_a_refusal_names_the_rule_and_what_is_allowed() -> None:
    refused = refusal(Rule(name="pictures", extensions=("png", "jpg")), "run.exe")

    assert refused.condition == "not-acceptable"
    assert refused.text == "Files of the type .exe are not allowed. The rule “pictures” allows: png, jpg"


def test_a_size_is_refused_with_the_largest_one() -> None:
    refused = refusal(Rule(name="small", max_bytes=1024), "a.png", size=1025)

    assert refused.text == "The rule “small” allows up to 1 KiB."
    assert refused.application is not None
    assert (refused.application.name, refused.application.elements()[0].text) == ("file-too-large", "1024")


def test_types_can_be_limited_besides_extensions() -> None:
    rule = Rule(types=("image/*", "application/pdf"))

    rules.check(rule, "a.png", "", 1)
    rules.check(rule, "a.pdf", "application/pdf", 1)
    assert refusal(rule, "a.mp4", "video/mp4").key == "type"
    assert refusal(rule, "a.txt").key == "type"


def test_any_extension_is_any_but_a_programs() -> None:
    rule = Rule(extensions=("*", "html"))

    rules.check(rule, "drawing.dwg", "image/vnd.dwg", 1)
    rules.check(rule, "page.html", "text/html", 1)
    assert refusal(rule, "run.exe").key == "extension"


def test_a_name_without_an_extension_can_be_allowed() -> None:
    rules.check(Rule(extensions=("", "png")), "README", "", 1)


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ("jpg", "application/x-dosexec"),
        ("jpg", "image/png"),
        ("jpg", "application/octet-stream"),
        ("pdf", "text/html"),
        ("txt", "text/html"),
        ("txt", "application/x-executable"),
        ("dwg", "application/x-sharedlib"),
        ("", "application/x-dosexec"),
    ],
)
def test_what_is_something_else_is_refused(extension: str, found: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check_content(Rule(extensions=("*", "", "png")), extension, found)

    assert refused.value.key == "content"
