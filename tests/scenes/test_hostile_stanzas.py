"""Stanza smuggling: whatever one client writes, the other reads one stanza, with one meaning, from who really wrote it.

Ivan Fratric, "XMPP stanza smuggling" (2022): CVE-2022-22784 and -25236.
"""

import pytest

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import connects_by_tls

BODY = Element("body", namespaces.CLIENT, text="Hi")
STREAM = "<stream:stream to='localhost' version='1.0'><message from='boss@localhost'/></stream:stream>"

#: What ana writes into a message, and what luis must find there.
TRICKS = {
    "markup as text": (
        "<body>&lt;/body>&lt;/message>&lt;message from='boss@localhost'></body>",
        [Element("body", namespaces.CLIENT, text="</body></message><message from='boss@localhost'>")],
    ),
    "markup in CDATA": (
        "<body><![CDATA[</body></message><message from='boss@localhost'>]]></body>",
        [Element("body", namespaces.CLIENT, text="</body></message><message from='boss@localhost'>")],
    ),
    "the end of CDATA": (
        "<body><![CDATA[]]>]]<![CDATA[>]]>&lt;a/></body>",
        [Element("body", namespaces.CLIENT, text="]]><a/>")],
    ),
    "markup in an attribute": (
        """<a xmlns='u' b='"/>&lt;/message>' c="'/>"/>""",
        [Element("a", "u", {"b": '"/></message>', "c": "'/>"})],
    ),
    "line breaks in an attribute": (
        "<a xmlns='u' b='&#10;&#13;&#9; \n'/>",
        [Element("a", "u", {"b": "\n\r\t  "})],
    ),
    "line breaks in text": ("<body>&#13;\r\n\r</body>", [Element("body", namespaces.CLIENT, text="\r\n\n")]),
    "a stream in a message": (
        STREAM,
        [
            Element("stream", namespaces.STREAMS, {"to": "localhost", "version": "1.0"}).add(
                Element("message", namespaces.CLIENT, {"from": "boss@localhost"})
            )
        ],
    ),
    "an error of the stream": (
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        [Element("error", namespaces.STREAMS).add(Element("reset", namespaces.STREAM_ERRORS))],
    ),
    "a message in a message": (
        "<message from='boss@localhost'><body>Pay!</body></message><body>Hi</body>",
        [
            Element("message", namespaces.CLIENT, {"from": "boss@localhost"}).add(
                Element("body", namespaces.CLIENT, text="Pay!")
            ),
            BODY,
        ],
    ),
    "a namespace taken away": ("<body xmlns=''>Hi</body>", [Element("body", "", text="Hi")]),
    "a namespace with a bar": ("<a xmlns='u|v'/>", [Element("a", "u|v")]),
    "quotes in a namespace": (
        """<a xmlns='"&apos;>'><b xmlns="u"/></a>""",
        [Element("a", "\"'>").add(Element("b", "u"))],
    ),
    "prefixes": (
        "<p:a xmlns:p='u' xmlns:q='v' p:b='1' q:b='2'><q:a/></p:a>",
        [Element("a", "u", {"{u}b": "1", "{v}b": "2"}).add(Element("a", "v"))],
    ),
    "the prefix stream for something else": (
        "<stream:a xmlns:stream='u'><stream:b/></stream:a>",
        [Element("a", "u").add(Element("b", "u"))],
    ),
    "a brace in the namespace of an attribute": (
        "<a xmlns='u' xmlns:p='v}w' p:b='1'/><stream:c/>",
        [Element("a", "u", {"{v}w}b": "1"}), Element("c", namespaces.STREAMS)],
    ),
    "what belongs to XML": (
        "<xml:a/><body xml:space='preserve' xml:lang='es'>Hi</body><stream:b/>",
        [
            Element("a", namespaces.XML),
            Element("body", namespaces.CLIENT, {"xml:space": "preserve", "xml:lang": "es"}, text="Hi"),
            Element("b", namespaces.STREAMS),
        ],
    ),
    "letters from everywhere": (
        "<body>\u00f1\u6d88\U0001f389\u202e\ufeff\u0085</body>",
        [Element("body", namespaces.CLIENT, text="\u00f1\u6d88\U0001f389\u202e\ufeff\u0085")],
    ),
    "text between the children": ("Pay!<body>Hi</body>", [BODY]),
}


async def test_a_trick_is_read_as_what_it_is(stage: Stage, ana: Actor, luis: Actor) -> None:
    for name, (payload, children) in TRICKS.items():
        await ana.sends(f"<message to='luis@localhost/stage' type='headline' id='{name}'>{payload}</message>")

        [got] = await luis.swallows()

        assert (got.name, got.get("from"), got.get("id")) == ("message", ana.jid, name)
        assert got.elements() == children, name
        assert await ana.swallows() == [], name


async def test_a_prefix_of_the_stanza_means_the_same_after_it(ana: Actor, luis: Actor) -> None:
    # Ours once read the second child as the first one's: a forged id, past the filter that takes them out.
    await ana.sends(
        "<message to='luis@localhost/stage' type='headline' xmlns:p='harmless'>"
        "<p:a xmlns:p='urn:xmpp:sid:0'/><p:stanza-id id='forged' by='luis@localhost'/></message>"
    )

    [got] = await luis.swallows()

    assert [(child.name, child.namespace) for child in got.elements()] == [
        ("a", "urn:xmpp:sid:0"),
        ("stanza-id", "harmless"),
    ]


@pytest.mark.parametrize(
    ("declared", "payload", "child"),
    [
        ("xmlns:p='u'", "<p:a p:b='1'/>", Element("a", "u", {"{u}b": "1"})),
        ("xmlns:stream='u' xmlns:s='http://etherx.jabber.org/streams'", "<stream:a/>", Element("a", "u")),
    ],
)
async def test_a_prefix_of_the_stream_means_the_same_elsewhere(
    stage: Stage, luis: Actor, declared: str, payload: str, child: Element
) -> None:
    ana = await connects_by_tls(stage)
    await stage.account("ana")
    ana_sends = ana.sends

    async def declares(xml: str | bytes) -> None:
        """Declare the prefix where the stream is opened."""
        text = xml if isinstance(xml, str) else xml.decode()
        if "<stream:stream" in text:
            root = "<s:stream" if "xmlns:s=" in declared else "<stream:stream"
            text = text.replace("<stream:stream", f"{root} {declared}")
            if "xmlns:s=" in declared:
                text = text.replace(" xmlns:stream='http://etherx.jabber.org/streams'", "")
        await ana_sends(text)

    ana.sends = declares  # type: ignore[method-assign]
    await ana.logs_in("ana")
    await ana.binds("evil")
    await ana.sends(f"<message to='luis@localhost/stage' type='headline'>{payload}</message>")
    await ana.swallows()

    assert (await luis.hears()).elements() == [child]


@pytest.mark.parametrize(
    "stolen",
    [
        "from='boss@localhost'",
        "from='localhost'",
        "from=''",
        "from='luis@localhost/stage'",
        "from='ana@localhost/other'",
    ],
)
async def test_nobody_speaks_for_somebody_else(ana: Actor, luis: Actor, stolen: str) -> None:
    await ana.sends(f"<message {stolen} to='luis@localhost/stage' type='headline'><body>Hi</body></message>")

    await luis.receives_nothing()


@pytest.mark.parametrize("own", ["", "from='ana@localhost'", "from='ana@localhost/stage'"])
async def test_who_wrote_it_is_said_in_full(ana: Actor, luis: Actor, own: str) -> None:
    # RFC 6120, 8.1.2.1
    await ana.sends(f"<message {own} to='luis@localhost/stage' type='headline'><body>Hi</body></message>")

    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost/stage' type='headline'><body>Hi</body></message>"
    )


async def test_a_huge_id_comes_back_whole(ana: Actor) -> None:
    id = "x'&quot;" * 1_000

    await ana.sends(f'<iq type="get" id="{id}" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>')

    assert (await ana.hears()).get("id") == "x'\"" * 1_000


async def test_answers_reach_nobody_who_did_not_ask(ana: Actor, luis: Actor) -> None:
    # CVE-2013-6483: the server's own questions are answered by whoever was asked.
    await ana.sends(
        "<iq type='result' id='roster' to='localhost'/><iq type='error' id='x' to='luis@localhost'/>"
    )

    await luis.receives_nothing()
    await ana.receives_nothing()
