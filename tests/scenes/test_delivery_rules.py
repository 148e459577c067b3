"""RFC 6121, 8.5: where a message goes, line by line of its table 1."""

from typing import Final

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Stage

TYPES: Final = ("normal", "chat", "groupchat", "headline")

# Who is there, with which priority; None: connected, and no presence sent.
NOBODY: Final[dict[str, int | None]] = {}
NEGATIVE: Final = {"low": -1, "lower": -5}
ONE: Final = {"phone": 0}
SEVERAL: Final = {"phone": 5, "desk": 5, "tv": 1, "low": -1}

# What becomes of a normal message, a chat, a groupchat and a headline: the resources that get it, or `error` to the
# sender, `ignored`, or `kept` for later (RFC 6121: S, E, O; D, M and A are the resources).
RULES: Final = [
    ("the account does not exist", "nobody@localhost", NOBODY, ("error", "error", "error", "ignored")),
    ("the account does not exist", "nobody@localhost/phone", NOBODY, ("error", "error", "error", "ignored")),
    ("nobody is there", "luis@localhost", NOBODY, ("kept", "kept", "error", "ignored")),
    ("nobody is there", "luis@localhost/phone", NOBODY, ("error", "kept", "error", "ignored")),
    ("only negative ones", "luis@localhost", NEGATIVE, ("kept", "kept", "error", "ignored")),
    ("only negative ones", "luis@localhost/low", NEGATIVE, ("low", "low", "low", "low")),
    ("only negative ones", "luis@localhost/gone", NEGATIVE, ("error", "kept", "error", "ignored")),
    ("one is available", "luis@localhost", ONE, ("phone", "phone", "error", "phone")),
    ("one is available", "luis@localhost/phone", ONE, ("phone", "phone", "phone", "phone")),
    ("one is available", "luis@localhost/gone", ONE, ("error", "phone", "error", "ignored")),
    (
        "several are available",
        "luis@localhost",
        SEVERAL,
        ("phone desk", "phone desk", "error", "phone desk tv"),
    ),
    ("several are available", "luis@localhost/tv", SEVERAL, ("tv", "tv", "tv", "tv")),
    ("several are available", "luis@localhost/low", SEVERAL, ("low", "low", "low", "low")),
    ("several are available", "luis@localhost/gone", SEVERAL, ("error", "phone desk", "error", "ignored")),
    ("connected and silent", "luis@localhost", {"silent": None}, ("kept", "kept", "error", "ignored")),
    ("connected and silent", "luis@localhost/silent", {"silent": None}, ("silent",) * 4),
]

LINES = [
    pytest.param(to, there, type, fate, id=f"{type} to {to.removeprefix('luis@localhost') or 'bare'}: {case}")
    for case, to, there, fates in RULES
    for type, fate in zip(TYPES, fates, strict=True)
]


@pytest.mark.parametrize(("to", "there", "type", "fate"), LINES)
async def test_a_message_goes_where_the_table_says(
    stage: Stage, to: str, there: dict[str, int | None], type: str, fate: str
) -> None:
    await stage.account("luis")
    actors = {}
    for resource, priority in there.items():
        if priority is None:
            actors[resource] = await stage.enters("luis", resource)
        else:
            actors[resource] = await stage.comes_online("luis", resource, priority=priority)
    for actor in actors.values():
        await actor.swallows()
    ana = await stage.comes_online("ana")

    await ana.sends(f"<message to='{to}' type='{type}' id='1'><body>Hi</body></message>")

    returned = messages(await ana.swallows())
    got = {resource for resource, actor in actors.items() if messages(await actor.swallows())}
    kept = await stage.server.store.offline.count("luis@localhost")
    match fate:
        case "error":
            assert (len(returned), got, kept) == (1, set(), 0)
            error = returned[0].child("error")
            assert error is not None
            assert error.child("service-unavailable", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None
        case "ignored":
            assert (returned, got, kept) == ([], set(), 0)
        case "kept":
            assert (returned, got, kept) == ([], set(), 1)
        case _:
            assert (returned, got, kept) == ([], set(fate.split()), 0)


def messages(elements: list[Element]) -> list[Element]:
    return [element for element in elements if element.name == "message"]


@pytest.mark.parametrize("to", ["luis@localhost", "luis@localhost/gone", "nobody@localhost", "localhost"])
async def test_an_error_that_finds_nobody_is_ignored(stage: Stage, to: str) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await ana.sends(f"<message to='{to}' type='error' id='1'><error type='cancel'/></message>")

    await ana.receives_nothing()
    await luis.receives_nothing()


async def test_an_error_reaches_the_client_it_is_meant_for(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await ana.sends(f"<message to='{luis.jid}' type='error' id='1'><error type='cancel'/></message>")

    await luis.receives(
        "<message type='error' id='1' from='ana@localhost/stage' to='luis@localhost/stage'><error type='cancel'/></message>"
    )


async def test_a_message_without_an_address_goes_to_ones_own_account(stage: Stage) -> None:
    phone, desk = (
        await stage.comes_online("ana", "phone"),
        await stage.comes_online("ana", "desk", priority=1),
    )
    await phone.swallows()

    await phone.sends("<message type='chat' id='1'><body>Milk</body></message>")

    got = await desk.hears()
    assert (got.get("from"), got.get("to"), got.get("id")) == ("ana@localhost/phone", "ana@localhost", "1")


@pytest.mark.parametrize("type", TYPES)
async def test_a_message_to_the_server_itself_comes_back(stage: Stage, type: str) -> None:
    ana = await stage.comes_online("ana")

    await ana.sends(f"<message to='localhost' type='{type}' id='1'><body>Hi</body></message>")

    assert (await ana.hears()).get("type") == "error"


async def test_a_message_of_an_unknown_type_is_a_normal_one(stage: Stage) -> None:
    luis, ana = await stage.comes_online("luis"), await stage.comes_online("ana")

    await ana.sends("<message to='luis@localhost' type='love' id='1'><body>Hi</body></message>")

    got = await luis.hears()
    assert got.get("type") == ""


async def test_the_best_client_gets_it_again_when_priorities_change(stage: Stage) -> None:
    phone, desk = (
        await stage.comes_online("luis", "phone", priority=1),
        await stage.comes_online("luis", "desk"),
    )
    ana = await stage.comes_online("ana")
    await desk.sends("<presence><priority>2</priority></presence>")
    await desk.swallows()
    await phone.swallows()

    await ana.sends("<message to='luis@localhost' type='chat'><body>Hi</body></message>")

    assert (await desk.hears()).name == "message"
    await phone.receives_nothing()
