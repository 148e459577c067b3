"""An element and its bytes are the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element, escape_attribute, escape_text
from imserver.xmpp.parser import parse

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXTS = st.text(LETTERS | st.sampled_from("\t\n\r<>&'\"]"), min_size=1)
NAMES = st.sampled_from(["a", "body", "x-1", "ñandú", "_", "消息"])
# A line break is the one thing that a namespace cannot hold.
NAMESPACES = st.sampled_from(
    ["", "jabber:client", "urn:x", namespaces.STREAMS, namespaces.XML, "a}b", 'it\'s "so" & <so>']
)
KEYS = NAMES | st.builds(
    "{{{}}}{}".format, NAMESPACES.filter(lambda one: one not in ("", namespaces.XML)), NAMES
)


def _merged(children: list[Element | str]) -> list[Element | str]:
    """Readers cannot tell one text from two that stand together."""
    merged: list[Element | str] = []
    for child in children:
        if isinstance(child, str) and merged and isinstance(merged[-1], str):
            merged[-1] += child
        else:
            merged.append(child)
    return merged


def _element(name: str, namespace: str, attributes: dict[str, str], children: list[Element | str]) -> Element:
    return Element(name, namespace, attributes).add(*_merged(children))


LEAVES = st.builds(
    _element,
    NAMES,
    NAMESPACES,
    st.dictionaries(KEYS | st.sampled_from(["xml:lang", "xml:space"]), TEXTS),
    st.just([]),
)
ELEMENTS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        _element, NAMES, NAMESPACES, st.dictionaries(KEYS, TEXTS), st.lists(inner | TEXTS, max_size=4)
    ),
    max_leaves=12,
)


@given(ELEMENTS)
def test_what_is_written_is_read_again(element: Element) -> None:
    assert parse(element.to_bytes("")) == element


@given(ELEMENTS)
def test_where_it_stands_does_not_matter(element: Element) -> None:
    for inherited in ("", "jabber:client", "urn:x"):
        around = Element("around", inherited).to_bytes("").removesuffix(b"/>")

        read = parse(b"%b>%b</around>" % (around, element.to_bytes(inherited)))

        assert read.elements() == [element]


@given(st.text(st.characters()))
def test_no_text_breaks_out(text: str) -> None:
    written = f"<a b='{escape_attribute(text)}' c=\"{escape_attribute(text)}\">{escape_text(text)}</a>"

    read = parse(written.encode())

    assert read.name == "a"
    assert read.get("b") == read.get("c") == read.text
    assert not read.elements()


def test_what_xml_cannot_hold_is_replaced() -> None:
    element = Element("a", attributes={"b": "\0\x1b\ud800"}, text="\uffff\x0b!")

    assert element.to_bytes("") == "<a b='���'>��!</a>".encode()


def test_a_namespace_is_written_where_it_changes() -> None:
    element = Element("a", "u").add(Element("b", "u"), Element("c", "v").add(Element("d", "u")), Element("e"))

    assert str(element) == "<a xmlns='u'><b/><c xmlns='v'><d xmlns='u'/></c><e xmlns=''/></a>"


def test_children_are_found_by_name_and_namespace() -> None:
    own, foreign = Element("b", "u"), Element("b", "v")
    element = Element("a", "u").add("text ", own, foreign, "and more")

    assert element.child("b") is own
    assert element.child("b", "v") is foreign
    assert element.child("c") is None
    assert element.elements() == [own, foreign]
    assert element.all("b", "v") == [foreign]
    assert element.text == "text and more"


def test_a_copy_is_its_own() -> None:
    element = Element("a", attributes={"b": "1"}).add(Element("c"))

    twin = element.copy()
    twin.attributes["b"] = "2"
    twin.elements()[0].add("new")

    assert str(element) == "<a b='1'><c/></a>"


def test_it_equals_only_its_like() -> None:
    assert Element("a", "u", {"b": "1"}, text="x") == Element("a", "u", {"b": "1"}).add("x")
    assert Element("a") != Element("a", "u")
    assert Element("a") != Element("a", attributes={"b": ""})
    assert Element("a") != "<a/>"
    with pytest.raises(TypeError):
        hash(Element("a"))


def test_an_attribute_may_be_missing() -> None:
    assert Element("a").get("b") == ""
    assert Element("a").get("b", "none") == "none"
    assert repr(Element("a", "u")) == "<Element <a xmlns='u'/>>"
