"""RFC 7622: what is an address, and which addresses are the same."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.xmpp.jid import JID, JIDError, prepare_local


@pytest.mark.parametrize(
    ("text", "local", "domain", "resource"),
    [
        # RFC 7622, 3.5, table 1.
        ("juliet@example.com", "juliet", "example.com", ""),
        ("juliet@example.com/foo", "juliet", "example.com", "foo"),
        ("juliet@example.com/foo bar", "juliet", "example.com", "foo bar"),
        ("juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"),
        ("foo\\20bar@example.com", "foo\\20bar", "example.com", ""),
        ("fussball@example.com", "fussball", "example.com", ""),
        ("fu\u00dfball@example.com", "fu\u00dfball", "example.com", ""),
        ("\u03c0@example.com", "\u03c0", "example.com", ""),
        ("\u03a3@example.com/foo", "\u03c3", "example.com", "foo"),
        ("\u03c3@example.com/foo", "\u03c3", "example.com", "foo"),
        ("\u03c2@example.com/foo", "\u03c2", "example.com", "foo"),
        ("king@example.com/\u265a", "king", "example.com", "\u265a"),
        ("example.com", "", "example.com", ""),
        ("example.com/foobar", "", "example.com", "foobar"),
        ("a.example.com/b@example.net", "", "a.example.com", "b@example.net"),
        # Case, width and the dot of the root.
        ("Juliet@EXAMPLE.com/Foo", "juliet", "example.com", "Foo"),
        ("juliet@example.com./foo", "juliet", "example.com", "foo"),
        ("\uff4auliet@\uff25xample\u3002com", "juliet", "example.com", ""),
        # Names of hosts that are no plain ASCII.
        ("ana@B\u00dcCHER.example", "ana", "b\u00fccher.example", ""),
        ("ana@xn--bcher-kva.example", "ana", "b\u00fccher.example", ""),
        ("ana@192.0.2.1", "ana", "192.0.2.1", ""),
        ("ana@[::1]/x", "ana", "[::1]", "x"),
        ("ana@[2001:DB8:0:0::1]", "ana", "[2001:db8::1]", ""),
        ("localhost", "", "localhost", ""),
        # Slashes and at signs belong to the resource once it has begun.
        ("ana@example.com/a/b@c/d", "ana", "example.com", "a/b@c/d"),
        ("ana@example.com/caf\u0065\u0301\u3000x", "ana", "example.com", "caf\u00e9 x"),
    ],
)
def test_an_address_is_split_and_normalised(text: str, local: str, domain: str, resource: str) -> None:
    jid = JID.parse(text)

    assert (jid.local, jid.domain, jid.resource) == (local, domain, resource)
    assert jid == JID.of(local, domain, resource)


@pytest.mark.parametrize(
    "text",
    [
        # RFC 7622, 3.5, table 2.
        '"juliet"@example.com',
        "foo bar@example.com",
        "juliet@example.com/ foo",
        "@example.com/",
        "henry\u2163@example.com",
        "\u265a@example.com",
        "juliet@",
        "/foobar",
        # Empty parts.
        "",
        "@",
        "/",
        "@example.com",
        "example.com/",
        ".",
        "juliet@.",
        "juliet@example..com",
        "juliet@example.com..",
        # What would make two addresses of one, also when written in full width.
        "a@b@example.com",
        "a\uff20b@example.com",
        "a\uff0fb@example.com",
        "a@b\uff0fc",
        "a@b\uff20c",
        "a'b@example.com",
        "a&b@example.com",
        "a:b@example.com",
        "a<b@example.com",
        "a>b@example.com",
        # Control characters, half characters, no characters.
        "a\x00b@example.com",
        "a@exam\x00ple.com",
        "a@example.com/\x00",
        "a@example.com/\x1b",
        "a@example.com/x\n",
        "a@example.com\n",
        "a\n@example.com",
        "\ud800@example.com",
        "a@\ud800",
        "a@example.com/\ud800",
        "a@example.com/\ufffe",
        # No names of hosts.
        "a@-example.com",
        "a@example-.com",
        "a@exa_mple.com",
        "a@ex ample.com",
        "a@xn--.com",
        "a@xn--a.com",
        f"a@{'b' * 64}.com",
        "a@[::1",
        "a@[]",
        "a@[::g]",
        "a@[fe80::1%eth0]",
        "a@[127.0.0.1]",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(JIDError):
        JID.parse(text)


LONG_DOMAIN = ".".join(["d" * 63] * 15 + ["d" * 63])


@pytest.mark.parametrize(
    "text",
    [
        f"{'l' * 1023}@example.com",
        f"example.com/{'r' * 1023}",
        LONG_DOMAIN,
        f"{'l' * 1023}@{LONG_DOMAIN}/{'r' * 1023}",
        "example.com/" + "\u00e9" * 511,
    ],
)
def test_a_part_may_have_1023_bytes(text: str) -> None:
    assert JID.parse(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"{'l' * 1024}@example.com",
        f"example.com/{'r' * 1024}",
        "example.com/" + "\u00e9" * 512,
        "\u00e9" * 512 + "@example.com",
        f"{LONG_DOMAIN}.d",
        f"\u00e9.{LONG_DOMAIN}",
        "x" * 1_000_000,
        "\u00e9" * 1_000_000,
    ],
)
def test_longer_parts_are_refused(text: str) -> None:
    with pytest.raises(JIDError):
        JID.parse(text)


def test_an_address_is_its_text() -> None:
    jid = JID.parse("Ana@Example.com/Phone")

    assert jid == "ana@example.com/Phone"
    assert hash(jid) == hash("ana@example.com/Phone")
    assert f"{jid}" == "ana@example.com/Phone"
    assert {jid: 1}["ana@example.com/Phone"] == 1  # type: ignore[index]


def test_the_bare_address_of_a_bare_address_is_itself() -> None:
    full = JID.parse("ana@example.com/phone")

    assert not full.is_bare
    assert full.bare == JID.parse("ana@example.com")
    assert full.bare is full.bare
    assert full.bare.is_bare
    assert full.bare.bare is full.bare


def test_a_resource_is_normalised_when_added() -> None:
    bare = JID.parse("ana@example.com")

    assert bare.with_resource("cafe\u0301") == JID.parse("ana@example.com/caf\u00e9")
    with pytest.raises(JIDError):
        bare.with_resource("")


def test_a_user_name_is_normalised_alone() -> None:
    assert prepare_local("Ana") == "ana"
    with pytest.raises(JIDError):
        prepare_local("ana@example.com")


def test_an_address_survives_copies() -> None:
    jid = JID.parse("ana@example.com/phone")

    for twin in (copy.copy(jid), copy.deepcopy(jid), pickle.loads(pickle.dumps(jid))):
        assert type(twin) is JID
        assert (twin, twin.local, twin.domain, twin.resource) == (jid, "ana", "example.com", "phone")
        assert twin.bare == "ana@example.com"


def test_an_address_has_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        JID.parse("ana@example.com").nickname = "Ana"  # type: ignore[attr-defined]


ODD_LETTERS = st.text(
    st.one_of(
        st.sampled_from(
            "@/.:[]-_xn\u3002\uff0e\uff20\uff0f\u00df\u03a3\u0130\u0131\u05d0\u0661\u200d\u00ad\u2163\ufb01\ud800"
        ),
        st.characters(),
    ),
    max_size=40,
)
ADDRESSES = st.one_of(
    ODD_LETTERS,
    st.builds("{}@{}/{}".format, ODD_LETTERS, ODD_LETTERS, ODD_LETTERS),
    st.builds("{}@example.com/{}".format, ODD_LETTERS, ODD_LETTERS),
    st.builds("ana@{}".format, ODD_LETTERS),
)


@given(ADDRESSES)
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        once = JID.parse(text)
    except JIDError:
        return

    twice = JID.parse(str(once))

    assert twice == once
    assert (twice.local, twice.domain, twice.resource) == (once.local, once.domain, once.resource)
    assert all(len(part.encode()) <= 1023 for part in (once.local, once.domain, once.resource))


@given(ADDRESSES)
def test_an_address_has_one_meaning_however_it_is_written(text: str) -> None:
    try:
        jid = JID.parse(text)
    except JIDError:
        return

    assert "@" not in jid.local + jid.domain
    assert "/" not in jid.local + jid.domain
    assert JID.parse(f"{jid.bare}/x").bare == jid.bare
