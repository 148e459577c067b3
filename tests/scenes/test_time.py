"""XEP-0202, as clients see it."""

from datetime import UTC, datetime, timedelta

from tests.scenes.actors import Actor

TIME = "urn:xmpp:time"


async def test_the_server_says_what_time_it_is(ana: Actor) -> None:
    answer = await ana.asks(f"<iq type='get' id='1' to='localhost'><time xmlns='{TIME}'/></iq>")

    time = answer.child("time", TIME)
    assert time is not None
    told = {child.name: child.text for child in time.elements()}
    assert abs(datetime.fromisoformat(told["utc"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert told["utc"].endswith("Z")
    assert told["tzo"][0] in "+-"
    assert len(told["tzo"]) == len("+00:00")
