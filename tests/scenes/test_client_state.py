"""XEP-0352, as clients see it."""

from tests.scenes.actors import Actor, Stage
from tests.scenes.doors import eventually

CSI = "urn:xmpp:csi:0"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


async def test_it_is_offered(stage: Stage) -> None:
    luis = await stage.logs_in("luis")

    assert luis.features is not None
    assert luis.features.child("csi", CSI) is not None


async def look_away(stage: Stage, luis: Actor) -> None:
    await luis.sends(f"<inactive xmlns='{CSI}'/>")
    await stage.settles()
    # A ping's answer is urgent and brings what waits along: look at the session instead.
    session = stage.server.sessions.find(luis.jid)
    assert session is not None
    await eventually(lambda: not session.is_looked_at)


async def test_typing_waits_until_somebody_looks(stage: Stage, ana: Actor, luis: Actor) -> None:
    await look_away(stage, luis)
    await ana.sends(f"<message to='luis@localhost/stage' type='chat'>{STATE}</message>")
    await ana.swallows()
    session = stage.server.sessions.find(luis.jid)
    assert session is not None
    assert len(session.held) == 1

    await luis.sends(f"<active xmlns='{CSI}'/>")

    await luis.receives(
        f"<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'>{STATE}</message>"
    )


async def test_a_message_does_not_wait_and_brings_what_waited_before_it(
    stage: Stage, ana: Actor, luis: Actor
) -> None:
    await look_away(stage, luis)
    await ana.sends(f"<message to='luis@localhost/stage' type='chat'>{STATE}</message>")
    await ana.sends("<message to='luis@localhost/stage' type='chat'><body>Hi</body></message>")

    await luis.receives(
        f"<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'>{STATE}</message>"
    )
    await luis.receives(
        "<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'><body>Hi</body>…</message>"
    )


async def test_of_several_presences_only_the_newest_is_kept(stage: Stage) -> None:
    await stage.friends("ana", "luis")
    luis = await stage.comes_online("luis")
    ana = await stage.comes_online("ana")
    await luis.swallows()
    await look_away(stage, luis)

    for show in ("away", "dnd", "xa"):
        await ana.sends(f"<presence><show>{show}</show></presence>")
    await ana.swallows()
    await luis.sends(f"<active xmlns='{CSI}'/>")

    shown = [one.child("show") for one in await luis.swallows() if one.name == "presence"]
    assert [show.text for show in shown if show is not None] == ["xa"]


async def test_what_waited_comes_with_the_resumption(stage: Stage, ana: Actor) -> None:
    luis = await stage.comes_online("luis")
    await luis.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    token = (await luis.hears()).get("id")
    await look_away(stage, luis)
    await ana.sends(f"<message to='luis@localhost/stage' type='chat'>{STATE}</message>")
    await ana.swallows()

    await luis.vanishes()
    luis = await stage.logs_in("luis")
    await luis.sends(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>")

    await luis.receives(f"<resumed xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>")
    await luis.receives(
        f"<message from='ana@localhost/stage' to='luis@localhost/stage' type='chat'>{STATE}</message>"
    )
