"""The whole corpus against a real server: each gets the error it deserves, and nobody else notices."""

import pytest

from imserver.xmpp.codec import StreamReader
from imserver.xmpp.errors import StreamError
from imserver.xmpp.parser import ReaderLimits
from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import condition_of, eventually
from tests.xmpp.corpus.seeds import HEADER, SEEDS, Seed

#: What a parser refuses by itself, whoever sends it.
REFUSED = {
    name: seed
    for name, seed in SEEDS.items()
    if seed.ends and seed.limits == ReaderLimits() and "after the end" not in name
}
#: What can be sent after login as well: everything that begins with the usual header.
INSIDE = {
    name: seed.data.removeprefix(HEADER) for name, seed in REFUSED.items() if seed.data.startswith(HEADER)
}
OUTSIDE = {name: seed for name, seed in REFUSED.items() if name not in INSIDE}


async def hostile(actor: Actor, data: bytes) -> str:
    """Send it, and return how the stream ended."""
    await actor.sends(data)
    return condition_of(await actor.is_disconnected())


async def test_a_hostile_stream_is_refused_before_it_has_begun(stage: Stage, ana: Actor) -> None:
    wanted = {name: seed.ends.replace("example.com", "localhost") for name, seed in OUTSIDE.items()}

    ended = {name: await hostile(await stage.connects(), for_us(seed)) for name, seed in OUTSIDE.items()}

    assert ended == wanted
    await ana.receives_nothing()


def for_us(seed: Seed) -> bytes:
    return seed.data.replace(b"example.com", b"localhost")


@pytest.mark.parametrize("names", [list(INSIDE)[::2], list(INSIDE)[1::2]])
async def test_a_hostile_stream_is_refused_after_login(stage: Stage, ana: Actor, names: list[str]) -> None:
    ended = {}
    for name in names:
        mallory = await stage.enters("mallory", "evil")
        ended[name] = await hostile(mallory, INSIDE[name])

    assert ended == {name: REFUSED[name].ends for name in names}
    await eventually(lambda: len(stage.running.connections) == 1)
    await ana.receives_nothing()


@pytest.mark.parametrize("name", [name for name in SEEDS if name.startswith("100,000")])
async def test_a_bomb_is_refused_at_its_limit(stage: Stage, ana: Actor, name: str) -> None:
    mallory = await stage.enters("mallory", "evil")
    data = SEEDS[name].data.removeprefix(HEADER)

    mallory._writer.write(data)
    said = await _until_cut(mallory)

    assert b"<policy-violation" in said
    await ana.receives_nothing()


async def _until_cut(actor: Actor) -> bytes:
    """Read what is left to read; what we have not got rid of ourselves may cost us the rest."""
    said = b""
    try:
        while data := await actor._reader.read(65_536):
            said += data
    except ConnectionError:
        pass
    return said


async def test_a_tag_that_never_ends_is_cut(stage: Stage) -> None:
    mallory = await stage.enters("mallory", "evil")

    await mallory.sends("<message id='")
    for _ in range(20):
        await mallory.sends("x" * 1_000)

    assert condition_of(await mallory.is_disconnected()) == "policy-violation"


async def test_a_stream_byte_by_byte_is_a_stream(stage: Stage) -> None:
    await stage.account("ana")
    ana = await stage.enters("ana")

    for byte in b"<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>":
        await ana.sends(bytes([byte]))

    await ana.receives("<iq type='result' id='1' from='localhost' to='ana@localhost/stage'/>")


async def test_what_is_no_xmpp_at_all_is_answered_in_xmpp(stage: Stage) -> None:
    stranger = await stage.connects()
    reader = StreamReader()

    await stranger.sends(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    items = reader.feed(await stranger._reader.read())
    assert not any(isinstance(item, StreamError) for item in items)
