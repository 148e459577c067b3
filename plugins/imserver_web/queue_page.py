"""What a widget has to know of a queue before anybody writes: its words, whether it is open, and its forms."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from imserver import Element, format_timestamp
from imserver.desk import is_open, languages, opens_at, word
from imserver_web.forms import KINDS, NAMESPACE, form
from imserver_web.settings import QueuePage

if TYPE_CHECKING:
    from imserver.desk import Desk
    from imserver_web.settings import Settings


def describe(desk: Desk, settings: Settings, queue: str, lang: str) -> Element:
    """Describe a queue in a language; nothing in it tells who works there."""
    own, now = desk.settings.queues[queue], desk.now()
    shown = {"name": queue, "title": desk.title(queue), "open": "true" if is_open(own, now) else "false"}
    opens = opens_at(own, now)
    if opens is not None:
        shown["opens"] = format_timestamp(opens.astimezone(UTC))
    described = Element("queue", NAMESPACE, shown)
    spoken = sorted(languages(desk.settings, queue))
    described.add(*(Element("language", NAMESPACE, text=one) for one in spoken))
    texts = {
        "welcome": word(desk.settings, queue, "welcome", lang),
        "away": word(desk.settings, queue, "away", lang),
        "closed": word(desk.settings, queue, "closed", lang),
    }
    described.add(
        *(Element("text", NAMESPACE, {"name": name}, text=said) for name, said in texts.items() if said)
    )
    page = settings.queues.get(queue, QueuePage())
    for kind in KINDS:
        questions = getattr(page, kind)
        if questions:
            asked = form(kind, questions, lang, desk.settings.language).to_element()
            described.add(Element("form", NAMESPACE, {"kind": kind}).add(asked))
    return described.add(
        *(Element("theme", NAMESPACE, {"name": name}, text=value) for name, value in page.theme.items())
    )
