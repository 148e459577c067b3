"""The 24 hours in which a client can be answered freely; after them, only templates get there.

They begin with each message of the client (or call), for each of our numbers by itself. Times are Meta's where it gives
them: seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from imserver_whatsapp.languages import Phrase, pick

OPEN_SECONDS: Final = 24 * 3_600
#: How long before the end the agent is warned.
REMINDER_SECONDS: Final = 3_600

#: Below each of these, the text about the time left is another: agents' rosters do not flicker.
STEPS: Final = (300, 600, 900, 1_800, 2_700, *(3_600 * hours for hours in range(1, 25)))

_CLOSED: Final[Phrase] = (
    "only templates",
    "solo plantillas",
    "só modelos",
    "nur Vorlagen",
    "modèles seulement",
)
_HOURS: Final[Phrase] = (
    "{count} h left to answer",
    "quedan {count} h para responder",
    "restam {count} h para responder",
    "noch {count} Std. für Antworten",
    "encore {count} h pour répondre",
)
_MINUTES: Final[Phrase] = (
    "{count} min left to answer",
    "quedan {count} min para responder",
    "restam {count} min para responder",
    "noch {count} Min. für Antworten",
    "encore {count} min pour répondre",
)
_REMINDER: Final[Phrase] = (
    "In {count} minutes this client can be sent templates only: they last wrote 24 hours before that.",
    "Dentro de {count} minutos a este cliente solo se le podrán enviar "
    "plantillas: su último mensaje es de 24 horas antes.",
    "Dentro de {count} minutos só poderão ser enviados modelos a este "
    "cliente: escreveu pela última vez 24 horas antes.",
    "In {count} Minuten können diesem Kunden nur noch Vorlagen gesendet werden: er schrieb zuletzt 24 Stunden davor.",
    "Dans {count} minutes, seuls des modèles pourront être envoyés à ce client : il a écrit 24 heures auparavant.",
)


@dataclass(frozen=True, slots=True)
class Window:
    """The window of one client at one of our numbers."""

    #: When the client last wrote; None: never, that we know.
    heard_at: float | None = None
    #: Meta has refused (131047) since the client last wrote: whatever we believe, it is closed.
    is_refused: bool = False
    is_reminded: bool = False

    @property
    def until(self) -> float | None:
        """When it closes, or closed; None if it never was open."""
        return self.heard_at + OPEN_SECONDS if self.heard_at is not None else None

    def is_open(self, now: float) -> bool:
        """Tell whether a free text gets there: up to the last second, and not at the end itself."""
        return self.until is not None and now < self.until and not self.is_refused

    def heard(self, at: float) -> Self:
        """Open it, or keep it open: the client wrote. What comes late does not make it shorter.

        Call it once for each message: one of the same second is another one, and opens a window that Meta had refused.
        """
        if self.heard_at is not None and at < self.heard_at:
            return self
        return replace(self, heard_at=at, is_refused=False, is_reminded=False)

    def refused(self) -> Self:
        """Close it: Meta says so, until the client writes again."""
        return replace(self, is_refused=True)

    def reminded(self) -> Self:
        """Note that the agent was warned."""
        return replace(self, is_reminded=True)

    def needs_reminder(self, now: float) -> bool:
        """Tell whether it is time to warn the agent."""
        return self.is_open(now) and not self.is_reminded and self._left(now) <= REMINDER_SECONDS

    def changes_at(self, now: float) -> float | None:
        """Say when there is something to do or to show next: a reminder, another text, the end."""
        if self.until is None or not self.is_open(now):
            return None
        if self.needs_reminder(now):
            return now
        left = self._left(now)
        step = max((step for step in STEPS if step < left), default=0)
        return self.until - step

    def _left(self, now: float) -> float:
        return self.until - now if self.until is not None else 0.0

    def status(self, now: float, lang: str) -> str:
        """Say how much time is left, in steps, for the client's presence."""
        if not self.is_open(now):
            return pick(_CLOSED, lang)
        left = self._left(now)
        # Rounded up: who has 59 minutes and more still has an hour.
        step = min((step for step in STEPS if left <= step), default=STEPS[-1])
        if step < 3_600:
            return pick(_MINUTES, lang).format(count=step // 60)
        return pick(_HOURS, lang).format(count=step // 3_600)

    def reminder(self, now: float, lang: str) -> str:
        """Warn the agent."""
        return pick(_REMINDER, lang).format(count=max(1, round(self._left(now) / 60)))

    def to_row(self) -> dict[str, float | bool | None]:
        """Write it down."""
        return {
            "heard_at": self.heard_at,
            "is_refused": self.is_refused,
            "is_reminded": self.is_reminded,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, float | bool | None]) -> Self:
        """Read what was written down."""
        heard_at = row["heard_at"]
        return cls(
            float(heard_at) if heard_at is not None else None,
            bool(row["is_refused"]),
            bool(row["is_reminded"]),
        )
