"""What the desk says in an agent's name: it goes the way of what agents write, word for word."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from imserver.desk.allowed import FALLBACK, FILE_METADATA, FILE_SHARING, OOB, URL_DATA
from imserver.desk.effects import Refused
from imserver.features.shared_files import SharedFile, share
from imserver.routing.journal import Origin
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CHAT_STATES, CLIENT, RECEIPTS
from imserver.xmpp.stanza import Message

if TYPE_CHECKING:
    from pathlib import Path

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk

#: A prefix that no text begins with: XML can't hold it.
NEVER: Final = "\0"
#: How many files are remembered that were put where clients can have them.
MOST_SHARED: Final = 200


class Spoken(Message):
    """A message that no line of which is a command, whatever it begins with."""

    __slots__ = ("refusals",)
    #: Why it was not taken.
    refusals: list[StanzaError]

    @classmethod
    def by(cls, agent: JID, client: JID, *payload: Element, lang: str = "") -> Self:
        """Write it."""
        id = secrets.token_hex(8)
        message = cls(sender=agent, to=client, type="chat", id=id, lang=lang, payload=payload)
        message.refusals = []
        return message

    def copy(self) -> Self:
        """Copy it; the two have the same fate."""
        twin = super().copy()
        twin.refusals = self.refusals
        return twin

    def error(self, error: StanzaError) -> Self:
        """Take note that it was not taken."""
        self.refusals.append(error)
        return super().error(error)


class Voice:
    """Says things in the agents' names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shared: dict[tuple[Path, int, int], SharedFile] = {}

    async def say(
        self, conversation: Conversation, agent: JID, text: str, file: Path | None = None, *, lang: str = ""
    ) -> None:
        """Say something to a client as if the agent had written it: a file first, then what there is to say of it.

        Raises:
            Refused: If it was not sent.
        """
        client = JID.parse(conversation.client)
        if file is not None:
            shared = await self._share(file)
            await self._send(conversation, Spoken.by(agent, client, *_file_payload(shared)))
        if text:
            await self._send(conversation, Spoken.by(agent, client, *_text_payload(text), lang=lang))

    async def _send(self, conversation: Conversation, message: Spoken) -> None:
        await self._desk.talk.accept(Origin(), message)
        if message.refusals:
            error = message.refusals[0]
            raise Refused("template_refused", reason=error.text or error.condition)
        if not self._desk.said.is_noted(conversation, message.id):
            raise Refused("template_refused", reason="undefined-condition")

    async def _share(self, file: Path) -> SharedFile:
        """Put a file where clients can have it; as long as it is the same, once is enough."""
        try:
            status = await asyncio.to_thread(file.stat)
            key = (file, status.st_mtime_ns, status.st_size)
            known = self._shared.get(key)
            if known is not None and await self._is_there(known):
                return known
            shared = await share(self._desk.server, file)
        except OSError as error:
            raise Refused("template_refused", reason=f"{file.name}: {error.strerror}") from error
        except StanzaError as error:
            raise Refused("template_refused", reason=error.text) from error
        while len(self._shared) >= MOST_SHARED:
            del self._shared[next(iter(self._shared))]
        self._shared[key] = shared
        return shared

    async def _is_there(self, shared: SharedFile) -> bool:
        """Tell whether clients can have it for another half of its time."""
        days = self._desk.server.settings.upload.expire_days
        if (shared.expires - datetime.now(UTC)).total_seconds() < days * 86_400 / 2:
            return False
        token = shared.url.split("/")[-2]
        return await self._desk.server.store.uploads.find(token) is not None


def _text_payload(text: str) -> list[Element]:
    return [
        Element("body", CLIENT, text=text),
        Element("active", CHAT_STATES),
        Element("request", RECEIPTS),
    ]


def _file_payload(shared: SharedFile) -> list[Element]:
    """XEP-0066 for the many, XEP-0447 for the new."""
    described = Element("file", FILE_METADATA).add(
        Element("name", FILE_METADATA, text=shared.name),
        Element("media-type", FILE_METADATA, text=shared.type),
        Element("size", FILE_METADATA, text=str(shared.size)),
    )
    source = Element("url-data", URL_DATA, {"target": shared.url})
    return [
        Element("body", CLIENT, text=shared.url),
        Element("x", OOB).add(Element("url", OOB, text=shared.url)),
        Element("file-sharing", FILE_SHARING, {"disposition": "attachment"}).add(
            described, Element("sources", FILE_SHARING).add(source)
        ),
        Element("fallback", FALLBACK, {"for": FILE_SHARING}).add(Element("body", FALLBACK)),
        Element("request", RECEIPTS),
    ]
