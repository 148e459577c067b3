"""XEP-0049, as clients see it."""

import pytest

from imserver.features.private_storage import MOST_ELEMENTS
from tests.scenes.actors import Actor

BOOKMARKS = (
    "<storage xmlns='storage:bookmarks'><conference jid='room@muc.localhost' autojoin='1'>"
    "<x:nick xmlns:x='urn:example' xml:lang='es'>an &lt; a</x:nick></conference></storage>"
)


def setting(inside: str, id: str = "1") -> str:
    return f"<iq type='set' id='{id}'><query xmlns='jabber:iq:private'>{inside}</query></iq>"


def getting(inside: str, id: str = "2") -> str:
    return f"<iq type='get' id='{id}'><query xmlns='jabber:iq:private'>{inside}</query></iq>"


async def test_what_was_kept_is_given_back(ana: Actor) -> None:
    await ana.sends(setting(BOOKMARKS))
    await ana.receives("<iq type='result' id='1' to='ana@localhost/stage'/>")

    await ana.sends(getting("<storage xmlns='storage:bookmarks'/>"))

    await ana.receives(
        f"<iq type='result' id='2' to='ana@localhost/stage'><query xmlns='jabber:iq:private'>{BOOKMARKS}</query></iq>"
    )


async def test_where_nothing_was_kept_the_question_comes_back(ana: Actor) -> None:
    await ana.sends(getting("<storage xmlns='storage:bookmarks'/>"))

    await ana.receives(
        "<iq type='result' id='2' to='ana@localhost/stage'><query xmlns='jabber:iq:private'>"
        "<storage xmlns='storage:bookmarks'/></query></iq>"
    )


async def test_several_elements_of_one_namespace_are_kept_at_once(ana: Actor) -> None:
    await ana.asks(setting("<a xmlns='urn:example'>1</a><b xmlns='urn:example'>2</b>"))

    assert "<b xmlns='urn:example'>2</b>" in str(await ana.asks(getting("<b xmlns='urn:example'/>")))
    assert "<a xmlns='urn:example'>1</a>" in str(await ana.asks(getting("<a xmlns='urn:example'/>")))


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<a/>",
        "<a xmlns=''/>",
        "<a xmlns='jabber:client'/>",
        "<a xmlns='urn:example'/><b xmlns='urn:other'/>",
        "<a xmlns='urn:example'/><b/>",
    ],
)
async def test_what_has_no_namespace_of_its_own_is_not_kept(ana: Actor, inside: str) -> None:
    assert "<not-acceptable " in str(await ana.asks(setting(inside)))


@pytest.mark.parametrize("inside", ["", "<a xmlns='urn:example'/><b xmlns='urn:example'/>"])
async def test_a_question_names_one_element(ana: Actor, inside: str) -> None:
    assert "<bad-request " in str(await ana.asks(getting(inside)))


@pytest.mark.parametrize("question", [getting, setting])
@pytest.mark.parametrize("somebody", ["luis", "nobody"])
async def test_nobody_looks_into_or_changes_what_others_keep(
    ana: Actor, luis: Actor, question: object, somebody: str
) -> None:
    await luis.asks(setting(BOOKMARKS))
    assert callable(question)
    asked = question("<storage xmlns='storage:bookmarks'/>").replace("<iq", f"<iq to='{somebody}@localhost'")

    refused = await ana.asks(asked)

    assert "<service-unavailable " in str(refused)
    assert "<conference " in str(await luis.asks(getting("<storage xmlns='storage:bookmarks'/>")))


async def test_an_account_keeps_so_many_elements_and_may_still_replace_them(ana: Actor) -> None:
    for start in range(0, MOST_ELEMENTS, 50):
        elements = "".join(f"<a{number} xmlns='urn:example'/>" for number in range(start, start + 50))
        await ana.asks(setting(elements))

    refused = await ana.asks(setting("<one-more xmlns='urn:example'/>"))
    replaced = await ana.asks(setting("<a1 xmlns='urn:example'>new</a1>", id="3"))

    assert "<policy-violation " in str(refused)
    assert replaced.get("type") == "result"
