"""Why a file is not taken, for programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from imserver import Element, StanzaError
from imserver_file_policy import texts

if TYPE_CHECKING:
    from imserver_file_policy.settings import Rule

UPLOAD: Final = "urn:xmpp:http:upload:0"


class Refusal(StanzaError):
    """A file is not taken; `key` is that of the text that says why."""

    def __init__(self, key: str, rule: Rule | None = None, **values: Any) -> None:
        if rule is not None:
            values |= {"rule": rule.name, "allowed": ", ".join(one or "—" for one in rule.extensions)}
            values |= {"max": texts.size(rule.max_bytes)}
        self.key = key
        self.values = values
        too_large = None
        if key == "too_large" and rule is not None:  # XEP-0363, 6
            too_large = Element("file-too-large", UPLOAD).add(
                Element("max-file-size", UPLOAD, text=str(rule.max_bytes))
            )
        # Whoever could not be asked may be there the next time.
        condition = "service-unavailable" if key in ("scan_failed", "not_inspected") else "not-acceptable"
        super().__init__(condition, texts.reason(key, "en", **values), application=too_large)
