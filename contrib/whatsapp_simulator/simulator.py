"""The simulator, as tests hold it in the hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from contrib.whatsapp_simulator.chats import Author, ChatMessage, Customer
from contrib.whatsapp_simulator.clock import Clock
from contrib.whatsapp_simulator.courier import Delivery, told
from contrib.whatsapp_simulator.envelopes import Update
from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.faults import Broken, Refused, Unanswered
from contrib.whatsapp_simulator.person import Person
from contrib.whatsapp_simulator.phones import wa_id_of
from contrib.whatsapp_simulator.settings import Account, Mischief, Pace
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.templates import Template, TemplateStatus, components_of
from contrib.whatsapp_simulator.world import World


class Simulator:
    """WhatsApp: its customers, its Graph API, its webhooks, its moods."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._people: dict[tuple[str, str], Person] = {}

    @property
    def url(self) -> str:
        """Where Graph is; `https://graph.facebook.com` in real life."""
        return self.world.base_url

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def account(self) -> Account:
        return self.world.account

    @property
    def mischief(self) -> Mischief:
        return self.world.mischief

    @property
    def pace(self) -> Pace:
        return self.world.settings.pace

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """All that was told to the webhook, or was tried to."""
        return tuple(self.world.courier.deliveries)

    @property
    def webhook_calls(self) -> int:
        return sum(len(delivery.attempts) for delivery in self.deliveries)

    # People

    def customer(self, phone: str, *, name: str = "", username: str = "", number: str = "") -> Person:
        """Find somebody by phone number, or let there be somebody; number: which of the business's they write to."""
        customer = self.world.chats.by_wa_id(wa_id_of(phone))
        if customer is None:
            customer = self.world.meet(phone, name, username)
        customer.is_reachable = True
        if name:
            customer.name = name
        self.world.changed.ring()
        return self.person(customer, number)

    def person(self, customer: Customer, number: str = "") -> Person:
        """Hand out the one who acts for a customer."""
        where = self.world.number(number or self.account.numbers[0].id)
        return self._people.setdefault((customer.key, where.id), Person(self.world, customer, where))

    def sent_to(self, person: Person | Customer) -> list[ChatMessage]:
        """List what the business sent to somebody, by any of its numbers."""
        customer = person.customer if isinstance(person, Person) else person
        return [
            message
            for chat in self.world.chats.with_customer(customer)
            for message in chat.messages
            if message.author is Author.BUSINESS
        ]

    def message(self, wamid: str) -> ChatMessage:
        """Find a message by its id; KeyError if there is none."""
        found = self.world.chats.message(wamid)
        if found is None:
            raise KeyError(wamid)
        return found

    # The phone app beside the API

    async def app_writes(self, person: Person, text: str) -> str:
        """Let a human answer in the WhatsApp Business app: the webhook gets an echo."""
        return await self._echoes(person, "text", {"body": text})

    async def app_revokes(self, person: Person, wamid: str) -> str:
        """Let the human in the app delete what the business sent."""
        self.message(wamid).is_revoked = True
        return await self._echoes(person, "revoke", {"original_message_id": wamid})

    async def _echoes(self, person: Person, kind: str, body: JSON) -> str:
        world, customer = self.world, person.customer
        item: JSON = {"from": person.number.display}
        if person.chat.shows_phone(world.clock.now()):
            item["to"] = customer.wa_id
        item |= {"to_user_id": customer.user_id, "id": world.ids.wamid(person.number.display)}
        item |= {"timestamp": world.timestamp(), "type": kind, kind: body}
        message = ChatMessage(
            item["id"], Author.APP, customer, person.number.id, kind, body, world.clock.now()
        )
        (world.chats.add if kind == "text" else world.chats.note)(message)
        world.changed.ring()
        contact = world.contact(person.chat)
        update = Update(item, "message_echoes", "smb_message_echoes", person.number, contact)
        await told(world.courier.tell(update))
        return message.id

    # Templates

    def add_template(
        self,
        name: str,
        body: str,
        *,
        language: str = "pt_PT",
        header: str | None = None,
        footer: str | None = None,
        buttons: Sequence[str] = (),
        category: str = "UTILITY",
        status: TemplateStatus = TemplateStatus.APPROVED,
        named: bool = False,
    ) -> Template:
        """Have a template approved; header IMAGE, VIDEO or DOCUMENT: one that is given when it is sent."""
        template = Template(
            id=self.world.ids.media(),
            name=name,
            language=language,
            components=components_of(body, header=header, footer=footer, buttons=buttons),
            category=category,
            status=status,
            parameter_format="NAMED" if named else "POSITIONAL",
        )
        self.world.templates.all.append(template)
        self.world.changed.ring()
        return template

    async def changes_template(
        self, template: Template, status: TemplateStatus, reason: str | None = None
    ) -> None:
        """Pause, disable or approve a template, and tell the webhook."""
        template.status = status
        self.world.changed.ring()
        value = {
            "event": str(status),
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": reason,
        }
        await self.tells(value, field="message_template_status_update")

    # What goes wrong

    def fails_next(self, code: int, details: str = "", *, later: bool = False, times: int = 1) -> None:
        """Refuse the next messages with this code; later: accept them, and fail them by a status."""
        self.world.faults.add(Refused(GraphError(code, details), later), times)

    def breaks_next(self, http: int = 502, *, times: int = 1) -> None:
        """Answer the next messages with this HTTP status and no JSON."""
        self.world.faults.add(Broken(http), times)

    def loses_next_answer(self, *, accepted: bool = True, times: int = 1) -> None:
        """Cut the connection instead of an answer, whether the message was accepted or not."""
        self.world.faults.add(Unanswered(accepted), times)

    def expires_token(self, *, expired: bool = True) -> None:
        """Refuse the access token from now on, or no more."""
        self.world.token_is_good = not expired

    def damages(self, media_id: str) -> None:
        """Change the bytes of a file, so that the checksum told before is wrong."""
        self.world.media.damage(media_id)

    # The webhook

    async def subscribe(self, url: str, verify_token: str | None = None) -> None:
        """Verify a webhook and tell it everything from now on.

        Raises:
            NotVerified: If it does not answer as it has to.
        """
        await self.world.courier.subscribe(url, verify_token)

    def holding(
        self, *, together: bool = False, backwards: bool = False, entries: int = 1
    ) -> AbstractAsyncContextManager[None]:
        """Keep updates back while this lasts, then tell them: in one body, in the other order, in several entries."""
        return self.world.courier.holding(together=together, backwards=backwards, entries=entries)

    async def tells(self, value: JSON, *, field: str) -> None:
        """Tell the webhook of a field that is none of messages."""
        await told(self.world.courier.tell(Update(value, place="", field=field)))

    async def posts(self, body: bytes) -> None:
        """Send the webhook these very bytes, signed."""
        await told([self.world.courier.post_body(body)])

    async def settled(self) -> None:
        """Wait until everything that is due has been told and answered."""
        await asyncio.sleep(0)
        await self.clock.settled()
