"""Every question to the desk, a queue or a client is answered here; none is passed on to a client or an agent."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from imserver.desk.cards import VCARD4, AddressKind, card, card4
from imserver.desk.contacts import NODE, PING, Contact, client_info, ver
from imserver.desk.template_questions import TemplateQuestions
from imserver.features import disco
from imserver.features.last_activity import NAMESPACE as LAST
from imserver.features.last_activity import seconds
from imserver.features.time import answer_time
from imserver.features.vcard import NAMESPACE as VCARD
from imserver.features.version import answer_version
from imserver.iq import Answer, Answerer, IQHandler, IQTable, Target, as_result
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID
from imserver.xmpp.namespaces import CHAT_STATES, COMMANDS, DISCO_INFO, DISCO_ITEMS, RECEIPTS
from imserver.xmpp.stanza import IQ

if TYPE_CHECKING:
    from imserver.desk.command_menus import Menus
    from imserver.server import Server


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, as everybody sees it."""

    jid: JID
    title: str
    description: str = ""


class Directory(Protocol):
    """Who there is."""

    def queues(self) -> Sequence[Queue]:
        """List the queues."""

    def find_queue(self, jid: JID) -> Queue | None:
        """Find a queue by its address."""

    async def find_contact(self, jid: JID, asker: JID) -> Contact | None:
        """Find a client by their bare JID, for somebody who may know of them; None for all others."""


Find = Callable[["Server", IQ], Awaitable["Subject"]]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a question is about."""

    name: str
    info: Callable[[str], Element | None]
    addresses: Sequence[tuple[AddressKind, str]] = ()
    note: str = ""
    contact: Contact | None = field(default=None)


class Answers:
    """What is answered at one domain: of the desk, or of a channel."""

    def __init__(
        self,
        identity: disco.Identity,
        menus: Menus,
        find: Find,
        *,
        listed: Callable[[], Sequence[Queue]] = lambda: (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._identity = identity
        self._menus = menus
        self._find = find
        self._listed = listed
        self._clock = clock
        self._iqs = IQTable()
        for handler in self._handlers():
            self._iqs.add("desk", handler)

    def receive(self, server: Server, iq: IQ) -> Awaitable[None] | None:
        """Answer a question; answers to our own are swallowed.

        Raises:
            StanzaError: If it can't be answered.
        """
        if iq.type not in ("get", "set"):
            return None
        assert iq.to is not None
        handler = self._iqs.find(iq, Target.CONTACT if iq.to.local else Target.SERVER)
        return server.router.answer(handler, iq)

    def _handlers(self) -> list[IQHandler]:
        def handler(namespace: str, name: str, answer: Answerer, target: Target) -> IQHandler:
            return IQHandler("get", namespace, name, answer, target)

        return [
            handler(DISCO_INFO, "query", self._answer_domain_info, Target.SERVER),
            handler(DISCO_ITEMS, "query", self._answer_domain_items, Target.SERVER),
            handler(VCARD, "vCard", self._answer_domain_card, Target.SERVER),
            handler("urn:xmpp:time", "time", answer_time.answer, Target.SERVER),
            handler("jabber:iq:version", "query", answer_version.answer, Target.SERVER),
            handler(PING, "ping", _answer_ping, Target.SERVER),
            handler(DISCO_INFO, "query", self._answer_info, Target.CONTACT),
            handler(DISCO_ITEMS, "query", self._answer_items, Target.CONTACT),
            handler(VCARD, "vCard", self._answer_card, Target.CONTACT),
            handler(VCARD4, "vcard", self._answer_card4, Target.CONTACT),
            handler(LAST, "query", self._answer_last, Target.CONTACT),
            handler(PING, "ping", self._answer_subject_ping, Target.CONTACT),
            IQHandler("set", COMMANDS, "command", self._answer_command, Target.CONTACT),
            *TemplateQuestions(self._menus).handlers(),
        ]

    # The domain itself

    def _answer_domain_info(self, server: Server, iq: IQ) -> Element:
        _refuse_nodes(iq)
        return disco.info([self._identity], self._iqs.features(Target.SERVER))

    def _answer_domain_items(self, server: Server, iq: IQ) -> Element:
        _refuse_nodes(iq)
        return disco.items(disco.Item(queue.jid, name=queue.title) for queue in self._listed())

    def _answer_domain_card(self, server: Server, iq: IQ) -> Element:
        return card(self._identity.name)

    # Who is there

    async def _answer_info(self, server: Server, iq: IQ) -> Element:
        subject = await self._find(server, iq)
        found = self._answer_menu(server, iq) or subject.info(iq.query.get("node"))
        if found is None:
            raise StanzaError("item-not-found", f"There is no node {iq.query.get('node')!r} here")
        return found

    async def _answer_items(self, server: Server, iq: IQ) -> Element:
        await self._find(server, iq)
        return self._answer_menu(server, iq) or disco.items((), node=iq.query.get("node"))

    def _answer_menu(self, server: Server, iq: IQ) -> Element | None:
        assert iq.sender is not None
        assert iq.to is not None
        menu = self._menus.at(server, iq.sender, iq.to) if iq.query.get("node") else None
        return menu.answer_disco(server, iq) if menu is not None else None

    async def _answer_card(self, server: Server, iq: IQ) -> Element:
        subject = await self._find(server, iq)
        return card(subject.name, subject.addresses, subject.note)

    async def _answer_card4(self, server: Server, iq: IQ) -> Element:
        subject = await self._find(server, iq)
        return card4(subject.name, subject.addresses, subject.note)

    async def _answer_last(self, server: Server, iq: IQ) -> Element:
        """Say how long ago a client last wrote (XEP-0012, 3)."""
        contact = (await self._find(server, iq)).contact
        if contact is None or contact.last_wrote is None:
            raise StanzaError("service-unavailable")
        return seconds(self._clock() - contact.last_wrote)

    async def _answer_subject_ping(self, server: Server, iq: IQ) -> None:
        await self._find(server, iq)

    async def _answer_command(self, server: Server, iq: IQ) -> Answer:
        assert iq.sender is not None
        assert iq.to is not None
        await self._find(server, iq)
        menu = self._menus.at(server, iq.sender, iq.to)
        if menu is None:
            raise StanzaError("service-unavailable")
        return as_result(iq, await menu.answer(server, iq))


def _answer_ping(server: Server, iq: IQ) -> None:
    """Say that we are here (XEP-0199)."""


def _refuse_nodes(iq: IQ) -> None:
    if iq.query.get("node"):
        raise StanzaError("item-not-found", "There are no nodes here")


# The desk's own questions, and a channel's


def desk_answers(directory: Directory, menus: Menus, name: str) -> Answers:
    """Answer for the desk and its queues, to everybody."""

    async def find(server: Server, iq: IQ) -> Subject:
        assert iq.to is not None
        queue = directory.find_queue(iq.to.bare)
        if queue is None:
            raise StanzaError("item-not-found", f"There is no queue {iq.to.bare}")
        features = (DISCO_INFO, DISCO_ITEMS, COMMANDS, PING, VCARD, VCARD4)
        return Subject(
            queue.title,
            lambda node: None if node else queue_info(queue, features),
            note=queue.description,
        )

    identity = disco.Identity("collaboration", "workgroup", name)
    return Answers(identity, menus, find, listed=directory.queues)


def channel_answers(
    directory: Directory,
    menus: Menus,
    identity: disco.Identity,
    *,
    clock: Callable[[], float] = time.time,
) -> Answers:
    """Answer for clients, to the agents who may know of them."""

    async def find(server: Server, iq: IQ) -> Subject:
        assert iq.sender is not None
        assert iq.to is not None
        contact = await directory.find_contact(iq.to.bare, iq.sender.bare)
        # The same whether there is no such client, or none for this asker.
        if contact is None:
            raise StanzaError("service-unavailable")
        return _subject(contact)

    return Answers(identity, menus, find, clock=clock)


def _subject(contact: Contact) -> Subject:
    channel = contact.channel

    def info(node: str) -> Element | None:
        known = node in ("", f"{NODE}#{ver(channel)}")
        return client_info(channel, node=node) if known else None

    return Subject(contact.name, info, contact.addresses, contact.queue, contact)


def queue_info(queue: Queue, features: Sequence[str]) -> Element:
    """Say what a queue is (XEP-0142, 5)."""
    identity = disco.Identity("collaboration", "workgroup", queue.title)
    return disco.info([identity], (*features, CHAT_STATES, RECEIPTS))
