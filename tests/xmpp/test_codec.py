"""Bytes in, whole stanzas out: whatever the bytes, and however they arrive."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrib.fuzz.codec import LIMITS, WORDS, check, cut, mutate, read, run, tell
from imserver.xmpp.codec import (
    _RESTING,
    MOST_READ,
    FrameReader,
    Item,
    StreamEnd,
    StreamHeader,
    StreamReader,
    _Document,
)
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import ReaderLimits
from imserver.xmpp.stanza import IQ, Message, Presence
from tests.xmpp.corpus.seeds import BEFORE_LOGIN, HARMLESS, HEADER, SEEDS

#: Byte by byte, the big ones take too long.
SMALL = {name: seed for name, seed in SEEDS.items() if len(seed.data) < 20_000}
PLACES = st.lists(st.integers(0, 5_000), max_size=6)


def message(xml: str | bytes) -> Message:
    """Read one message, the way it comes in."""
    [_, item] = StreamReader().feed(HEADER + (xml.encode() if isinstance(xml, str) else xml))
    assert isinstance(item, Message), item
    return item


def ending(items: list[object]) -> str:
    return items[-1].condition if items and isinstance(items[-1], StreamError) else ""


# The corpus


@pytest.mark.parametrize("name", SEEDS)
def test_hostile_bytes_end_the_stream_with_the_right_error(name: str) -> None:
    seed = SEEDS[name]

    items: list[object] = [*StreamReader(seed.limits).feed(seed.data)]

    assert ending(items) == seed.ends


@pytest.mark.parametrize("name", SMALL)
def test_hostile_bytes_mean_the_same_byte_by_byte_and_to_others(name: str) -> None:
    seed = SEEDS[name]

    check(seed.data, range(0, len(seed.data), 7), seed.limits)


@pytest.mark.parametrize("name", sorted(SEEDS.keys() - SMALL.keys()))
def test_large_hostile_bytes_end_the_same_in_chunks(name: str) -> None:
    seed = SEEDS[name]
    chunks = cut(seed.data, range(0, len(seed.data), 1_400))

    assert ending([*read(chunks, seed.limits)]) == seed.ends


@pytest.mark.parametrize("name", [name for name, seed in SEEDS.items() if not seed.ends])
def test_harmless_bytes_leave_the_stream_usable(name: str) -> None:
    seed = SEEDS[name]
    reader = StreamReader(seed.limits)
    reader.feed(seed.data)

    [last] = reader.feed(HARMLESS)

    assert isinstance(last, Message)
    assert last.body == "Hi"


# Whatever the bytes


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=30), PLACES)
def test_any_split_of_any_stream_gives_the_same_items(words: list[bytes], places: list[int]) -> None:
    check(HEADER + b"".join(words), places)


@given(st.binary(max_size=200), PLACES)
def test_any_split_of_any_bytes_gives_the_same_items(data: bytes, places: list[int]) -> None:
    check(data, places)


@given(st.sampled_from(sorted(SMALL)), st.randoms(use_true_random=False), PLACES)
def test_any_split_of_changed_hostile_bytes_gives_the_same_items(
    name: str, chance: random.Random, places: list[int]
) -> None:
    others = [seed.data for seed in SMALL.values()]

    check(mutate(SMALL[name].data, others, chance), places)


def test_the_fuzz_target_runs() -> None:
    assert run(0.5, seed=1) > 10


# Limits


@pytest.mark.parametrize("size", [1, 100, 1_400])
def test_an_endless_tag_is_cut_before_it_is_read_again_too_often(size: int) -> None:
    # expat 2.5 begins an unfinished tag anew with every chunk (CVE-2023-52425): the work grows with its square.
    reader = StreamReader()
    reader.feed(HEADER + b"<message id='")

    scanned = fed = 0
    items: list[Item] = []
    while not items:
        items = reader.feed(b"x" * size)
        fed += size
        scanned += fed

    assert ending([*items]) == "policy-violation"
    assert fed <= ReaderLimits().token_bytes + size
    assert scanned <= (fed / size + 1) * fed


def test_bytes_are_counted_before_the_parser_sees_them() -> None:
    reader = StreamReader(ReaderLimits(stanza_bytes=1_000))
    reader.feed(HEADER)

    items = reader.feed(b"<message><body>" + b"x" * 1_000_000)

    assert ending([*items]) == "policy-violation"


def test_each_stanza_has_the_whole_room() -> None:
    stanza = b"<message><body>" + b"x" * 900 + b"</body></message>"
    limits = ReaderLimits(stanza_bytes=len(stanza))
    reader = StreamReader(limits)
    reader.feed(HEADER)

    assert len(reader.feed(stanza * 50)) == 50
    assert ending([*reader.feed(stanza.replace(b"<body>", b"<body>x"))]) == "policy-violation"


@pytest.mark.parametrize(
    ("payload", "limits"),
    [
        ("<a/>" * 9, ReaderLimits(elements=10)),
        ("<a><a><a><a/></a></a></a>", ReaderLimits(depth=4)),
        ("<a a='' b='' c='' d=''/>", ReaderLimits(attributes=4)),
    ],
)
def test_what_is_just_within_the_limits_can_be_used(payload: str, limits: ReaderLimits) -> None:
    [_, item] = StreamReader(limits).feed(HEADER + f"<message>{payload}</message>".encode())

    assert isinstance(item, Message)
    assert item.add(Element("more", "u")).element.child("more", "u")


def test_limits_larger_than_usual_hold_as_well() -> None:
    payload = "<a>" * 200 + "</a>" * 200 + "<b/>" * 6_000
    limits = ReaderLimits(elements=10_000, depth=500)

    [_, item] = StreamReader(limits).feed(HEADER + f"<message>{payload}</message>".encode())

    assert isinstance(item, Message)
    assert len(item.children()) == 6_001


def test_nothing_is_read_after_an_error() -> None:
    reader = StreamReader()

    assert ending([*reader.feed(HEADER + b"<!-- -->" + HARMLESS)]) == "restricted-xml"
    assert reader.feed(HARMLESS) == []


def test_nothing_is_kept_between_stanzas() -> None:
    reader = StreamReader()
    reader.feed(HEADER)

    for _ in range(100):
        reader.feed(HARMLESS + b" \r\n")

    assert reader._document is None
    assert not reader.has_unfinished


# Parsers, which streams share


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(WORDS) | st.binary(max_size=3)), max_size=40),
)
def test_streams_that_take_turns_do_not_see_each_other(turns: list[tuple[int, bytes]]) -> None:
    together = [StreamReader(LIMITS) for _ in range(3)]
    read: list[list[object]] = [[], [], []]
    for place, word in [(0, HEADER), (1, HEADER), (2, HEADER), *turns]:
        read[place] += [tell(item) for item in together[place].feed(word)]

    for place in range(3):
        alone = _Document(LIMITS)
        words = [HEADER, *(word for one, word in turns if one == place)]
        assert read[place] == [tell(item) for word in words for item in alone.feed(word)]


@pytest.mark.parametrize(
    ("rest", "has_own"),
    [
        (b"", False),
        (b"<message/> \r\n", False),
        (b"<message", True),
        (b"<message><body>", True),
        (b"]", True),
        (b"\r", True),
        (b"</stream:stream>", True),
        (b"<!-- -->", True),
    ],
)
def test_a_stream_has_a_parser_of_its_own_only_inside_an_element(rest: bytes, has_own: bool) -> None:
    reader = StreamReader()

    reader.feed(HEADER + rest)

    assert (reader._document is not None) == has_own


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace(b" to=", b" xmlns:p='u' to="),
        HEADER.replace(b"'jabber:client'", b"'jabber:server'"),
        HEADER.replace(b"stream:stream", b"s:stream").replace(b"xmlns:stream", b"xmlns:s"),
    ],
)
def test_an_unusual_header_is_nobody_elses(header: bytes) -> None:
    reader = StreamReader()
    other = StreamReader()
    other.feed(HEADER)

    reader.feed(header)
    reader.feed(HARMLESS)

    assert reader._document is not None
    assert ending([*other.feed(b"<message><p:a/></message>")]) == "not-well-formed"


def test_a_parser_that_has_read_enough_is_replaced() -> None:
    # It keeps every name that it has ever seen.
    reader = StreamReader()
    reader.feed(HEADER)
    _RESTING.clear()
    stanza = b"<message><body>" + b"x" * 200_000 + b"</body></message>"

    for _ in range(20):
        reader.feed(stanza)

    assert all(one._fed < MOST_READ for one in _RESTING)
    assert len(reader.feed(HARMLESS)) == 1


def test_small_limits_are_about_stanzas_and_not_about_the_header_of_a_new_parser() -> None:
    reader = StreamReader()
    reader.feed(HEADER)
    _RESTING.clear()
    reader.limits = ReaderLimits(stanza_bytes=len(HARMLESS))

    assert len(reader.feed(HARMLESS)) == 1


# The header


def test_a_header_tells_its_attributes_and_the_namespace_of_what_follows() -> None:
    [header] = StreamReader().feed(HEADER.replace(b"to=", b"xml:lang='es' to="))

    assert header == StreamHeader(
        {"to": "example.com", "version": "1.0", "xml:lang": "es"}, content="jabber:client"
    )


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (b"<stream:stream xmlns:stream='u'>", "invalid-namespace"),
        (b"<stream>", "invalid-namespace"),
        (b"<s:flow xmlns:s='http://etherx.jabber.org/streams'>", "bad-format"),
        (b"GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc", "not-well-formed"),
    ],
)
def test_what_opens_no_stream_is_refused(header: bytes, condition: str) -> None:
    assert ending([*StreamReader().feed(header)]) == condition


def test_a_stream_ends() -> None:
    assert StreamReader().feed(HEADER + b" </stream:stream>\n")[1:] == [StreamEnd()]


def test_white_space_keeps_a_stream_alive_and_is_nothing() -> None:
    reader = StreamReader()
    reader.feed(HEADER)

    assert reader.feed(b" ") == reader.feed(b"\r\n\t") == reader.feed(b"") == []
    assert not reader.has_unfinished


# Stanzas


def test_each_kind_is_told() -> None:
    items = StreamReader().feed(
        HEADER
        + b"<message/><presence/><iq type='get' id='1'><a xmlns='u'/></iq><enable xmlns='urn:xmpp:sm:3'/>"
    )

    assert [type(item) for item in items[1:]] == [Message, Presence, IQ, Element]


def test_a_payload_is_passed_on_as_it_was_written() -> None:
    payload = b'<body xml:lang="es">Hola &amp; &#x1F389;</body><x:a xmlns:x="u" x:b=\'"\'/>'

    read = message(b"<message to='luis@example.com' unknown='1'>%b</message>" % payload)

    assert read.wire == b"<message to='luis@example.com'>%b</message>" % payload
    assert read.child_keys == ["jabber:client\nbody", "u\na"]


@pytest.mark.parametrize(
    "payload",
    [
        "<body><![CDATA[</body>]]></body>",
        "<stream:error/>",
        "<a xmlns='u'><xml:b/></a>",
        "<p:a/><p:b xmlns:p='v'/><p:c p:d=''/>",
    ],
)
def test_what_leans_on_something_outside_is_written_anew(payload: str) -> None:
    read = message(f"<message xmlns:p='u'>{payload}</message>")

    assert b"<!" not in read.wire
    assert b"<p:" not in read.wire
    assert b"<stream:" not in read.wire
    assert message(read.wire).element == read.element


def test_a_prefix_means_what_it_means_where_it_stands() -> None:
    # Ours once read the second child as the first one's: a forged id, past the filter that takes them out.
    read = message(
        "<message xmlns:p='harmless'><p:a xmlns:p='urn:xmpp:sid:0'/><p:stanza-id id='forged'/></message>"
    )

    assert read.has("stanza-id", "harmless")
    assert [child.namespace for child in read.children()] == ["urn:xmpp:sid:0", "harmless"]


def test_a_child_in_no_namespace_stays_there() -> None:
    read = message("<message><body xmlns=''>Hi</body></message>")

    assert not read.has_body
    assert read.has("body", "")
    assert read.wire == b"<message><body xmlns=''>Hi</body></message>"


# Frames (RFC 7395)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"<message xmlns='jabber:client'><body>Hi</body></message>", Message),
        (b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.com' version='1.0'/>", Element),
        (b"<?xml version='1.0'?><iq xmlns='jabber:client' type='get' id='1'/>", IQ),
        (b"<message/>", Element),
    ],
)
def test_a_frame_is_one_element(frame: bytes, kind: type) -> None:
    [item] = FrameReader().feed(frame)

    assert isinstance(item, kind)


@pytest.mark.parametrize(
    ("frame", "condition"),
    [
        (b"<message xmlns='jabber:client'/><message xmlns='jabber:client'/>", "not-well-formed"),
        (b"<message xmlns='jabber:client'>", "not-well-formed"),
        (b"<message xmlns='jabber:client'/>x", "not-well-formed"),
        (HEADER, "bad-format"),
        (b"<!DOCTYPE a><a/>", "restricted-xml"),
        (b"<!-- --><a/>", "restricted-xml"),
        ("<message xmlns='jabber:client'/>".encode("utf-16"), "unsupported-encoding"),
        (b"<a>" + b"x" * 10_000 + b"</a>", "policy-violation"),
        (b"<a>" + b"<b/>" * 40 + b"</a>", "policy-violation"),
    ],
)
def test_a_frame_that_is_anything_else_ends_the_stream(frame: bytes, condition: str) -> None:
    [item] = FrameReader(BEFORE_LOGIN).feed(frame)

    assert isinstance(item, StreamError)
    assert item.condition == condition


def test_an_empty_frame_is_nothing() -> None:
    assert FrameReader().feed(b"") == FrameReader().feed(b" \n") == []


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=30))
def test_any_frame_is_one_item_or_none(words: list[bytes]) -> None:
    items = FrameReader(LIMITS).feed(b"".join(words))

    assert len(items) <= 1
    assert tell(items[0]) if items else True
