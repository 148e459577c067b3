"""Templates of the account."""

from __future__ import annotations

from typing import Any

import pytest

from imserver_whatsapp.outgoing import Recipient
from imserver_whatsapp.template_filling import (
    TemplateRefused,
    choose,
    fill,
    read_command,
    rendered,
)
from imserver_whatsapp.templates import Catalog, Template, read_template
from imserver_whatsapp.updates import TemplateChange


def listed(name: str = "order", language: str = "en_US", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": "UTILITY",
        "id": "1",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
            {"type": "BODY", "text": "Dear {{1}}, {{2}} comes on {{3}}. See you, {{1}}!"},
            {"type": "FOOTER", "text": "The shop"},
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "QUICK_REPLY", "text": "Thanks"},
                    {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"},
                    {"type": "COPY_CODE", "example": "X"},
                ],
            },
        ],
        **more,
    }


def template(**more: Any) -> Template:
    found = read_template(listed(**more))
    assert found is not None
    return found


VALUES = {"header": "17", "1": "Ana", "2": "tea", "3": "Monday", "button2": "t/17", "button3": "TEN"}


def test_what_a_template_asks_for() -> None:
    assert template().variables == ("header", "1", "2", "3", "button2", "button3")
    assert template().usage() == "!wa order header=… 1=… 2=… 3=… button2=… button3=…"


def test_filled_in() -> None:
    filled = fill(template(), VALUES, "en")

    assert filled.request.write("ours", Recipient("1555"))["template"] == {
        "name": "order",
        "language": {"code": "en_US"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "17"}]},
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Ana"},
                    {"type": "text", "text": "tea"},
                    {"type": "text", "text": "Monday"},
                ],
            },
            {
                "type": "button",
                "sub_type": "url",
                "index": "1",
                "parameters": [{"type": "text", "text": "t/17"}],
            },
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "2",
                "parameters": [{"type": "coupon_code", "coupon_code": "TEN"}],
            },
        ],
    }
    assert not filled.request.is_free
    assert filled.text == (
        "*Order 17*\nDear Ana, tea comes on Monday. See you, Ana!\nThe shop\n"
        "[Thanks]\n[Track: https://example.com/t/17]\n[copy code: TEN]"
    )


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(TemplateRefused) as refused:
        fill(template(), {"1": "Ana", "2": " "}, "en")

    assert refused.value.names == ("header", "2", "3", "button2", "button3")
    assert refused.value.text.startswith("Missing: header, 2, 3, button2, button3. Write: !wa order header=…")


def test_what_there_is_no_place_for_is_refused() -> None:
    with pytest.raises(TemplateRefused, match=r"no nmae, x\. Write"):
        fill(template(), {**VALUES, "nmae": "Ana", "x": "y"}, "en")


def test_named_places() -> None:
    parts = [{"type": "BODY", "text": "Hi {{first_name}}, {{ order }}"}]
    filled = fill(
        template(components=parts, parameter_format="NAMED"), {"first_name": "Ana", "order": "7"}, "en"
    )

    assert filled.request.body["template"]["components"] == [
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Ana"},
                {"type": "text", "parameter_name": "order", "text": "7"},
            ],
        }
    ]
    assert filled.text == "Hi Ana, 7"


def test_numbered_places_are_filled_in_their_order() -> None:
    filled = fill(
        template(components=[{"type": "BODY", "text": "{{2}} {{10}} {{1}}"}]),
        {"1": "a", "2": "b", "10": "c"},
        "en",
    )

    (body,) = filled.request.body["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == ["a", "b", "c"]


def test_values_are_on_one_line_and_are_not_read_as_places() -> None:
    filled = fill(
        template(components=[{"type": "BODY", "text": "Hi {{1}}, {{2}}"}]),
        {"1": "A\n\n{{2}}\tB", "2": "\\1"},
        "en",
    )

    assert filled.text == "Hi A {{2}} B, \\1"


def test_a_template_without_places_has_no_components() -> None:
    filled = fill(template(components=[{"type": "BODY", "text": "Hello"}]), {}, "en")

    assert filled.request.body["template"] == {"name": "order", "language": {"code": "en_US"}}


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO", "DOCUMENT"])
def test_headers_that_are_files_are_given_as_links(kind: str) -> None:
    parts = [{"type": "HEADER", "format": kind}, {"type": "BODY", "text": "Hello"}]
    found = template(components=parts)

    filled = fill(found, {"header": "https://example.com/a"}, "en")

    name = kind.lower()
    assert filled.request.body["template"]["components"] == [
        {"type": "header", "parameters": [{"type": name, name: {"link": "https://example.com/a"}}]}
    ]
    assert filled.text == "https://example.com/a\nHello"
    with pytest.raises(TemplateRefused, match="has to be a link"):
        fill(found, {"header": "a.png"}, "en")


def test_a_header_that_is_a_place() -> None:
    found = template(components=[{"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Here"}])

    filled = fill(found, {"header": "41.15, -8.61, Porto, Rua 1, 2"}, "en")

    (header,) = filled.request.body["template"]["components"]
    assert header["parameters"][0]["location"] == {
        "latitude": "41.15",
        "longitude": "-8.61",
        "name": "Porto",
        "address": "Rua 1, 2",
    }
    with pytest.raises(TemplateRefused):
        fill(found, {"header": "Porto"}, "en")


def test_what_is_not_given_stands_in_the_picture_by_name() -> None:
    assert rendered(template(), {"1": "Ana"}).startswith("*Order ‹header›*\nDear Ana, ‹2› comes on ‹3›.")


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "x",
        {},
        listed(status="REJECTED"),
        listed(status="PAUSED"),
        listed(name=""),
        {**listed(), "components": [{"type": "CAROUSEL"}]},
        {**listed(), "components": [{"type": "BUTTONS", "buttons": [{"type": "OTP"}]}]},
        {**listed(), "components": "none"},
    ],
)
def test_what_can_not_be_sent_is_not_offered(raw: object) -> None:
    assert Catalog.of([raw]).names == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("pt-PT", "pt_PT"),
        ("pt-BR", "pt_BR"),
        ("pt", "pt_BR"),
        ("pt-AO", "pt_BR"),
        ("es-MX", "es"),
        ("fr", "en_US"),
        ("", "en_US"),
    ],
)
def test_the_clients_language_or_the_nearest(wanted: str, found: str) -> None:
    catalog = Catalog.of([listed(language=language) for language in ("en_US", "pt_BR", "pt_PT", "es")])

    chosen = catalog.find("order", wanted)

    assert chosen is not None
    assert chosen.language == found


def test_a_name_that_there_is_not_shows_those_there_are() -> None:
    catalog = Catalog.of([listed("hello"), listed("order")])

    assert choose(catalog, "Hello", "en", "en").name == "hello"
    with pytest.raises(TemplateRefused, match=r"“bye”\. There are: hello, order"):
        choose(catalog, "bye", "en", "en")
    with pytest.raises(TemplateRefused, match="There are no approved"):
        choose(Catalog(), "bye", "en", "en")


@pytest.mark.parametrize("event", ["REJECTED", "PAUSED", "DISABLED", "PENDING_DELETION"])
def test_what_is_withdrawn_is_gone_at_once(event: str) -> None:
    catalog = Catalog.of([listed(language="en_US"), listed(language="es"), listed("other")])

    after, has_to_be_fetched = catalog.changed(TemplateChange("1", "", "order", "es", event))

    assert not has_to_be_fetched
    assert [one.language for one in after.by_name["order"].values()] == ["en_US"]
    assert after.changed(TemplateChange("1", "", "order", "", event))[0].names == ["other"]


@pytest.mark.parametrize("event", ["APPROVED", "REINSTATED", ""])
def test_other_changes_have_the_list_fetched_anew(event: str) -> None:
    catalog = Catalog.of([listed()])

    assert catalog.changed(TemplateChange("1", "", "order", "en_US", event)) == (catalog, True)


def test_what_an_agent_types() -> None:
    assert read_command("order 1=Ana 2='black tea' 3=a=b", "en") == (
        "order",
        {"1": "Ana", "2": "black tea", "3": "a=b"},
    )
    assert read_command("", "en") == ("", {})


@pytest.mark.parametrize("words", ["order Ana", "order =x", "order 1='a"])
def test_what_is_not_understood_is_shown(words: str) -> None:
    with pytest.raises(TemplateRefused, match="That can’t be read"):
        read_command(words, "en")
