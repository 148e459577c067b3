"""Which templates apply somewhere, and which of their language versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jinja2.exceptions import TemplateRuntimeError

from imserver_templates.sandbox import Moment, Undefined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imserver.desk import Situation
    from imserver_templates.files import Entry


def facts(situation: Situation) -> dict[str, object]:
    """Write down what a template may speak of."""
    return {
        "client": situation.client,
        "agent": situation.agent,
        "queue": situation.queue,
        "now": Moment.of(situation.now),
    }


def offered(entries: Iterable[Entry], situation: Situation, *, language: str) -> list[Entry]:
    """Choose the templates that apply, by shortcut: of each one version."""
    given = facts(situation)
    chosen: dict[str, Entry] = {}
    for entry in sorted(
        (one for one in entries if _applies(one, situation, given)),
        key=lambda one: _distance(one, situation.client.language, language),
    ):
        chosen.setdefault(entry.template.shortcut, entry)
    return [chosen[shortcut] for shortcut in sorted(chosen)]


def _applies(entry: Entry, situation: Situation, given: Mapping[str, object]) -> bool:
    if entry.queues and situation.queue.name not in entry.queues:
        return False
    if entry.languages and not any(_speaks(situation.client.language, one) for one in entry.languages):
        return False
    if entry.condition is None:
        return True
    try:
        return entry.condition.holds(given)
    except (TemplateRuntimeError, Undefined):
        return False


def _speaks(wanted: str, lang: str) -> bool:
    """Tell whether `es-MX` is of the language `es`."""
    return wanted.casefold() == lang or wanted.casefold().startswith(f"{lang}-")


def fallbacks(wanted: str) -> Sequence[str]:
    """List where to look: `es-MX`, then `es`."""
    parts = wanted.replace("_", "-").casefold().split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)] if wanted else []


#: Behind all that have a place in the order.
LAST: Final = 1_000


def _distance(entry: Entry, wanted: str, language: str) -> tuple[int, bool, str]:
    """Put the client's language first, then what is for all, then the admin's; what is for this queue goes before."""
    order = [*fallbacks(wanted), "", *fallbacks(language)]
    lang = entry.template.lang.casefold()
    return (order.index(lang) if lang in order else LAST, not entry.queues, entry.name)
