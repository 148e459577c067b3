"""Who waits, in what order, for whom, and what they are told meanwhile."""

from __future__ import annotations

import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, accepts, attends, bodies, heard, offer_in, says

QUEUE = "support@desk.localhost"
SALES = "sales@desk.localhost"


@pytest.fixture
async def tea(stage: DeskStage) -> Actor:
    """Another client."""
    return await stage.comes_online("tea")


async def writes(stage: DeskStage, client: Actor, words: str = "hello", to: str = QUEUE) -> list[str]:
    """Have a client write to a queue; return what the client is told."""
    await says(client, to, words)
    await stage.settles()
    return bodies(await client.swallows())


def offered(received: list[Element]) -> str:
    """Tell who is offered, by the first word of the offer."""
    return bodies([offer_in(received)])[0].split()[0]


async def test_whoever_comes_when_nobody_is_there_is_told_and_kept(stage: DeskStage, luis: Actor) -> None:
    told = await writes(stage, luis, "anybody?")

    assert told == [
        "Welcome to Support.",
        "Nobody is here right now. Your message is kept, and answered as soon as somebody is back.",
    ]
    ana = await stage.begins_work("ana")
    assert "> anybody?" in bodies([offer_in(await ana.swallows())])[0]


async def test_two_messages_of_a_new_client_together_make_one_conversation(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    await luis.sends(
        f"<message to='{QUEUE}' type='chat'><body>one</body></message>"
        f"<message to='{QUEUE}' type='chat'><body>two</body></message>"
    )
    await luis.swallows()

    await accepts(stage, ana)

    assert heard(await ana.swallows())[-2:] == ["one", "two"]
    assert len(stage.desk.floor.conversations) == 1


@pytest.mark.desk("agent_capacity = 1")
async def test_first_come_first_served(stage: DeskStage, luis: Actor, tea: Actor) -> None:
    await writes(stage, luis)
    await stage.passes(5)
    await writes(stage, tea)

    ana = await stage.begins_work("ana")

    assert offered(await ana.swallows()) == "luis@localhost"


@pytest.mark.desk("agent_capacity = 1")
async def test_an_agent_has_as_many_as_fit_and_the_next_one_afterwards(
    stage: DeskStage, ana: Actor, luis: Actor, tea: Actor
) -> None:
    client = await attends(stage, ana, luis)
    assert (await writes(stage, tea))[1:] == ["You are number 1 in the queue."]
    await ana.receives_nothing()

    await says(ana, client, "!close")

    assert offered(await ana.swallows()) == "tea@localhost"


@pytest.mark.desk('capacity = 1\n[queues.support.agents."eva@localhost"]\ncapacity = 3')
async def test_a_queue_serves_as_many_as_it_may(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor, tea: Actor
) -> None:
    await attends(stage, ana, luis)
    await writes(stage, tea)

    await ana.receives_nothing()
    await eva.receives_nothing()


@pytest.mark.desk("agent_capacity = 1\nposition_seconds = 60")
async def test_those_who_wait_are_told_when_their_position_changes(
    stage: DeskStage, ana: Actor, luis: Actor, tea: Actor
) -> None:
    zoe = await stage.comes_online("zoe")
    client = await attends(stage, ana, luis)
    await writes(stage, tea)
    assert await writes(stage, zoe) == ["Welcome to Support.", "You are number 2 in the queue."]
    await stage.passes(60)
    assert not bodies(await zoe.swallows())

    await says(ana, client, "!close")
    await accepts(stage, ana)
    await stage.passes(60)

    assert bodies(await zoe.swallows()) == ["You are number 1 in the queue; it takes about 1 min."]


@pytest.mark.desk(
    'skills = { billing = 3 }\nrelax_after_seconds = 60\n[queues.support.agents."ana@localhost"]\nskills = { billing = 1 }'
)
async def test_less_is_wanted_of_an_agent_with_time(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await writes(stage, luis)

    await stage.passes(119)
    await ana.receives_nothing()

    await stage.passes(1)
    assert offered(await ana.swallows()) == "luis@localhost"


@pytest.mark.desk("delay_seconds = 30")
async def test_a_client_waits_as_long_as_the_queue_wants(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    await writes(stage, luis)
    await ana.receives_nothing()

    await stage.passes(30)

    assert offered(await ana.swallows()) == "luis@localhost"


@pytest.mark.desk(
    'agent_capacity = 1\n[queues.sales]\nmembers = ["ana@localhost"]\nagent_capacity = 1\npriority = 1'
)
async def test_the_more_important_queue_is_first(stage: DeskStage, luis: Actor, tea: Actor) -> None:
    await writes(stage, luis)
    await stage.passes(60)
    await writes(stage, tea, to=SALES)

    ana = await stage.begins_work("ana")

    assert offered(await ana.swallows()) == "tea@localhost"


@pytest.mark.desk("reopen_seconds = 0")
async def test_a_client_who_returns_is_offered_to_the_agent_who_knows_them(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await stage.passes(10)
    await says(ana, client, "!close")
    await stage.passes(10)
    await ana.swallows()

    await writes(stage, luis, "me again")

    assert offered(await ana.swallows()) == "luis@localhost"
    await eva.receives_nothing()


@pytest.mark.desk("reopen_seconds = 0\nprefer_seconds = 60\nagent_capacity = 1")
async def test_that_agent_is_waited_for_a_while(
    stage: DeskStage, ana: Actor, eva: Actor, luis: Actor, tea: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!close")
    await says(eva, QUEUE, "!pause")
    await stage.passes(10)
    await ana.swallows()
    await attends(stage, ana, tea)
    await says(eva, QUEUE, "!ready")
    await eva.swallows()

    await writes(stage, luis, "me again")
    await stage.passes(59)
    await eva.receives_nothing()
    await stage.passes(1)

    assert offered(await eva.swallows()) == "luis@localhost"


@pytest.mark.desk(
    'overflow_queue = "backup"\noverflow_after_seconds = 120\n[queues.backup]\ntitle = "Backup"\nmembers = ["zoe@localhost"]'
)
async def test_whoever_waits_too_long_goes_to_another_queue_and_notices_nothing(
    stage: DeskStage, luis: Actor
) -> None:
    zoe = await stage.comes_online("zoe")
    await writes(stage, luis)
    await stage.passes(119)
    await zoe.receives_nothing()

    await stage.passes(1)
    await accepts(stage, zoe)

    assert heard(await zoe.swallows())[-1] == "hello"
    assert {one.get("from") for one in await luis.swallows() if one.name == "message"} == {QUEUE}


async def test_an_unknown_queue_is_refused_with_those_there_are(stage: DeskStage, luis: Actor) -> None:
    await luis.sends("<message to='suport@desk.localhost' type='chat' id='1'><body>hi</body></message>")

    (refusal,) = await luis.swallows()

    assert refusal.get("type") == "error"
    assert "there are: support@desk.localhost" in str(refusal)


async def test_a_typing_client_is_nobodys_conversation(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
    await luis.sends(f"<message to='{QUEUE}' type='chat'>{state}</message>")

    await luis.receives_nothing()
    await ana.receives_nothing()
