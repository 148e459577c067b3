"""Templates as files: what their heads say, and what becomes of broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from imserver.desk import Template, Variable
from imserver_templates.files import look
from imserver_templates.settings import TemplatesSettings
from tests.plugins.templates.folders import Shelf, situation


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "templates").mkdir()
    return Shelf(tmp_path / "templates")


def test_a_file_without_a_head_goes_by_its_name(shelf: Shelf) -> None:
    shelf.write(hello="Hello!", hello__es="¡Hola!")

    found = shelf.read()

    assert not found.problems
    assert [one.template for one in found.entries] == [
        Template("hello", lang="es"),
        Template("hello"),
    ]


def test_a_head_says_the_rest(shelf: Shelf) -> None:
    shelf.write(
        order="""+++
shortcut = "Order"
title = "About an order"
language = "pt-BR"
queues = ["sales"]
[variables.number]
description = "the number of the order"
[variables.days]
default = 3
[variables.note]
required = false
+++
Order {{ number }} takes {{ days }} days. {{ note }} {{ extra }} {{ maybe|default("") }}
"""
    )

    (entry,) = shelf.read().entries

    assert entry.template == Template(
        "order",
        "About an order",
        "pt-BR",
        (
            Variable("number", "the number of the order"),
            Variable("days", default="3", is_required=False),
            Variable("note", is_required=False),
            Variable("extra"),
            Variable("maybe", is_required=False),
        ),
    )
    assert entry.queues == {"sales"}


def test_the_same_in_toml(shelf: Shelf) -> None:
    (shelf.folder / "bye.toml").write_text('title = "Closing"\nbody = """\nBye {{ client.name }}"""\n')

    assert shelf.fill("bye").text == "Bye María"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("+++\ntitle = \n+++\nHello", "bad.md:2: is not TOML: Invalid value"),
        ("+++\ntitle = 'x'\nHello", "bad.md:1: the head does not end: there is no second line +++"),
        ("+++\ntitle = 'x'\ntitel = 'y'\n+++\nHello", "bad.md:3: there is no setting titel"),
        ("+++\n\nqueues = 'sales'\n+++\nHello", "bad.md:3: queues: Input should be a valid list"),
        ("+++\n\nqueues = [1]\n+++\nHello", "bad.md:3: queues.0: Input should be a valid string"),
        (
            "+++\ntitle = 'x'\n+++\nHello\n{{ client.nme }}",
            "bad.md:5: client has no nme; it has: address, channel, language, name",
        ),
        ("one\n{% if %}", "bad.md:2: Expected an expression, got 'end of statement block'"),
        ("{% for %}", "bad.md:1: Expected an expression, got 'end of statement block'"),
        (
            "+++\nwhen = 'nmae'\n+++\nHello",
            "bad.md:2: when: nmae is not known in a condition; known are: client, agent, queue, now",
        ),
        ("+++\nwhen = 'now.hour <'\n+++\nHello", "bad.md:2: when: unexpected ')'"),
        (
            "+++\nshortcut = 'a b'\n+++\nHello",
            "bad.md:2: 'a b' is no shortcut: one word of letters, figures, . and -",
        ),
        (
            "+++\nlanguage = 'español'\n+++\nHello",
            "bad.md:2: 'español' is no language; expected one such as es or es-MX",
        ),
        ("+++\n[variables.client]\n+++\nHello", "bad.md:2: client means something else already"),
        (
            "+++\n[variables.a]\nrequired = true\ndefault = 'b'\n+++\n{{ a }}",
            "bad.md:2: a is required and has a default",
        ),
        ("+++\nfile = 'none.pdf'\n+++\nHello", "bad.md:2: file: there is no none.pdf beside it"),
        (
            "+++\nfile = '../../etc/passwd'\n+++\nHello",
            "bad.md:2: file: ../../etc/passwd leads out of the folder",
        ),
        ("   ", "bad.md:1: has no text"),
        ("a\x00b", "bad.md:1: holds a character that no message can"),
    ],
)
def test_a_broken_file_is_named_and_the_rest_go_on(shelf: Shelf, text: str, problem: str) -> None:
    shelf.write(bad=text, good="Hello")

    found = shelf.read()

    assert [str(one) for one in found.problems] == [problem]
    assert [one.template.shortcut for one in found.entries] == ["good"]


def test_of_two_alike_the_first_by_name_stays(shelf: Shelf) -> None:
    shelf.write(
        a="+++\nshortcut = 'hi'\n+++\nfirst",
        b="+++\nshortcut = 'HI'\n+++\nsecond",
        c="+++\nshortcut = 'hi'\nqueues = ['sales']\n+++\nfor sales",
        d="+++\nshortcut = 'hi'\nqueues = ['sales', 'support']\n+++\nfor both",
    )

    assert shelf.problems == [
        "b.md: a.md has the shortcut 'hi' already; that one stays",
        "d.md: c.md has the shortcut 'hi' for sales already; that one stays",
    ]
    assert shelf.fill("hi").text == "first"
    assert shelf.fill("hi", situation(queue="sales")).text == "for sales"


def test_links_do_not_lead_out_of_the_folder(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.md").write_text("other")
    (shelf.folder / "link.md").symlink_to(tmp_path / "secret.md")
    (shelf.folder / "more").symlink_to(tmp_path / "more")
    (shelf.folder / "price.pdf").symlink_to(tmp_path / "secret.md")
    shelf.write(good="Hello", price="+++\nfile = 'price.pdf'\n+++\n")

    found = shelf.read()

    assert [one.template.shortcut for one in found.entries] == ["good"]
    assert [str(one) for one in found.problems] == [
        "more: links to folders are not followed",
        "link.md: leads out of the folder",
        "price.md:2: file: price.pdf leads out of the folder",
    ]


def test_size_and_number_are_bounded(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TemplatesSettings(most_files=2, file_bytes=10))
    shelf.write(a="Hello", b="Hello, this is long", c="Hello")

    assert shelf.problems == ["c.md: only 2 templates are read", "b.md: is larger than 10 bytes"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert Shelf(tmp_path / "none").problems == [f"{tmp_path / 'none'}: there is no such folder"]


def test_a_change_is_seen(shelf: Shelf) -> None:
    shelf.write(a="Hello")
    before = look(shelf.folder)
    assert look(shelf.folder) == before

    shelf.write(b="Hello")

    assert look(shelf.folder) != before
