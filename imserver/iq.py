"""One question, one answer: what a plugin says about the IQs it serves (RFC 6120, 8.2.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, Final, Literal

from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.stanza import IQ, child_key

if TYPE_CHECKING:
    from imserver.server import Server

Answer = Element | IQ | None
Answerer = Callable[["Server", IQ], Answer | Awaitable[Answer]]


class Target(Flag):
    """Whom a question may be addressed to."""

    #: The server: `example.com`.
    SERVER = auto()
    #: The asker's own account: no address, or `ana@example.com` asked by ana.
    ACCOUNT = auto()
    #: Somebody else's account here; the server answers for it (RFC 6120, 10.3.3).
    CONTACT = auto()


ANYWHERE: Final = Target.SERVER | Target.ACCOUNT | Target.CONTACT


@dataclass(frozen=True, slots=True)
class IQHandler:
    """Who answers which question; the answer is the payload of the result, or a whole result."""

    type: Literal["get", "set"]
    namespace: str
    name: str
    answer: Answerer
    target: Target
    #: What service discovery shows besides the namespace itself.
    features: tuple[str, ...] = ()


def iq_handler(
    type: Literal["get", "set"], namespace: str, name: str, *, target: Target, features: Iterable[str] = ()
) -> Callable[[Answerer], IQHandler]:
    """Turn a function `(server, iq) -> Element | None` into the handler of one question."""

    def decorate(function: Answerer) -> IQHandler:
        return IQHandler(type, namespace, name, function, target, tuple(features))

    return decorate


class IQTable:
    """All handlers of one address space: the server's own, or a component's."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str, Target], tuple[str, IQHandler]] = {}
        self._advertised: list[tuple[Target, str]] = []

    def add(self, plugin: str, handler: IQHandler) -> None:
        """Add a handler.

        Raises:
            ValueError: If there is one for the same question already; both plugins are named.
        """
        key = child_key(handler.name, handler.namespace)
        for target in handler.target:
            taken = self._handlers.setdefault((handler.type, key, target), (plugin, handler))
            if taken[1] is not handler:
                raise ValueError(
                    f"plugins {taken[0]!r} and {plugin!r} both answer iq-{handler.type} <{handler.name}/>"
                    f" in {handler.namespace}"
                )

    def find(self, iq: IQ, target: Target) -> IQHandler:
        """Find who answers.

        Raises:
            StanzaError: If nobody does.
        """
        if (found := self._handlers.get((iq.type, iq.query_key, target))) is not None:
            return found[1]
        other = "get" if iq.type == "set" else "set"
        if (other, iq.query_key, target) in self._handlers:
            raise StanzaError("bad-request", f"That is asked with an IQ of type {other}")
        # RFC 6120, 8.4: the namespace is not understood.
        raise StanzaError("service-unavailable")

    def advertise(self, target: Target, namespace: str) -> None:
        """Show something in service discovery that no handler stands for."""
        self._advertised.append((target, namespace))

    def features(self, target: Target) -> list[str]:
        """List what service discovery shows of such an address: what has a handler, or was advertised."""
        shown: dict[str, None] = {}
        for (_, _, where), (_, handler) in self._handlers.items():
            if where is target:
                shown |= dict.fromkeys((handler.namespace, *handler.features))
        shown |= {namespace: None for where, namespace in self._advertised if target in where}
        return sorted(shown)


def as_result(iq: IQ, answer: Any) -> IQ:
    """Make the result stanza of what a handler returned."""
    return answer if isinstance(answer, IQ) else iq.result(answer)
