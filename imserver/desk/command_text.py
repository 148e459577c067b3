"""Commands in text: what works from any client."""

from __future__ import annotations

from imserver.desk.commands import COMMANDS, Actions, Caller, Errand, Misused, run, unknown
from imserver.desk.phrases import say
from imserver.desk.relay import command_line


async def answer_text(actions: Actions, caller: Caller, text: str, *, prefix: str) -> str:
    """Do what a text from an agent commands, and return the answer: text of which `Outward.of` let nothing out."""
    line = command_line(text, prefix)
    if line is None:
        return say("command_inside", caller.lang, prefix=prefix)
    name, rest = _split(line)
    command = COMMANDS.get(name.casefold())
    if command is None:
        return unknown(caller.lang, name, prefix)
    try:
        given = command.read(rest)
    except Misused:
        return say("usage", caller.lang, usage=command.usage(caller.lang, prefix))
    return await run(command, Errand(actions, caller, given, prefix))


def _split(line: str) -> tuple[str, str]:
    name, *rest = line.split(maxsplit=1) or [""]
    return name, rest[0] if rest else ""
