"""The file of names that the admin vouches for."""

from pathlib import Path

import pytest

from imserver.desk import Client
from imserver.xmpp.jid import JID
from imserver_display_name.names_file import Broken, Names, concerns, read_names


def client(*aliases: str) -> Client:
    return Client(JID.parse("k7@xmpp.localhost"), "", "", aliases, "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "names.csv"


def test_a_client_is_found_by_any_alias_with_its_kind_or_without(file: Path) -> None:
    file.write_text(
        "\ufeffalias,name\n"
        "# those we know\n"
        "\n"
        "xmpp:Luis@Example.com,Luis Pérez\n"
        "+34 (600) 000-000, Ana García\n"
        '"mail:eva@example.com","Gomes, Eva"\n'
    )

    names = read_names(file)

    assert names.broken == ()
    assert names.of(client("tel:1", "xmpp:luis@example.com")) == "Luis Pérez"
    assert names.of(client("tel:+34600000000")) == "Ana García"
    assert names.of(client("mail:eva@example.com")) == "Gomes, Eva"
    assert names.of(client("xmpp:eva@example.com")) == ""


def test_a_broken_line_is_named_and_the_rest_goes_on(file: Path) -> None:
    file.write_bytes(
        b'tel:1,Ana\ntel:2\ntel:3,\xff\xfe\ntel:4,"open\ntel:5,\xe2\x80\x8b\ntel:1,Eva\ntel:6,Zoe\n'
    )

    names = read_names(file)

    assert names.by_alias == {"tel:1": "Ana", "tel:6": "Zoe"}
    assert [(line, reason.split(";")[0]) for line, reason in names.broken] == [
        (2, "1 fields"),
        (3, "not UTF-8"),
        (4, "unexpected end of data"),
        (5, "an alias and a name are expected"),
        (6, "tel:1 has a name already"),
    ]
    assert isinstance(names.broken[0], Broken)


def test_what_changed_is_known() -> None:
    before, after = (
        Names({"tel:1": "Ana", "tel:2": "Eva", "3": "Zoe"}),
        Names({"tel:1": "Ana", "tel:2": "E."}),
    )

    changed = before.differences(after)

    assert changed == {"tel:2", "3"}
    assert concerns(changed, client("tel:3"))
    assert concerns(changed, client("xmpp:a@b", "tel:2"))
    assert not concerns(changed, client("tel:1"))
