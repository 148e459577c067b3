"""A plugin that hangs, raises or answers nonsense, in any hook, delays nobody else and is named in the log."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from imserver import hookspecs, loading
from imserver.hooks import PluginError, kind_of, manner_of
from imserver.loading import find
from tests.scenes.actors import PATIENCE, Actor, Stage, staged
from tests.scenes.desk.conftest import SUPPORT

HOOKS = [name for name, one in vars(hookspecs).items() if hasattr(one, "imserver_spec")]
DECLARED = [name for name in HOOKS if kind_of(name) == "declare"]
#: While these are called, nobody is there.
BEGINNING_AND_END = ["server_starting", "server_started", "server_stopping"]
ON_THE_ROAD = [name for name in HOOKS if name not in (*DECLARED, *BEGINNING_AND_END)]

#: Breaks once, when it is told to.
BROKEN = """
import asyncio
from imserver import hookimpl

@hookimpl
{prefix}def {hook}(server):
    if server.features.pop("is armed", {is_armed}):
        server.features["is reached"] = True
        {way}
"""
WAYS = {
    "raises": ("", "raise ValueError('broken')"),
    "answers nonsense": ("", "return object()"),
    "hangs": ("async ", "await server.features.setdefault('gate', asyncio.Event()).wait()"),
}

Scene = Callable[[Stage, Actor, Actor], Awaitable[object]]


def broken(folder: Path, hook: str, way: str, *, is_armed: bool) -> Path:
    prefix, line = WAYS[way]
    file = folder / "broken.py"
    file.write_text(BROKEN.format(prefix=prefix, hook=hook, way=line, is_armed=is_armed))
    return file


@asynccontextmanager
async def on_stage(
    folder: Path, hook: str, way: str, *, is_armed: bool = False, patience: float | None = None
) -> AsyncIterator[Stage]:
    """Put a server with a desk and a broken plugin on stage."""
    (folder / "desk.toml").write_text(SUPPORT)
    overrides = {
        "desk": {"file": str(folder / "desk.toml")},
        "plugins": {"paths": [str(broken(folder, hook, way, is_armed=is_armed))]},
    }
    with pytest.MonkeyPatch.context() as patch:
        # It is asked before all others: of questions only the first answer counts.
        patch.setattr(
            loading, "find", lambda settings: sorted(find(settings), key=lambda one: one.source != "file")
        )
        async with staged(folder, overrides, patience=patience) as stage:
            yield stage


async def talk(rosa: Actor, tom: Actor) -> None:
    """Two who have nothing to do with it have a word."""
    await rosa.sends(f"<message to='{tom.jid}' type='chat'><body>Lunch?</body></message>")
    await tom.receives(
        f"<message from='{rosa.jid}' to='{tom.jid}' type='chat'><body>Lunch?</body>…</message>"
    )


def named(stage: Stage) -> set[tuple[str, str]]:
    return {(one["plugin"], one["hook"]) for one in stage.log.entries if one["event"] == "plugin failed"}


# How each hook comes to be called


def sent(xml: str) -> Scene:
    async def send(stage: Stage, ana: Actor, luis: Actor) -> None:
        await luis.sends(xml.format(ana=ana.jid))

    return send


async def arrive(stage: Stage, ana: Actor, luis: Actor) -> None:
    await stage.comes_online("eva", "new")


async def vanish(stage: Stage, ana: Actor, luis: Actor) -> None:
    await luis.vanishes()


async def heard_of(actor: Actor, address: str) -> str:
    """Wait for a message of somebody there, and say of whom it was."""
    while True:
        heard = await actor.hears()
        if heard.name == "message" and address in heard.get("from"):
            return heard.get("from").partition("/")[0]


async def attend(stage: Stage, ana: Actor, luis: Actor) -> None:
    """Have a client come, an agent accept, speak and close."""
    await luis.sends("<message to='support@desk.localhost' type='chat'><body>Hello</body></message>")
    await heard_of(ana, "support@desk.localhost")
    await ana.sends("<message to='support@desk.localhost' type='chat'><body>!accept</body></message>")
    client = await heard_of(ana, "@xmpp.localhost")
    await ana.sends(f"<message to='{client}' type='chat'><body>Hi</body></message>")
    await ana.sends(f"<message to='{client}' type='chat'><body>!close</body></message>")


CHAT = sent("<message to='{ana}' type='chat'><body>Hello</body></message>")
SLOT = sent(
    "<iq type='get' id='slot' to='upload.localhost'>"
    "<request xmlns='urn:xmpp:http:upload:0' filename='a.png' size='10'/></iq>"
)

SCENES: dict[str, Scene] = {
    "refine_message": CHAT,
    "find_records": CHAT,
    "may_talk": CHAT,
    "message_accepted": CHAT,
    "message_delivered": CHAT,
    "may_ask": sent("<iq type='get' id='1' to='{ana}'><ping xmlns='urn:xmpp:ping'/></iq>"),
    "keep_undelivered": sent("<message to='eva@localhost' type='chat'><body>Hello</body></message>"),
    "find_disco_node": sent(
        "<iq type='get' id='1' to='localhost'>"
        "<query xmlns='http://jabber.org/protocol/disco#items' node='nothing'/></iq>"
    ),
    "find_archive": sent(
        "<iq type='set' id='1'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>"
        "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
        "<field var='with'><value>eva@localhost</value></field></x></query></iq>"
    ),
    "find_largest_upload": sent(
        "<iq type='get' id='1' to='upload.localhost'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    ),
    "refine_upload": SLOT,
    "find_credentials": arrive,
    "session_opened": arrive,
    "presence_changed": arrive,
    "session_closed": vanish,
    "choose_agent": attend,
    "find_agent_name": attend,
    "find_display_name": attend,
    "client_named": sent(
        "<message to='support@desk.localhost' type='chat'><body>Hello</body>"
        "<nick xmlns='http://jabber.org/protocol/nick'>Luis</nick></message>"
    ),
    "conversation_opened": attend,
    "conversation_assigned": attend,
    "conversation_closed": attend,
}


def called(hook: str) -> Scene:
    """Call a hook as its caller does: where the way to it over the wire is long."""

    async def call(stage: Stage, ana: Actor, luis: Actor) -> None:
        context: dict[str, Any] = dict.fromkeys(inspect.signature(getattr(hookspecs, hook)).parameters)
        context["server"] = stage.server
        one = getattr(stage.server.hooks, hook)
        match kind_of(hook):
            case "refine":
                answer = one.refine(None, hook.removeprefix("refine_"), **context)
            case "ask":
                answer = one.ask(**context)
            case _:
                answer = one.announce(**context)
        if answer is not None:
            await answer

    return call


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hook", ON_THE_ROAD)
async def test_nobody_else_is_delayed(tmp_path: Path, hook: str, way: str) -> None:
    is_async = way == "hangs"
    if is_async and manner_of(getattr(hookspecs, hook)).at_once:
        with pytest.raises(PluginError, match=f"'broken'.*{hook} must not be async"):
            await on_stage(tmp_path, hook, way).__aenter__()
        return
    async with on_stage(tmp_path, hook, way) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        rosa, tom = await stage.comes_online("rosa"), await stage.comes_online("tom")
        await stage.account("eva")
        features = stage.server.features
        features["is armed"] = True

        scene = asyncio.ensure_future(SCENES.get(hook, called(hook))(stage, ana, luis))
        async with asyncio.timeout(PATIENCE / 3):
            while "is reached" not in features:
                await asyncio.sleep(0.01)

        await talk(rosa, tom)
        if is_async:
            features["gate"].set()  # it hung until now, and they did not wait
        elif not (way == "answers nonsense" and kind_of(hook) == "announce"):
            assert ("broken", hook) in named(stage)
        await talk(tom, rosa)
        scene.cancel()
        with suppress(asyncio.CancelledError, Exception):  # how it ends for those whose plugin is broken
            await scene


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hook", DECLARED)
async def test_what_can_not_be_declared_stops_the_start_and_is_named(
    tmp_path: Path, hook: str, way: str
) -> None:
    code = BROKEN.format(prefix=WAYS[way][0], hook=hook, way=WAYS[way][1], is_armed=True)
    if hook == "register_settings":  # asked before there is a server
        prefix, line = ("async ", "...") if way == "hangs" else ("", WAYS[way][1])
        code = (
            "from imserver import hookimpl\nclass Plugin:\n    @staticmethod\n    @hookimpl\n"
            f"    {prefix}def register_settings():\n        {line}\n"
        )
    file = tmp_path / "broken.py"
    file.write_text(code)

    with pytest.raises(PluginError, match=f"'broken'.*{hook}"):
        await staged(tmp_path, {"plugins": {"paths": [str(file)]}}).__aenter__()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hook", BEGINNING_AND_END)
async def test_the_server_starts_and_stops_all_the_same(tmp_path: Path, hook: str, way: str) -> None:
    async with on_stage(tmp_path, hook, way, is_armed=True, patience=0.05) as stage:
        await talk(await stage.comes_online("rosa"), await stage.comes_online("tom"))

    assert (("broken", hook) in named(stage)) == (way != "answers nonsense")
