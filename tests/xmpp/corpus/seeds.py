"""Hostile streams, each with the name of the trick and the stream error that ends it; none where it is harmless.

The fuzz target (contrib/fuzz) starts from these; the big ones are made, not kept.
"""

from dataclasses import dataclass
from typing import Final

from imserver.xmpp.parser import ReaderLimits

HEADER: Final = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    b" xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0'>"
)
AFTER_LOGIN: Final = ReaderLimits()
#: What stands before login; the same as `imserver.stream.machine.StreamOptions`.
BEFORE_LOGIN: Final = ReaderLimits(stanza_bytes=8_192, elements=32, token_bytes=8_192)


@dataclass(frozen=True, slots=True)
class Seed:
    """A whole stream, and how it ends."""

    data: bytes
    #: The stream error, or "" if there is none.
    ends: str = ""
    limits: ReaderLimits = AFTER_LOGIN


def _inside(xml: str | bytes, ends: str = "", *, limits: ReaderLimits = AFTER_LOGIN) -> Seed:
    return Seed(HEADER + (xml.encode() if isinstance(xml, str) else xml), ends, limits)


def _laughs(use: str) -> bytes:
    """Build the billion laughs: ten entities, each ten times the one before."""
    entities = "".join(f"<!ENTITY l{n} '" + f"&l{n - 1};" * 10 + "'>" for n in range(1, 10))
    declared = f"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY l0 'lol'>{entities}]>"
    return declared.encode() + HEADER.removeprefix(b"<?xml version='1.0'?>") + use.encode()


def _attributes(count: int) -> str:
    return "".join(f" a{number}=''" for number in range(count))


def _header(**changes: str) -> bytes:
    attributes = {
        "xmlns": "jabber:client",
        "xmlns:stream": "http://etherx.jabber.org/streams",
        "to": "example.com",
        "version": "1.0",
    } | changes
    written = "".join(f" {key}='{value}'" for key, value in attributes.items())
    return f"<?xml version='1.0'?><stream:stream{written}>".encode()


HARMLESS: Final = b"<message to='luis@example.com' type='chat'><body>Hi</body></message>"

RESTRICTED: Final = {
    # CVE-2011-1753, -1755, -2205
    "billion laughs in an element": Seed(_laughs("<message><body>&l9;</body></message>"), "restricted-xml"),
    # processone/xml, pull request 1
    "billion laughs in an attribute": Seed(_laughs("<message id='&l9;'/>"), "restricted-xml"),
    "an outside document type": Seed(b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "restricted-xml"),
    "a document type in the middle": _inside("<!DOCTYPE a>", "not-well-formed"),
    "an unknown entity in text": _inside("<message><body>&lol;</body></message>", "restricted-xml"),
    "an unknown entity in an attribute": _inside("<message id='&lol;'/>", "restricted-xml"),
    "an instruction before the header": Seed(b"<?go there?>" + HEADER, "restricted-xml"),
    "an instruction between stanzas": _inside("<?go there?>", "restricted-xml"),
    "an instruction in a stanza": _inside("<message><body><?go there?></body></message>", "restricted-xml"),
    "an instruction in something else": _inside("<auth xmlns='u'><?go there?></auth>", "restricted-xml"),
    "a second declaration": _inside("<?xml version='1.0'?>", "not-well-formed"),
    # CVE-2022-0217
    "a comment before the header": Seed(b"<!-- -->" + HEADER, "restricted-xml"),
    "a comment between stanzas": _inside("<!-- -->", "restricted-xml"),
    "a comment in a stanza": _inside("<message><body>H<!-- -->i</body></message>", "restricted-xml"),
    "a comment in something else": _inside("<auth xmlns='u'><!-- --></auth>", "restricted-xml"),
}

TOO_MUCH: Final = {
    "8193 bytes before login": _inside(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{'A' * 8200}</auth>",
        "policy-violation",
        limits=BEFORE_LOGIN,
    ),
    "a header of 8193 bytes": Seed(_header(id="x" * 8193), "policy-violation", BEFORE_LOGIN),
    "33 elements before login": _inside(
        f"<auth xmlns='u'>{'<a/>' * 32}</auth>", "policy-violation", limits=BEFORE_LOGIN
    ),
    "a stanza one byte too long": _inside(
        f"<message><body>{'x' * (10_000 - 31)}</body></message>",
        "policy-violation",
        limits=ReaderLimits(stanza_bytes=10_000),
    ),
    "a stanza just short enough": _inside(
        f"<message><body>{'x' * (10_000 - 32)}</body></message>", limits=ReaderLimits(stanza_bytes=10_000)
    ),
    "100,000 nested elements": _inside(
        f"<message>{'<a>' * 100_000}{'</a>' * 100_000}</message>",
        "policy-violation",
        limits=ReaderLimits(stanza_bytes=2_000_000),
    ),
    "100,000 nested elements in something else": _inside(
        f"<auth xmlns='u'>{'<a>' * 100_000}", "policy-violation", limits=ReaderLimits(stanza_bytes=2_000_000)
    ),
    "100,000 elements side by side": _inside(
        f"<message>{'<a/>' * 100_000}</message>",
        "policy-violation",
        limits=ReaderLimits(stanza_bytes=2_000_000),
    ),
    "65 attributes of a stanza": _inside(f"<message{_attributes(65)}/>", "policy-violation"),
    "100,000 attributes of a child": _inside(
        f"<message><a{_attributes(100_000)}/></message>",
        "policy-violation",
        limits=ReaderLimits(stanza_bytes=2_000_000),
    ),
    "a CDATA bomb": _inside(
        f"<message><body>{'<![CDATA[x]]>' * 30_000}</body></message>", "policy-violation"
    ),
    "huge text between stanzas": _inside("x" * 300_000),
    "white space without an end": _inside(" " * 300_000),
}

NAMES: Final = {
    # CVE-2022-25236
    "a line break in a namespace": _inside("<a xmlns='x&#10;y'/>", "not-well-formed"),
    "a line break in a prefixed namespace": _inside(
        "<message><p:a xmlns:p='x&#10;jabber:client'/></message>", "not-well-formed"
    ),
    "a bar in a namespace": _inside("<a xmlns='x|y'/>"),
    "a brace in a namespace": _inside("<message xmlns:p='a}b'><body p:c='d'>Hi</body></message>"),
    "an unknown prefix": _inside("<message><p:a/></message>", "not-well-formed"),
    "an unknown prefix of an attribute": _inside("<message><a p:b=''/></message>", "not-well-formed"),
    "the prefix xmlns": _inside("<message><xmlns:a/></message>", "not-well-formed"),
    "somebody else's prefix xml": _inside("<message><a xmlns:xml='u'/></message>", "not-well-formed"),
    "another prefix for xml": _inside(
        "<message><a xmlns:b='http://www.w3.org/XML/1998/namespace'/></message>", "not-well-formed"
    ),
    "an element in the namespace xml": _inside("<message><xml:a><b/></xml:a></message>"),
    "another attribute in the namespace xml": _inside("<message><a xml:space='preserve'> </a></message>"),
    "a prefix of the header": Seed(_header(**{"xmlns:p": "u"}) + b"<message><p:a p:b=''/></message>"),
    "a prefix of the stanza": _inside("<message xmlns:p='u'><p:a p:b=''/></message>"),
    "a prefix of the stanza that its child declares again": _inside(
        "<message xmlns:p='u'><p:a xmlns:p='v'/><p:b/></message>"
    ),
    "a prefix declared again on the way down": _inside(
        "<message><a xmlns:p='u'><p:b xmlns:p='v'><p:c xmlns:p='u'/></p:b><p:b/></a></message>"
    ),
    "two prefixes for one attribute": _inside(
        "<message><a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/></message>", "not-well-formed"
    ),
    "the same attribute twice": _inside(
        "<message to='a@example.com' to='b@example.com'/>", "not-well-formed"
    ),
    "the same attribute twice in a child": _inside("<message><a b='' b=''/></message>", "not-well-formed"),
    "no namespace": _inside("<message><body xmlns=''>Hi</body></message>"),
}

BREAKING_OUT: Final = {
    # CVE-2022-22784, and the talk about it
    "a second header": _inside(HEADER.removeprefix(b"<?xml version='1.0'?>"), "bad-format"),
    "a header inside a stanza": _inside(
        "<message><stream:stream to='example.com' version='1.0'><message/></stream:stream></message>"
    ),
    "a header inside a stanza, left open": _inside(
        "<message><stream:stream to='example.com' version='1.0'></message>", "not-well-formed"
    ),
    "the end of the stream inside a body": _inside(
        "<message><body></stream:stream></body></message>", "not-well-formed"
    ),
    "the end of the stream written as text": _inside(
        "<message><body>&lt;/stream:stream&gt;</body></message>"
    ),
    "the end of the stream in CDATA": _inside(
        "<message><body><![CDATA[</body></message></stream:stream>]]></body></message>"
    ),
    "the end of the stream in an attribute": _inside(
        "<message><a b='/>&lt;/message>&lt;/stream:stream>'/></message>"
    ),
    "the wrong end": _inside("<message><body></message></body>", "not-well-formed"),
    "something after the end": _inside("</stream:stream><message/>", "not-well-formed"),
    "an element of the stream's own in a stanza": _inside(
        "<message><stream:error/><body stream:b=''/></message>"
    ),
    "the prefix stream for something else": Seed(
        _header(**{"xmlns:stream": "jabber:client", "xmlns:s": "http://etherx.jabber.org/streams"}).replace(
            b"<stream:stream", b"<s:stream"
        )
        + b"<message><stream:body>Hi</stream:body></message>"
    ),
    "a stanza with a prefix": _inside(
        "<c:message xmlns:c='jabber:client' xmlns='u'><body/></c:message>", "bad-namespace-prefix"
    ),
    "a less-than sign in an attribute": _inside("<message><a b='<'/></message>", "not-well-formed"),
}

LETTERS: Final = {
    # CVE-2022-25235
    "a surrogate": _inside(b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    "an overlong slash": _inside(b"<message><body>\xc0\xaf</body></message>", "not-well-formed"),
    "an overlong less-than sign in a name": _inside(b"<message><a\xc0\xbc/></message>", "not-well-formed"),
    "half a letter in a name": _inside(b"<message><a\xc3/></message>", "not-well-formed"),
    "three quarters of a letter in a name": _inside(b"<message><a\xe2\x82/></message>", "not-well-formed"),
    "a letter beyond Unicode": _inside(
        b"<message><body>\xf4\x90\x80\x80</body></message>", "not-well-formed"
    ),
    "Latin-1": _inside(b"<message><body>\xe9</body></message>", "not-well-formed"),
    "NUL": _inside(b"<message><body>\0</body></message>", "not-well-formed"),
    "NUL written as a reference": _inside("<message><body>&#0;</body></message>", "not-well-formed"),
    "NUL between stanzas": _inside(b"\0<message/>", "not-well-formed"),
    "a form feed between stanzas": _inside(b"\x0c<message/>", "not-well-formed"),
    "U+FFFF": _inside("<message><body>\uffff</body></message>", "not-well-formed"),
    "U+FFFE written as a reference": _inside("<message><body>&#xFFFE;</body></message>", "not-well-formed"),
    "every blank there is": _inside("<message><a b=' &#9;&#10;&#13;\t\n\r\n '>\t\r\n\r&#13;</a></message>"),
    "every quote there is": _inside(
        "<message id='&quot;&apos;&gt;&lt;&amp;' to=\"luis@example.com\"><a b=\"'>\" c='\"'>]]&gt;</a></message>"
    ),
    "a byte-order mark": Seed(b"\xef\xbb\xbf" + HEADER + HARMLESS),
    "UTF-16 with a byte-order mark": Seed(
        (HEADER + HARMLESS).decode().encode("utf-16"), "unsupported-encoding"
    ),
    "UTF-16, the other way around": Seed(
        b"\xfe\xff" + (HEADER + HARMLESS).decode().encode("utf-16-be"), "unsupported-encoding"
    ),
    "UTF-16 without a byte-order mark": Seed(
        (HEADER + HARMLESS).decode().encode("utf-16-be"), "unsupported-encoding"
    ),
    "UTF-16 without a byte-order mark, the other way around": Seed(
        (HEADER + HARMLESS).decode().encode("utf-16-le"), "not-well-formed"
    ),
    # Our own: read as UTF-16 these are harmless letters, read as UTF-8 the end of one stanza and another.
    "markup hidden in UTF-16": Seed(
        HEADER.decode().encode("utf-16")
        + "<message><body>".encode("utf-16-le")
        + b"</body></message><message from='boss@example.com'><body>Pay!"
        + "</body></message>".encode("utf-16-le"),
        "unsupported-encoding",
    ),
    "a declaration of UTF-16": Seed(
        HEADER.replace(b"?>", b" encoding='UTF-16'?>", 1) + HARMLESS, "unsupported-encoding"
    ),
    "a declaration of Latin-1": Seed(
        HEADER.replace(b"?>", b" encoding='ISO-8859-1'?>", 1) + b"<message><body>\xe9</body></message>",
        "unsupported-encoding",
    ),
    "a declaration of UTF-8": Seed(HEADER.replace(b"?>", b" encoding='utf-8'?>", 1) + HARMLESS),
}

ADDRESSES: Final = {
    "a huge id": _inside(f"<message id='{'x' * 10_000}'><body>Hi</body></message>"),
    "a huge local part": _inside(f"<message to='{'x' * 1024}@example.com'/>"),
    "a huge resource": _inside(f"<iq type='get' id='1' to='a@example.com/{'x' * 9000}'><a xmlns='u'/></iq>"),
    "no address at all": _inside("<message to=''/><message to='@'/><message to='/'/>"),
}

SEEDS: Final = RESTRICTED | TOO_MUCH | NAMES | BREAKING_OUT | LETTERS | ADDRESSES
