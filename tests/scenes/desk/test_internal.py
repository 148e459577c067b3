"""Notes and commands stay among agents, whatever way they could go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, attends, bodies, on_stage, says
from tests.scenes.desk.test_menus import runs

QUEUE = "support@desk.localhost"
SECRET = "he never pays"


def correction(of: str, text: str) -> str:
    return f"<body>{text}</body><replace xmlns='urn:xmpp:message-correct:0' id='{of}'/>"


def reply(of: str, quote: str, text: str) -> str:
    quoted = f"&gt; {quote}\n"
    length = len(quote) + 3
    return (
        f"<body>{quoted}{text}</body><reply xmlns='urn:xmpp:reply:0' to='ana@localhost' id='{of}'/>"
        f"<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='{length}'/></fallback>"
    )


#: What an agent's client may make of the note `n1`, and of `a1`, which the client has got.
ROADS = {
    "the note": f"<body>!note {SECRET}</body>",
    "behind blanks": f"<body> \u200b!note {SECRET}</body>",
    "on the second line": f"<body>just a moment\n!note {SECRET}</body>",
    "quoted": f"<body>&gt; !note {SECRET}</body>",
    "mistyped": f"<body>!onte {SECRET}</body>",
    "as a subject": f"<subject>!note {SECRET}</subject>",
    "in other words for others": f"<body>!note x</body><body xml:lang='es'>{SECRET}</body>",
    "rich": f"<body>!note x</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body>{SECRET}</body></html>",
    "a file's description": "<x xmlns='jabber:x:oob'><url>https://a.example/</url>"
    f"<desc>!note {SECRET}</desc></x>",
    "the note corrected": correction("n1", f"!note {SECRET} on time"),
    "the note corrected into words": correction("n1", f"{SECRET} on time"),
    "the note retracted": "<retract xmlns='urn:xmpp:message-retract:1' id='n1'/>",
    "a reaction to the note": "<reactions xmlns='urn:xmpp:reactions:0' id='n1'><reaction>😡</reaction></reactions>",
    "the note displayed": "<displayed xmlns='urn:xmpp:chat-markers:0' id='n1'/>",
    "words corrected into a note": correction("a1", f"!note {SECRET}"),
    "marked as internal": f"<body>{SECRET}</body><internal xmlns='urn:imserver:desk:internal'/>",
}


@pytest.mark.parametrize("payload", ROADS.values(), ids=ROADS.keys())
async def test_nothing_of_it_gets_to_the_client(
    stage: DeskStage, ana: Actor, luis: Actor, payload: str
) -> None:
    phone = await stage.comes_online("luis", "phone")
    await phone.asks("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    client = await attends(stage, ana, luis)
    await says(ana, client, "welcome", id="a1")
    await says(ana, client, f"!note {SECRET}", id="n1")
    await luis.swallows()
    await phone.swallows()

    await ana.sends(f"<message to='{client}' type='chat' id='n2'>{payload}</message>")
    await ana.swallows()

    await luis.receives_nothing()
    await phone.receives_nothing()
    await luis.sends("<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'/></iq>")
    assert not any(SECRET in str(one) for one in await luis.swallows())
    history = await stage.server.store.archive.page(client, limit=50)
    assert not any(SECRET.encode() in row.stanza for row in history.rows)


async def test_what_is_answered_to_a_note_goes_without_it(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, f"!note {SECRET}", id="n1")
    await ana.sends(
        f"<message to='{client}' type='chat' id='a2'>{reply('n1', f'!note {SECRET}', 'please pay')}</message>"
    )

    await luis.receives(
        f"<message from='{QUEUE}' to='{luis}' type='chat' id='a2'><body>please pay</body>…</message>"
    )


async def test_a_correction_right_behind_its_note_does_not_overtake_it(
    stage: DeskStage, ana: Actor, luis: Actor
) -> None:
    client = await attends(stage, ana, luis)
    await ana.sends(
        f"<message to='{client}' type='chat' id='n1'><body>!note {SECRET}</body></message>"
        f"<message to='{client}' type='chat' id='n2'>{correction('n1', SECRET)}</message>"
    )
    await ana.swallows()

    await luis.receives_nothing()
    assert SECRET.encode() not in b"".join(
        row.stanza for row in (await stage.server.store.archive.page(client, limit=50)).rows
    )


async def test_a_note_is_one_after_a_restart_too(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('[queues.support]\nmembers = ["ana@localhost"]')
    async with on_stage(tmp_path, file) as stage:
        client = await attends(
            stage, await stage.comes_online("ana"), luis := await stage.comes_online("luis")
        )
        ana = stage.actors[0]
        await says(ana, client, f"!note {SECRET}", id="n1")
        await says(ana, client, "welcome", id="a1")
    async with on_stage(tmp_path, file) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        for of, text in (("n1", SECRET), ("a1", "welcome back")):
            await ana.sends(f"<message to='{client}' type='chat' id='n2'>{correction(of, text)}</message>")
        await ana.swallows()

        assert bodies(await luis.swallows()) == ["welcome back"]


async def test_a_command_chosen_from_a_menu(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await runs(ana, client, "note", text=SECRET)

    notes = await stage.server.store.desk.notes_of(client.partition("@")[0])
    assert [note.text for note in notes] == [SECRET]
    await luis.receives_nothing()


async def test_the_prefix_twice_stands_for_itself(stage: DeskStage, ana: Actor, luis: Actor) -> None:
    client = await attends(stage, ana, luis)
    await says(ana, client, "!!important")
    await says(ana, client, "wow!")

    assert bodies(await luis.swallows()) == ["!important", "wow!"]
