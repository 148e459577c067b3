"""Each call of a hook, as it went: who was asked, what they answered, how long it took, and what came of it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imserver.hooks import DROP, FAILURES, Implementation, Kind, is_awaitable, kind_of
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable

#: From here on a call that everybody had to wait for is named slow, in microseconds.
SLOW: Final = 50_000.0
NOTHING: Final = "–"
VERDICTS: Final[dict[Kind, str]] = {
    "declare": "declares",
    "refine": "changes",
    "ask": "answers",
    "announce": "",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One plugin's part in one call of a hook."""

    hook: str
    plugin: str
    #: What it answered, as far as anybody may read it: never what people said, nor a secret.
    answer: str
    #: What came of it: `declares`, `changes`, `answers`, `drops`, `refuses`, `fails`, or nothing.
    verdict: str
    microseconds: float
    #: Whether it was `async`: then nobody else had to wait.
    is_async: bool

    @property
    def is_slow(self) -> bool:
        """Whether everybody had to wait for long."""
        return self.microseconds >= SLOW and not self.is_async

    def __str__(self) -> str:
        """Write it in columns."""
        note = "  SLOW: nobody was served meanwhile" if self.is_slow else "  async" if self.is_async else ""
        return (
            f"hook  {self.hook:<26} {self.plugin:<20} {self.microseconds:>9,.0f} µs  "
            f"{self.verdict or NOTHING:<8}  {self.answer}{note}"
        )


Trace = Callable[[Asked], None]


def watched(implementation: Implementation, hook: str, trace: Trace) -> Implementation:
    """Make an implementation that does the same, and tells of each call."""

    def tell(began: float, answer: object, *, is_async: bool = False) -> None:
        microseconds = (time.perf_counter() - began) * 1e6
        verdict = _verdict(kind_of(hook), answer)
        trace(Asked(hook, implementation.plugin, describe(answer), verdict, microseconds, is_async))

    def ask(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            answer = implementation.function(*arguments)
            answer = list(answer) if inspect.isgenerator(answer) else answer
        except FAILURES as error:
            tell(began, error)
            raise
        if is_awaitable(answer):
            return wait(began, answer)
        tell(began, answer)
        return answer

    async def wait(began: float, pending: Awaitable[Any]) -> Any:
        try:
            answer = await pending
        except BaseException as error:
            tell(began, error, is_async=True)
            raise
        tell(began, answer, is_async=True)
        return answer

    return Implementation(implementation.plugin, ask, implementation.pick)


def _verdict(kind: Kind, answer: object) -> str:
    match answer:
        case None:
            return ""
        case StanzaError():
            return "refuses"
        case BaseException():
            return "fails"
        case _ if answer is DROP:
            return "drops"
        case _:
            return VERDICTS[kind]


def describe(answer: object) -> str:
    """Say what an answer is, without what it says."""
    match answer:
        case None:
            return NOTHING
        case bool():
            return str(answer)
        case StanzaError():
            return f"<{answer.condition}/>"
        case Element():
            return f"<{answer.name}/>"
        case str() | bytes():
            return f"{type(answer).__name__} of {len(answer)}"
        case list() | tuple() if type(answer) in (list, tuple):
            kinds = sorted({type(one).__name__ for one in answer})
            return f"{len(answer)} × {' | '.join(kinds)}" if answer else "none"
        case _ if answer is DROP:
            return "DROP"
        case _:
            return type(answer).__name__
