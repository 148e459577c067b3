"""What visitors may ask: of themselves, of queues, of the server, and for room for a file. Nothing else is answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from imserver import (
    ARCHIVE_FEATURES,
    IQ,
    READS_ARCHIVE,
    Element,
    Guest,
    IQHandler,
    IQTable,
    StanzaError,
    Target,
    answer_archive_metadata,
    answer_guest_query,
    format_timestamp,
)
from imserver_web.forms import NAMESPACE
from imserver_web.history import History
from imserver_web.limits import Buckets, network_of
from imserver_web.queue_page import describe
from imserver_web.visitors import visitor_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver import JID, Server, SharedArchive
    from imserver.desk import Desk
    from imserver_web.channel import WebChannel
    from imserver_web.settings import Settings
    from imserver_web.tokens import Tokens

INFO: Final = "http://jabber.org/protocol/disco#info"
ITEMS: Final = "http://jabber.org/protocol/disco#items"
PING: Final = "urn:xmpp:ping"
CARBONS: Final = "urn:xmpp:carbons:2"
ARCHIVE: Final = "urn:xmpp:mam:2"
UPLOAD: Final = "urn:xmpp:http:upload:0"
SESSION: Final = "urn:ietf:params:xml:ns:xmpp-session"
HOUR: Final = 3_600
#: What the upload service may be asked.
_OF_UPLOAD: Final = frozenset({f"{INFO}\nquery", f"{ITEMS}\nquery", f"{PING}\nping", f"{UPLOAD}\nrequest"})
#: What is answered as for accounts: it concerns nothing but the session itself.
_AS_FOR_ACCOUNTS: Final = frozenset({f"{CARBONS}\nenable", f"{CARBONS}\ndisable", f"{SESSION}\nsession"})


class VisitorAnswers:
    """Answers visitors."""

    def __init__(self, desk: Desk, settings: Settings, tokens: Tokens, channel: WebChannel) -> None:
        self._desk = desk
        self._settings = settings
        self._tokens = tokens
        self._channel = channel
        self._uploads = Buckets(asyncio.get_running_loop().time)
        self._iqs = IQTable()
        for handler in self._handlers():
            self._iqs.add("web", handler)

    def _handlers(self) -> list[IQHandler]:
        anywhere = Target.SERVER | Target.ACCOUNT | Target.CONTACT
        return [
            IQHandler("get", PING, "ping", _answer_ping, anywhere),
            IQHandler("get", INFO, "query", self._answer_server_info, Target.SERVER),
            IQHandler("get", INFO, "query", self._answer_own_info, Target.ACCOUNT),
            IQHandler("get", INFO, "query", self._answer_queue_info, Target.CONTACT),
            IQHandler("get", ITEMS, "query", self._answer_items, Target.SERVER),
            IQHandler("get", ITEMS, "query", _answer_no_items, Target.ACCOUNT | Target.CONTACT),
            IQHandler("get", NAMESPACE, "token", self._answer_token, Target.SERVER),
            IQHandler("get", NAMESPACE, "queue", self._answer_queue, Target.CONTACT),
            *self._archive_handlers(),
        ]

    def _archive_handlers(self) -> list[IQHandler]:
        if not self._desk.server.settings.archive.enabled:
            return []
        return [
            IQHandler("set", ARCHIVE, "query", self._answer_history, Target.ACCOUNT),
            IQHandler("get", ARCHIVE, "metadata", answer_archive_metadata, Target.ACCOUNT),
        ]

    def receive(self, guest: Guest, iq: IQ) -> Awaitable[None] | None:
        """Answer a question; answers to our own are swallowed.

        Raises:
            StanzaError: If it can't be answered.
        """
        if iq.type not in ("get", "set"):
            return None
        server, to = self._desk.server, iq.to
        router = server.router
        if to is None or to == guest.bare:
            if iq.query_key in _AS_FOR_ACCOUNTS:
                return router.answer(router.iqs.find(iq, Target.ACCOUNT), iq)
            return router.answer(self._iqs.find(iq, Target.ACCOUNT), iq)
        if to == self._channel.jid or to == server.domain:
            return router.answer(self._iqs.find(iq, Target.SERVER), iq)
        if to == self._upload and iq.query_key in _OF_UPLOAD:
            self._check_upload(guest, iq)
            return router.deliver(iq)
        if self._channel.is_open_to_visitors(to):
            return router.answer(self._iqs.find(iq, Target.CONTACT), iq)
        # The same for an account, for one that is not there, and for what it is not asked.
        raise StanzaError("service-unavailable")

    def _check_upload(self, guest: Guest, iq: IQ) -> None:
        """Let nobody fill the disk: each visitor has a quota, and everybody may be many visitors."""
        size = iq.query.get("size")
        if iq.query.namespace != UPLOAD or not (size.isascii() and size.isdigit() and len(size) < 19):
            return
        most = self._settings.upload_bytes_per_hour_and_address
        if not self._uploads.take(network_of(guest.address), most / HOUR, most, int(size)):
            raise StanzaError(
                "resource-constraint", "Too much was uploaded from your address; wait a while", type="wait"
            )

    @property
    def _upload(self) -> str:
        domain = f"upload.{self._desk.server.domain}"
        return domain if domain in self._desk.server.router.components else ""

    # Discovery (XEP-0030)

    def _answer_server_info(self, server: Server, iq: IQ) -> Element:
        return _info(iq, ("server", "im", "Web"), [INFO, ITEMS, PING, CARBONS, NAMESPACE])

    def _answer_own_info(self, server: Server, iq: IQ) -> Element:
        features = ARCHIVE_FEATURES if server.settings.archive.enabled else ()
        return _info(iq, ("account", "anonymous", ""), [INFO, ITEMS, PING, *features])

    def _answer_queue_info(self, server: Server, iq: IQ) -> Element:
        assert iq.to is not None
        title = self._desk.title(iq.to.local)
        return _info(iq, ("client", "web", title), [INFO, PING, NAMESPACE, *self._channel.about.features])

    def _answer_items(self, server: Server, iq: IQ) -> Element:
        """Name the upload service; queues are known by those who put them on their page."""
        query = Element("query", ITEMS)
        return query.add(Element("item", ITEMS, {"jid": self._upload})) if self._upload else query

    # Who they are

    def _answer_token(self, server: Server, iq: IQ) -> Element:
        """Give a visitor what they return with."""
        guest = server.sessions.find(iq.sender) if iq.sender is not None else None
        assert isinstance(guest, Guest), "who asks has a session"
        token, expires = self._tokens.issue(visitor_of(guest).claim)
        until = format_timestamp(datetime.fromtimestamp(expires, UTC))
        return Element("token", NAMESPACE, {"expires": until}, text=token)

    # Queues, and what was said there

    def _answer_queue(self, server: Server, iq: IQ) -> Element:
        assert iq.to is not None
        lang = iq.query.get("xml:lang") or iq.lang
        return describe(self._desk, self._settings, iq.to.local, lang)

    async def _answer_history(self, server: Server, iq: IQ) -> Element:
        guest = server.sessions.find(iq.sender) if iq.sender is not None else None
        assert guest is not None, "who asks has a session"
        guest.features[READS_ARCHIVE] = True

        def find(peer: JID | None) -> Awaitable[SharedArchive]:
            queue = peer.bare if peer is not None else None
            return History(self._desk, self._channel, guest.bare, queue).open()

        return await answer_guest_query(server, guest, iq, find)


def _answer_ping(server: Server, iq: IQ) -> None:
    """Say that we are here (XEP-0199)."""


def _answer_no_items(server: Server, iq: IQ) -> Element:
    return Element("query", ITEMS)


def _info(iq: IQ, identity: tuple[str, str, str], features: list[str]) -> Element:
    if iq.query.get("node"):
        raise StanzaError("item-not-found", "There are no nodes here")
    category, type, name = identity
    named = {"category": category, "type": type} | ({"name": name} if name else {})
    query = Element("query", INFO).add(Element("identity", INFO, named))
    return query.add(*(Element("feature", INFO, {"var": one}) for one in sorted(set(features))))
