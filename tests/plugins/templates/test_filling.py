"""Filling templates in: what may be said in them, and what refuses to be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from imserver_templates.settings import TemplatesSettings
from tests.plugins.templates.folders import Shelf


def filled(folder: Path, text: str, **values: str) -> str:
    """Fill a template in; what is refused shows as its key."""
    shelf = Shelf(folder).write(x=text)
    assert not shelf.problems, shelf.problems
    done = shelf.fill("x", **values)
    return done.text if done.refused is None else f"{done.refused.key} {done.refused.values}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{{ client.name }} {{ client.address }} {{ client.language }} {{ client.channel }}",
            "María +34600000000 en whatsapp",
        ),
        ("{{ agent.name }} {{ queue.name }} {{ queue.title }}", "Ana support Support"),
        (
            "{{ now|date }} {{ now|time }}, {{ now|date('%d/%m') }}, {{ now.weekday }}",
            "2026-07-01 12:05, 01/07, wednesday",
        ),
        ("Good {% if now.hour < 12 %}morning{% else %}afternoon{% endif %}", "Good afternoon"),
        ("{{ 'a' if queue.is_open else 'b' }}", "a"),
        (
            "{% for i in range(3) %}{{ loop.index }}.{{ i }}{{ '' if loop.last else ',' }}{% endfor %}",
            "1.0,2.1,3.2",
        ),
        ("<b> & {{ '<' }}", "<b> & <"),
        ("{{ (12.5 * 2)|decimals(2) }}", "25.00"),
    ],
)
def test_what_a_template_can_say(tmp_path: Path, text: str, said: str) -> None:
    assert filled(tmp_path, text) == said


def test_values_are_never_read_as_templates(tmp_path: Path) -> None:
    assert filled(tmp_path, "{{ a }}", a="{{ client.name }}{% for %}") == "{{ client.name }}{% for %}"


def test_lists_of_values(tmp_path: Path) -> None:
    text = "{% for one in items|split %}\n- {{ one|upper }}\n{% endfor %}"

    assert filled(tmp_path, text, items="tea, milk") == "- TEA\n- MILK"


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    text = "+++\n[variables.number]\ndescription = 'the order'\n+++\n{{ number }} {{ day }} {{ other|default('-') }}"
    shelf = Shelf(tmp_path).write(x=text)

    done = shelf.fill("x", day=" ")

    assert done.text == "‹number› ‹day› -"
    assert done.refused is not None
    assert done.refused.key == "template_missing"
    assert done.refused.values == {
        "shortcut": "x",
        "names": "number (the order), day",
        "usage": "x number=… day=…",
    }
    assert shelf.fill("x", number="7", day="Monday", other="o").text == "7 Monday o"


def test_defaults_and_what_may_be_empty(tmp_path: Path) -> None:
    text = (
        "+++\n[variables.days]\ndefault = 3\n[variables.note]\nrequired = false\n+++\n"
        "{{ days }} days{% if note %}, {{ note }}{% endif %}{% if more is defined %}, {{ more }}{% endif %}"
    )

    assert filled(tmp_path, text) == "3 days"
    assert filled(tmp_path, text, days="5", note="really", more="yes") == "5 days, really, yes"


def test_a_value_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    assert filled(tmp_path, "{{ day }}", day="x", dya="y") == (
        "template_no_variable {'shortcut': 'x', 'names': 'dya', 'known': 'day'}"
    )
    assert filled(tmp_path, "Hello", day="x").startswith("template_no_variables")


def test_a_text_that_says_nothing_is_refused(tmp_path: Path) -> None:
    assert filled(tmp_path, "{{ a|default('') }}").startswith("template_empty")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ client.__class__ }}",
        "{{ client['__class__'] }}",
        "{{ client._x }}",
        "{{ ''|attr('__class__') }}",
        "{{ 'x'.upper() }}",
        "{{ client.name.upper }}",
        "{{ '{0.__class__}'.format(client) }}",
        "{{ range.__globals__ }}",
        "{{ lipsum() }}",
        "{{ cycler('a') }}",
        "{{ self }}{{ self.x }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'other' %}",
        "{% extends 'other' %}",
        "{% import 'other' as o %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with a = 1 %}{% endwith %}",
        "{% call range() %}{% endcall %}",
        "{{ 9 ** 99 }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ 'x'|pprint }}",
        "{% for a in range(9) %}{% for b in range(9) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9) recursive %}{% endfor %}",
        "{% for a, b in range(9) %}{% endfor %}",
        "{{ 'a' if true }}",
        "{{ [1][0] }}",
        "{{ range }}",
        "(" * 5 + "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ 1 }}" * 3000,
    ],
)
def test_what_is_no_part_of_the_language_is_a_broken_file(tmp_path: Path, text: str) -> None:
    assert len(Shelf(tmp_path).write(x=text).problems) == 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{{ client }}", "template_failed"),
        ("{{ now }}", "template_failed"),
        ("{{ 'x' * 1000000000 }}", "template_failed"),
        ("{{ '%1000000000d' % 1 }}", "template_failed"),
        ("{{ now|date('%1000000000d') }}", "template_failed"),
        ("{{ 1 / 0 }}", "template_failed"),
        ("{% for a in range(100000000) %}{% endfor %}", "template_too_much"),
        ("{% for a in range(101) %}{% endfor %}", "template_too_much"),
        ("{% for a in 'x,'|replace('x', client.address) %}{{ a }}{% endfor %}", ""),
        (
            "{% for a in range(100) %}{% for b in range(100) %}xxxxxxxxxx{% endfor %}{% endfor %}",
            "template_too_much",
        ),
        (
            "{{ 9999999999999999999999999 * 9999999999999999999999999 * 999999999999999999999999 }}",
            "template_too_much",
        ),
        ("{{ ('a,' * 2) }}", "template_failed"),
    ],
)
def test_what_becomes_too_much_is_refused(tmp_path: Path, text: str, key: str) -> None:
    assert filled(tmp_path, text).startswith(key)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a|replace('x', a) }}",
        "{{ a|lines|join(a) }}",
        "{{ a ~ a ~ a ~ a }}",
        "{% for c in a %}{{ c }}{% endfor %}",
    ],
)
def test_no_value_makes_a_text_too_large(tmp_path: Path, text: str) -> None:
    assert filled(tmp_path, text, a="x\n" * 999).startswith("template_too_much")


def test_a_value_has_a_length(tmp_path: Path) -> None:
    assert filled(tmp_path, "{{ a|length }}", a="x" * 2_001).startswith("template_too_much")


def test_a_text_has_a_length(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TemplatesSettings(text_characters=10)).write(x="{{ a }}{{ a }}")

    assert shelf.fill("x", a="12345").refused is None
    refused = shelf.fill("x", a="123456").refused
    assert refused is not None
    assert refused.key == "template_too_much"


def test_a_file_that_has_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "price.pdf").write_bytes(b"%PDF")
    shelf = Shelf(tmp_path).write(x="+++\nfile = 'price.pdf'\n+++\n")
    entry = shelf.read().entries[0]
    assert entry.template.file == "price.pdf"
    assert shelf.fill("x").file == tmp_path / "price.pdf"
    assert shelf.fill("x").refused is None
