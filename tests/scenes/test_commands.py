"""XEP-0050, as clients see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imserver.features import commands
from imserver.hooks import PluginError
from imserver.xmpp.element import Element
from tests.scenes.actors import Actor, Stage, staged

NS = "http://jabber.org/protocol/commands"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"

PLUGIN = """
from imserver import StanzaError, hookimpl
from imserver.features.commands import Command, Note, Outcome
from imserver.xmpp.forms import Field, Form

def where(request):
    return Form((Field("town", required=True, label=f"And where does {request.answers.text('name')} live?"),))

async def remember(request):
    if request.answers.text("town") == "nowhere":
        raise StanzaError("not-acceptable", "Nobody lives nowhere")
    told = f"{request.answers.text('name')} lives in {request.answers.text('town')}"
    return Outcome((Note(told), Note("or so they say", "warn")), Form((Field("done", "boolean", value=True),)))

def hello(request):
    return Outcome((Note(f"Hello {request.asker.local}"),))

@hookimpl
def register_commands():
    return [
        Command("urn:example:hello", "Say hello", hello),
        Command("urn:example:live", "Where people live", remember, (Form((Field("name", required=True),)), where)),
        Command("urn:example:secret", "For luis", hello, may_run=lambda server, asker: asker.local == "luis"),
    ]
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A server with a plugin that has commands."""
    file = tmp_path / "people.py"
    file.write_text(PLUGIN)
    async with staged(tmp_path / "data", {"plugins": {"paths": [str(file)]}}) as one:
        yield one


def running(node: str, *, action: str = "", session: str = "", form: str = "", id: str = "1") -> str:
    more = (f" action='{action}'" if action else "") + (f" sessionid='{session}'" if session else "")
    return f"<iq type='set' id='{id}' to='localhost'><command xmlns='{NS}' node='urn:example:{node}'{more}>{form}</command></iq>"


def filled(**fields: str) -> str:
    inside = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in fields.items())
    return f"<x xmlns='jabber:x:data' type='submit'>{inside}</x>"


def command(answer: Element) -> Element:
    found = answer.child("command", NS)
    assert found is not None, answer
    return found


async def begins(actor: Actor) -> str:
    return command(await actor.asks(running("live"))).get("sessionid")


async def test_everybody_sees_the_commands_they_may_run(ana: Actor, luis: Actor) -> None:
    asked = f"<iq type='get' id='1' to='localhost'><query xmlns='{ITEMS}' node='{NS}'/></iq>"

    await ana.sends(asked)
    await ana.receives(
        f"<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><query xmlns='{ITEMS}' node='{NS}'>"
        "<item jid='localhost' node='urn:example:hello' name='Say hello'/>"
        "<item jid='localhost' node='urn:example:live' name='Where people live'/></query></iq>"
    )
    assert "node='urn:example:secret'" in str(await luis.asks(asked))


async def test_a_command_says_what_it_is(ana: Actor) -> None:
    await ana.sends(
        f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}' node='urn:example:hello'/></iq>"
    )

    await ana.receives(
        "<iq type='result' id='1' from='localhost' to='ana@localhost/stage'>"
        f"<query xmlns='{INFO}' node='urn:example:hello'>"
        "<identity category='automation' type='command-node' name='Say hello'/>"
        f"<feature var='{NS}'/><feature var='jabber:x:data'/></query></iq>"
    )


async def test_the_list_of_commands_says_what_it_is(ana: Actor) -> None:
    answer = await ana.asks(f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}' node='{NS}'/></iq>")

    assert "<identity category='automation' type='command-list' " in str(answer)


async def test_a_command_has_no_items(ana: Actor) -> None:
    answer = await ana.asks(
        f"<iq type='get' id='1' to='localhost'><query xmlns='{ITEMS}' node='urn:example:hello'/></iq>"
    )

    assert answer.elements() == [Element("query", ITEMS, {"node": "urn:example:hello"})]


async def test_what_one_may_not_run_one_may_not_ask_about(ana: Actor) -> None:
    answer = await ana.asks(
        f"<iq type='get' id='1' to='localhost'><query xmlns='{INFO}' node='urn:example:secret'/></iq>"
    )

    assert "<forbidden " in str(answer)


async def test_a_command_without_a_form_is_done_at_once(ana: Actor) -> None:
    await ana.sends(running("hello"))

    await ana.receives(
        f"<iq type='result' id='1' from='localhost' to='ana@localhost/stage'><command xmlns='{NS}'"
        " node='urn:example:hello' sessionid='…' status='completed'><note type='info'>Hello ana</note></command></iq>"
    )


async def test_form_after_form_is_filled_in_and_the_command_done(ana: Actor) -> None:
    first = await ana.asks(running("live", action="execute"))
    session = command(first).get("sessionid")
    await ana.sends(running("live", session=session, form=filled(name="Eva"), id="2"))
    await ana.receives(
        f"<iq type='result' id='2' from='localhost' to='ana@localhost/stage'><command xmlns='{NS}'"
        f" node='urn:example:live' sessionid='{session}' status='executing'>"
        "<actions execute='complete'><prev/><complete/></actions><x xmlns='jabber:x:data' type='form'>"
        "<field var='town' type='text-single' label='And where does Eva live?'><required/></field></x></command></iq>"
    )

    await ana.sends(running("live", session=session, action="complete", form=filled(town="Lima"), id="3"))

    await ana.receives(
        f"<iq type='result' id='3' from='localhost' to='ana@localhost/stage'><command xmlns='{NS}'"
        f" node='urn:example:live' sessionid='{session}' status='completed'>"
        "<note type='info'>Eva lives in Lima</note><note type='warn'>or so they say</note>"
        "<x xmlns='jabber:x:data' type='result'><field var='done' type='boolean'><value>1</value></field></x>"
        "</command></iq>"
    )
    assert "<actions execute='next'><next/></actions>" in str(first)


async def test_one_can_go_back_and_answer_otherwise(ana: Actor) -> None:
    session = await begins(ana)
    await ana.asks(running("live", session=session, action="next", form=filled(name="Eva")))

    back = await ana.asks(running("live", session=session, action="prev"))
    await ana.asks(running("live", session=session, action="next", form=filled(name="Noa")))
    done = await ana.asks(running("live", session=session, action="execute", form=filled(town="Lima")))

    assert "<field var='name' " in str(back)
    assert "Noa lives in Lima" in str(done)


async def test_a_cancelled_command_is_over(ana: Actor) -> None:
    session = await begins(ana)

    cancelled = await ana.asks(running("live", session=session, action="cancel"))
    gone = await ana.asks(running("live", session=session, action="next", form=filled(name="Eva")))

    assert command(cancelled).get("status") == "canceled"
    assert "<bad-sessionid " in str(gone)


async def test_a_finished_command_is_over(ana: Actor) -> None:
    session = await begins(ana)
    await ana.asks(running("live", session=session, form=filled(name="Eva")))
    await ana.asks(running("live", session=session, form=filled(town="Lima")))

    assert "<bad-sessionid " in str(
        await ana.asks(running("live", session=session, form=filled(town="Lima")))
    )


async def test_what_was_refused_can_be_filled_in_better(ana: Actor) -> None:
    session = await begins(ana)
    empty = await ana.asks(running("live", session=session))
    await ana.asks(running("live", session=session, form=filled(name="Eva")))
    refused = await ana.asks(running("live", session=session, form=filled(town="nowhere")))

    done = await ana.asks(running("live", session=session, form=filled(town="Lima")))

    assert "<bad-payload " in str(empty)
    assert "<not-acceptable " in str(refused)
    assert "Eva lives in Lima" in str(done)


@pytest.mark.parametrize("action", ["prev", "complete"])
async def test_an_action_that_was_not_offered_is_refused(ana: Actor, action: str) -> None:
    session = await begins(ana)

    await ana.sends(running("live", session=session, action=action, form=filled(name="Eva")))

    await ana.receives(
        f"<iq type='error' id='1' from='localhost' to='ana@localhost/stage'>…<error type='modify'>…"
        "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        f"<bad-action xmlns='{NS}'/></error></iq>"
    )


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (running("nothing"), "<item-not-found "),
        (running("secret"), "<forbidden "),
        (running("live", action="dance"), "<malformed-action "),
        (running("live", action="next"), "<bad-action "),
        (running("live", action="cancel"), "<bad-action "),
        (running("live", session="invented"), "<bad-sessionid "),
    ],
)
async def test_nonsense_is_refused_by_its_name(ana: Actor, asked: str, condition: str) -> None:
    assert condition in str(await ana.asks(asked))


async def test_nobody_goes_on_with_what_somebody_else_began(stage: Stage, ana: Actor, luis: Actor) -> None:
    session = await begins(ana)
    other = await stage.comes_online("ana", "other")

    for intruder in (luis, other):
        refused = await intruder.asks(running("live", session=session, action="cancel"))
        assert "<bad-sessionid " in str(refused)
    assert "status='executing'" in str(
        await ana.asks(running("live", session=session, form=filled(name="Eva")))
    )


async def test_a_session_belongs_to_its_command(ana: Actor) -> None:
    session = await begins(ana)

    assert "<bad-sessionid " in str(await ana.asks(running("hello", session=session)))


async def test_session_ids_cannot_be_guessed(ana: Actor) -> None:
    ids = {await begins(ana) for _ in range(5)}

    assert len(ids) == 5
    assert min(map(len, ids)) >= 22


async def test_opening_too_many_forms_closes_the_oldest(ana: Actor) -> None:
    sessions = [await begins(ana) for _ in range(commands.MOST_OPEN + 1)]

    oldest = await ana.asks(running("live", session=sessions[0], form=filled(name="Eva")))
    newest = await ana.asks(running("live", session=sessions[-1], form=filled(name="Eva")))

    assert "<bad-sessionid " in str(oldest)
    assert command(newest).get("status") == "executing"


async def test_a_form_that_lay_open_too_long_has_expired(ana: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await begins(ana)
    monkeypatch.setattr(commands, "PATIENCE", -1.0)

    refused = await ana.asks(running("live", session=session, form=filled(name="Eva")))

    assert f"<session-expired xmlns='{NS}'/>" in str(refused)
    assert "<not-allowed " in str(refused)


async def test_a_cancelled_form_counts_as_submitted(ana: Actor) -> None:
    session = await begins(ana)
    form = filled(name="Eva").replace("submit", "cancel")

    assert "And where does Eva live?" in str(await ana.asks(running("live", session=session, form=form)))


async def test_two_commands_of_one_name_stop_the_start(tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        paths.append(str(tmp_path / f"{name}.py"))
        (tmp_path / f"{name}.py").write_text(PLUGIN)

    with pytest.raises(PluginError, match="'one' and 'two' both have a command"):
        async with staged(tmp_path / "more", {"plugins": {"paths": paths}}):
            pass
