"""`IMSERVER_TRACE_HOOKS=1`: who was asked, what came of it, and nothing of what people say."""

from pathlib import Path
from typing import Any

import pytest
import structlog

from imserver import hookspecs
from imserver.hooks import DROP, Hooks, hookimpl
from imserver.main import make_log
from imserver.settings import Settings
from imserver.tracing import Asked, describe
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from tests.scenes.actors import staged


async def test_each_call_is_told_and_who_answered(tmp_path: Path) -> None:
    asked: list[Asked] = []

    async with staged(tmp_path, {}, trace=asked.append) as stage:
        ana, luis = await stage.comes_online("ana"), await stage.comes_online("luis")
        asked.clear()
        await ana.sends("<message to='luis@localhost' type='chat'><body>a secret</body></message>")
        await luis.hears()

    told = [(one.hook, one.plugin, one.verdict, one.answer) for one in asked]
    assert ("refine_message", "stanza_ids", "", "–") in told
    assert ("find_records", "archive", "answers", "1 × ArchiveRow") in told
    assert all(one.microseconds > 0 for one in asked)
    assert "secret" not in "".join(map(str, asked))


async def test_waiting_is_told_and_a_failure_too(tmp_path: Path) -> None:
    plugin = tmp_path / "odd.py"
    plugin.write_text(
        "from imserver import StanzaError, hookimpl\n"
        "@hookimpl\n"
        "async def refine_message(message):\n"
        "    if message.body == 'refuse': raise StanzaError('forbidden', 'what was said')\n"
        "    raise ValueError('what was said')\n"
    )
    asked: list[Asked] = []

    async with staged(tmp_path, {"plugins": {"paths": [str(plugin)]}}, trace=asked.append) as stage:
        ana = await stage.comes_online("ana")
        for body in ("refuse", "fail"):
            await ana.sends(f"<message to='luis@localhost' type='chat'><body>{body}</body></message>")
            await ana.hears()

    told = [(one.verdict, one.answer, one.is_async) for one in asked if one.plugin == "odd"]
    assert told == [("refuses", "<forbidden/>", True), ("fails", "ValueError", True)]


def test_it_is_written_in_columns() -> None:
    line = str(Asked("refine_message", "spell_out", "Message", "changes", 31.4, False))

    assert line == "hook  refine_message             spell_out                   31 µs  changes   Message"


def test_a_slow_call_that_stopped_everybody_is_marked() -> None:
    assert "SLOW" in str(Asked("refine_message", "spell_out", "–", "", 60_000, False))
    assert "SLOW" not in str(Asked("refine_message", "spell_out", "–", "", 60_000, True))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "–"),
        (False, "False"),
        (DROP, "DROP"),
        ("hello", "str of 5"),
        (b"key", "bytes of 3"),
        ([], "none"),
        (["a", "b"], "2 × str"),
        (("a", 1), "2 × int | str"),
        (Element("vcard", "urn:x").add("Ana"), "<vcard/>"),
        (StanzaError("forbidden", "Ana said no"), "<forbidden/>"),
        (ValueError("Ana"), "ValueError"),
        (42, "int"),
    ],
)
def test_what_is_answered_is_named_but_not_quoted(answer: object, said: str) -> None:
    assert describe(answer) == said


def test_without_a_trace_nothing_stands_between() -> None:
    class Plugin:
        @hookimpl
        def refine_message(self) -> None: ...

    plugin = Plugin()
    hooks = Hooks(hookspecs, structlog.get_logger())
    hooks.register(plugin, "plain")
    hooks.bind()

    (implementation,) = hooks.refine_message._implementations
    assert implementation.function == plugin.refine_message


def test_the_log_does_not_show_what_was_in_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    log: Any = make_log(Settings())

    def fail(body: str) -> None:
        raise ValueError

    try:
        fail("what people" + " said")
    except ValueError as error:
        log.error("plugin failed", exc_info=error)

    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "what people said" not in shown
