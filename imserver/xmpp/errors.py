"""Refusals, by the names they have on the wire (RFC 6120, 4.9, 6.5 and 8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from imserver.xmpp import namespaces
from imserver.xmpp.element import Element

if TYPE_CHECKING:
    from collections.abc import Mapping

# RFC 6120, 8.3.3: each defined condition with the type the RFC recommends for it.
STANZA_CONDITIONS: Final[Mapping[str, str]] = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}

# RFC 6120, 4.9.3.
STREAM_CONDITIONS: Final = frozenset(
    {
        "bad-format",
        "bad-namespace-prefix",
        "conflict",
        "connection-timeout",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "invalid-from",
        "invalid-namespace",
        "invalid-xml",
        "not-authorized",
        "not-well-formed",
        "policy-violation",
        "remote-connection-failed",
        "reset",
        "resource-constraint",
        "restricted-xml",
        "see-other-host",
        "system-shutdown",
        "undefined-condition",
        "unsupported-encoding",
        "unsupported-feature",
        "unsupported-stanza-type",
        "unsupported-version",
    }
)

# RFC 6120, 6.5.
SASL_CONDITIONS: Final = frozenset(
    {
        "aborted",
        "account-disabled",
        "credentials-expired",
        "encryption-required",
        "incorrect-encoding",
        "invalid-authzid",
        "invalid-mechanism",
        "malformed-request",
        "mechanism-too-weak",
        "not-authorized",
        "temporary-auth-failure",
    }
)


class StanzaError(Exception):
    """The answer to one stanza that can't be served; the stream goes on (RFC 6120, 8.3)."""

    def __init__(
        self, condition: str, text: str = "", *, type: str | None = None, application: Element | None = None
    ) -> None:
        super().__init__(condition, text)
        self.condition = condition
        self.text = text
        self.type = type or STANZA_CONDITIONS[condition]
        self.application = application

    def __str__(self) -> str:
        return f"{self.condition}: {self.text}" if self.text else self.condition

    def to_element(self) -> Element:
        """Write the error as the child of an error stanza."""
        error = Element("error", namespaces.CLIENT, {"type": self.type})
        error.add(Element(self.condition, namespaces.STANZAS))
        if self.text:
            error.add(Element("text", namespaces.STANZAS, {"xml:lang": "en"}, text=self.text))
        if self.application is not None:
            error.add(self.application)
        return error

    @classmethod
    def from_element(cls, error: Element) -> Self:
        """Read somebody's error; an unknown condition becomes `undefined-condition`."""
        names = [child.name for child in error.elements() if child.namespace == namespaces.STANZAS]
        condition = next((name for name in names if name in STANZA_CONDITIONS), "undefined-condition")
        text = error.child("text", namespaces.STANZAS)
        return cls(condition, text.text if text is not None else "", type=error.get("type") or None)


class StreamError(Exception):
    """The end of a stream, and why (RFC 6120, 4.9)."""

    def __init__(self, condition: str, text: str = "", *, application: Element | None = None) -> None:
        if condition not in STREAM_CONDITIONS:
            raise ValueError(f"RFC 6120 knows no stream error {condition!r}")
        super().__init__(condition, text)
        self.condition = condition
        self.text = text
        self.application = application

    def __str__(self) -> str:
        return f"{self.condition}: {self.text}" if self.text else self.condition

    def to_element(self) -> Element:
        """Write the error as a child of the stream."""
        error = Element("error", namespaces.STREAMS).add(Element(self.condition, namespaces.STREAM_ERRORS))
        if self.text:
            error.add(Element("text", namespaces.STREAM_ERRORS, {"xml:lang": "en"}, text=self.text))
        if self.application is not None:
            error.add(self.application)
        return error


class SASLError(Exception):
    """The end of one try to log in, and why (RFC 6120, 6.5)."""

    def __init__(self, condition: str, text: str = "") -> None:
        if condition not in SASL_CONDITIONS:
            raise ValueError(f"RFC 6120 knows no SASL failure {condition!r}")
        super().__init__(condition, text)
        self.condition = condition
        self.text = text

    def __str__(self) -> str:
        return f"{self.condition}: {self.text}" if self.text else self.condition

    def to_element(self) -> Element:
        """Write the failure as a child of the stream."""
        failure = Element("failure", namespaces.SASL).add(Element(self.condition, namespaces.SASL))
        if self.text:
            failure.add(Element("text", namespaces.SASL, {"xml:lang": "en"}, text=self.text))
        return failure
