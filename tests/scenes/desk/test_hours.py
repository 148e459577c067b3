"""Opening hours and holidays, told in the client's language."""

from __future__ import annotations

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, bodies, offer_in, says

QUEUE = "support@desk.localhost"
NIGHT = "2030-07-03T22:00+02:00"  # a Wednesday

pytestmark = pytest.mark.desk(
    """
timezone = "Europe/Madrid"
holidays = ["2030-07-05"]
hours = { wednesday = ["09:00-18:00"], thursday = ["09:00-18:00"], friday = ["09:00-18:00"], monday = ["10:00-12:00"] }
"""
)


async def asks_in(stage: DeskStage, lang: str) -> list[str]:
    client = await stage.comes_online("luis")
    await client.sends(f"<message to='{QUEUE}' type='chat' xml:lang='{lang}'><body>hello</body></message>")
    return bodies(await client.swallows())


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            "We are closed at the moment, and open again on 2030-07-04 09:00. Your message is kept until then.",
        ),
        (
            "es-MX",
            "En este momento está cerrado; abrimos el 2030-07-04 09:00. Guardamos su mensaje hasta entonces.",
        ),
        ("de", "Zurzeit ist geschlossen; wir öffnen am 2030-07-04 09:00."),
        ("tlh", "We are closed at the moment, and open again on 2030-07-04 09:00."),
    ],
)
async def test_a_closed_queue_says_when_it_opens(stage: DeskStage, ana: Actor, lang: str, said: str) -> None:
    await stage.is_at(NIGHT)

    told = await asks_in(stage, lang)

    assert len(told) == 2
    assert told[1].startswith(said)
    await ana.receives_nothing()


async def test_the_language_of_the_stream_counts_for_a_message_that_says_none(stage: DeskStage) -> None:
    luis = await stage.begins_work("luis", lang="fr")
    await stage.is_at(NIGHT)

    await says(luis, QUEUE, "bonjour")

    assert "C’est fermé pour le moment" in bodies(await luis.swallows())[1]


async def test_whoever_came_at_night_is_attended_in_the_morning(stage: DeskStage, ana: Actor) -> None:
    await stage.is_at(NIGHT)
    await asks_in(stage, "en")

    await stage.is_at("2030-07-04T09:00+02:00")

    offer_in(await ana.swallows())


async def test_holidays_are_closed(stage: DeskStage, ana: Actor) -> None:
    await stage.is_at("2030-07-05T12:00+02:00")

    assert "open again on 2030-07-08 10:00" in (await asks_in(stage, "en"))[1]


async def test_everybody_can_see_whether_a_queue_is_open(stage: DeskStage, luis: Actor) -> None:
    await stage.is_at(NIGHT)
    await luis.sends(f"<presence to='{QUEUE}' type='subscribe'/>")
    shown = [one for one in await luis.swallows() if one.name == "presence" and not one.get("type")]
    assert ["xa" in str(one.child("show", "jabber:client")) for one in shown] == [True]

    await stage.is_at("2030-07-04T09:00+02:00")
    await luis.sends(f"<presence to='{QUEUE}' type='probe'/>")

    shown = [one for one in await luis.swallows() if one.name == "presence" and not one.get("type")]
    assert [one.child("show", "jabber:client") for one in shown] == [None]


@pytest.mark.desk(
    'texts = { es = { welcome = "¡Hola!", away_until = "" }, en = { welcome = "Hi from {queue}!" } }'
)
@pytest.mark.parametrize(("lang", "told"), [("es", ["¡Hola!"]), ("en-GB", ["Hi from Support!"])])
async def test_an_admin_words_it_otherwise(stage: DeskStage, ana: Actor, lang: str, told: list[str]) -> None:
    await stage.is_at(NIGHT)

    assert (await asks_in(stage, lang))[: len(told)] == told
    if lang == "es":
        assert len(told) == 1, "an empty text is not said"
