"""XEP-0313, 4.3 and XEP-0059: a long history, page by page."""

import pytest

from imserver.storage.archive import ArchiveRow
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
STANZA = b"<message from='luis@localhost' to='ana@localhost'><body>%d</body></message>"


async def fill(stage: Stage, count: int, *, padding: bytes = b"") -> None:
    """Give ana a history of messages with the ids 1, 2, 3 and so on."""
    owner = await stage.account("ana")
    await stage.server.store.archive.write(
        [
            ArchiveRow(id, owner, "luis@localhost", "", STANZA.replace(b"%d", b"%d" % id + padding))
            for id in range(1, count + 1)
        ]
    )


async def page(actor: Actor, set_: str = "", *, flipped: bool = False) -> tuple[list[int], Element]:
    """Ask for a page; return the ids in the order in which they came, and the end of the page."""
    flip = "<flip-page/>" if flipped else ""
    asked = f"<set xmlns='{RSM}'>{set_}</set>" if set_ else ""
    await actor.sends(f"<iq type='set' id='q'><query xmlns='{MAM}'>{asked}{flip}</query></iq>")
    ids = []
    while (got := await actor.hears()).name == "message":
        ids.append(int(got.all("result", MAM)[0].get("id")))
    assert got.get("type") == "result", got
    return ids, got.all("fin", MAM)[0]


def is_complete(fin: Element) -> bool:
    return fin.get("complete") == "true"


async def test_a_page_has_fifty_messages_unless_more_are_asked_for(stage: Stage, ana: Actor) -> None:
    await fill(stage, 300)

    ids, fin = await page(ana)
    assert ids == list(range(1, 51))
    assert not is_complete(fin)

    ids, fin = await page(ana, "<max>100000</max>")
    assert ids == list(range(1, 251))
    assert not is_complete(fin)


async def test_pages_follow_each_other_forwards(stage: Stage, ana: Actor) -> None:
    await fill(stage, 25)

    first, fin = await page(ana, "<max>10</max>")
    second, _ = await page(ana, f"<max>10</max><after>{fin.elements()[0].all('last')[0].text}</after>")
    third, end = await page(ana, f"<max>10</max><after>{second[-1]}</after>")

    assert first + second + third == list(range(1, 26))
    assert is_complete(end)


async def test_pages_follow_each_other_backwards_each_the_oldest_first(stage: Stage, ana: Actor) -> None:
    await fill(stage, 25)

    last, _ = await page(ana, "<max>10</max><before/>")
    middle, fin = await page(ana, f"<max>10</max><before>{last[0]}</before>")
    first, end = await page(ana, f"<max>10</max><before>{fin.elements()[0].all('first')[0].text}</before>")

    assert first + middle + last == list(range(1, 26))
    assert is_complete(end)


@pytest.mark.parametrize(("set_", "ids"), [("<max>3</max>", [3, 2, 1]), ("<max>3</max><before/>", [9, 8, 7])])
async def test_a_flipped_page_is_the_same_page_the_newest_first(
    stage: Stage, ana: Actor, set_: str, ids: list[int]
) -> None:
    await fill(stage, 9)

    flipped, fin = await page(ana, set_, flipped=True)

    assert flipped == ids
    assert [one.text for one in fin.elements()[0].elements()] == [str(ids[-1]), str(ids[0])]


async def test_a_page_of_nothing_tells_only_whether_there_is_something(stage: Stage, ana: Actor) -> None:
    ids, fin = await page(ana, "<max>0</max>")
    assert (ids, is_complete(fin)) == ([], True)

    await fill(stage, 1)

    ids, fin = await page(ana, "<max>0</max>")
    assert (ids, is_complete(fin)) == ([], False)


async def test_the_page_behind_the_last_message_is_empty(stage: Stage, ana: Actor) -> None:
    await fill(stage, 5)

    ids, fin = await page(ana, "<after>5</after>")

    assert ids == []
    assert is_complete(fin)
    assert fin.elements() == [Element("set", RSM)]


@pytest.mark.settings(limits={"send_buffer_bytes": 262_144})
async def test_a_large_page_does_not_overrun_a_slow_reader(stage: Stage, ana: Actor) -> None:
    await fill(stage, 250, padding=b"x" * 4000)

    ids, _ = await page(ana, "<max>250</max>")

    assert ids == list(range(1, 251))
