"""The question "will you take this one?" as a message that every client shows, and how it is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from imserver.desk.allowed import CORRECTION
from imserver.desk.phrases import say
from imserver.desk.relay import INTERNAL_ID
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CARBONS, CLIENT, HINTS
from imserver.xmpp.stanza import Message

#: XEP-0439.
RESPONSES: Final = "urn:xmpp:tmp:quick-response"
#: How much of what the client wrote is shown, in characters.
PREVIEW: Final = 100

Answer = Literal["accept", "decline"]

#: What people answer who do not care for commands.
ANSWERS: Final[dict[str, Answer]] = {
    **dict.fromkeys(("yes", "y", "ok", "okay", "accept", "sí", "si", "aceptar", "sim", "aceitar"), "accept"),
    **dict.fromkeys(("ja", "annehmen", "oui", "accepter", "👍"), "accept"),
    **dict.fromkeys(("no", "n", "decline", "rechazar", "não", "nao", "recusar"), "decline"),
    **dict.fromkeys(("nein", "ablehnen", "non", "refuser", "👎"), "decline"),
}


@dataclass(frozen=True, slots=True)
class Offered:
    """A conversation offered to an agent: who asks, and which of the times that it was asked."""

    queue: JID
    conversation: int
    #: Until when there is time to answer, in seconds since 1970.
    deadline: float

    @property
    def id(self) -> str:
        """The id of the message: the same after a restart, another when it is offered again."""
        return f"{INTERNAL_ID}offer-{self.conversation}-{int(self.deadline)}"


@dataclass(frozen=True, slots=True)
class Wording:
    """What the queue says for it, in the agent's language."""

    question: str
    accept: str
    decline: str
    lang: str
    prefix: str


def ask(offered: Offered, to: JID, wording: Wording, *, preview: str = "") -> Message:
    """Write the offer to one device of an agent: send it to each.

    The preview is what the client wrote.
    """
    number, prefix = offered.conversation, wording.prefix
    lines = [wording.question]
    if preview:
        lines.append(f"> {shortened(preview)}")
    lines.append(say("how_to_answer", wording.lang, prefix=prefix, number=number))
    payload = [
        Element("body", CLIENT, text="\n".join(lines)),
        _response(f"{prefix}accept {number}", wording.accept),
        _response(f"{prefix}decline {number}", wording.decline),
    ]
    return _to_device(offered.queue, to, offered.id, payload)


def withdraw(offered: Offered, to: JID, sentence: str) -> Message:
    """Take the offer back at one device of an agent, saying what became of it: send it to each.

    One message for all clients: a correction (XEP-0308), which replaces the offer and its buttons by the sentence;
    to a client that knows no corrections it is that sentence. A retraction (XEP-0424) would take the offer away
    without saying who has the client now, and fewer clients know it.
    """
    payload = [Element("body", CLIENT, text=sentence), Element("replace", CORRECTION, {"id": offered.id})]
    return _to_device(offered.queue, to, f"{offered.id}-over", payload)


def _response(value: str, label: str) -> Element:
    return Element("response", RESPONSES, {"value": value, "label": label})


def _to_device(queue: JID, to: JID, id: str, payload: list[Element]) -> Message:
    # Every device gets its own (XEP-0280, 7), and none gets it later: it would be over by then.
    payload += [Element("private", CARBONS), Element("no-copy", HINTS), Element("no-store", HINTS)]
    return Message(sender=queue, to=to, type="chat", id=id, payload=payload)


def shortened(text: str) -> str:
    """Write the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW else f"{line[:PREVIEW].rstrip()}…"


def read_answer(text: str) -> Answer | None:
    """Understand a plain yes or no to an offer; None if it is neither."""
    return ANSWERS.get(text.strip().rstrip(".!").casefold())
