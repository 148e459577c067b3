"""Whether what came looks like what was wanted."""

from __future__ import annotations

from typing import Final

from imserver.xmpp.element import Element
from imserver.xmpp.parser import parse

#: Stands for anything, in a pattern.
ANYTHING: Final = "…"


def difference(wanted: Element, got: Element) -> str:
    """Compare what came with a pattern; "" if it fits.

    `…` as an attribute's value or as text stands for anything. `…` among child elements lets others stand there too.
    Attributes must be the same, but for `id` and `xml:lang` that the pattern does not mention.
    """
    if (wanted.name, wanted.namespace) != (got.name, got.namespace):
        return f"wanted <{wanted.name} {wanted.namespace}>, got <{got.name} {got.namespace}>"
    for key, value in wanted.attributes.items():
        if value != ANYTHING and got.get(key, "(none)") != value:
            return f"wanted {key}='{value}' of <{got.name}/>, got '{got.get(key, '(none)')}'"
    for key in got.attributes.keys() - wanted.attributes.keys() - {"id", "xml:lang"}:
        return f"<{got.name}/> has an attribute that was not wanted: {key}='{got.get(key)}'"
    return _children_difference(wanted, got)


def _children_difference(wanted: Element, got: Element) -> str:
    patterns, children = wanted.elements(), got.elements()
    is_open = ANYTHING in wanted.text
    if not patterns and not is_open and wanted.text.strip() != got.text.strip():
        return f"wanted {wanted.text!r} in <{got.name}/>, got {got.text!r}"
    for pattern in patterns:
        candidates = children if is_open else children[:1]
        found = next((child for child in candidates if not difference(pattern, child)), None)
        if found is None:
            return (
                difference(pattern, candidates[0])
                if len(candidates) == 1
                else f"<{got.name}/> misses {pattern}"
            )
        children = [child for child in children if child is not found]
    return f"<{got.name}/> holds what was not wanted: {children[0]}" if children and not is_open else ""


def read(xml: str) -> Element:
    """Read a stanza as it is written in a scene, without the namespaces of its stream."""
    around = f"<w xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>{xml}</w>"
    return parse(around.encode()).elements()[0]
