"""A customer's phone: how what they send becomes a message and an update."""

from __future__ import annotations

from collections.abc import Sequence

from contrib.whatsapp_simulator import inbound
from contrib.whatsapp_simulator.chats import Author, Chat, ChatMessage, Customer
from contrib.whatsapp_simulator.courier import told
from contrib.whatsapp_simulator.envelopes import Update
from contrib.whatsapp_simulator.settings import BusinessNumber
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World


class Handset:
    """What a customer holds in the hand, in a chat with one number of the business."""

    def __init__(self, world: World, customer: Customer, number: BusinessNumber) -> None:
        self.customer = customer
        self.number = number
        self._world = world

    @property
    def chat(self) -> Chat:
        return self._world.chats.between(self.number.id, self.customer)

    async def send_file(
        self,
        kind: str,
        content: bytes,
        mime_type: str,
        *,
        caption: str = "",
        filename: str = "",
        voice: bool | None = None,
        reply_to: str = "",
    ) -> str:
        """Send a file, of whatever type it says it is."""
        media = self._world.media.receive(self.number.id, content, mime_type, filename)
        body = inbound.media_body(media, self._world.download_url(media), caption=caption, voice=voice)
        return await self.send(kind, body, context=self.about(reply_to))

    async def send(
        self,
        kind: str,
        body: object,
        *,
        context: JSON | None = None,
        referral: JSON | None = None,
        extra: JSON | None = None,
        errors: Sequence[JSON] = (),
        shown: bool = True,
    ) -> str:
        """Send anything; shown: it has a bubble of its own."""
        world, chat = self._world, self.chat
        item = self.address() | {"id": world.ids.wamid(self.customer.wa_id), "timestamp": world.timestamp()}
        item["type"] = kind
        if context:
            item["context"] = context
        if referral:
            item["referral"] = referral
        if body is not None:
            item[kind] = body
        item |= extra or {}
        chat.last_heard = world.clock.now()
        world.throughput[self.number.id].note(chat.last_heard)
        message = self._message(item["id"], kind, body or extra or {}, str((context or {}).get("id", "")))
        (world.chats.add if shown else world.chats.note)(message)
        world.changed.ring()
        await told(world.courier.tell(self.update(item, errors)))
        return message.id

    def _message(self, wamid: str, kind: str, body: object, context: str) -> ChatMessage:
        content = dict(body) if isinstance(body, dict) else {"cards": body}
        return ChatMessage(
            id=wamid,
            author=Author.CUSTOMER,
            customer=self.customer,
            number=self.number.id,
            kind=kind,
            content=content,
            at=self._world.clock.now(),
            context=context,
        )

    def update(self, item: JSON, errors: Sequence[JSON] = ()) -> Update:
        """Wrap a message item with who it is from."""
        return Update(item, number=self.number, contact=self._world.contact(self.chat), errors=errors)

    def address(self) -> JSON:
        """Write who it is from, as far as the business may know (Cloud API: Business-scoped user IDs)."""
        shown = {"from": self.customer.wa_id} if self.chat.shows_phone(self._world.clock.now()) else {}
        return shown | {"from_user_id": self.customer.user_id}

    async def tell_system(self, address: JSON, content: JSON, contact: JSON | None = None) -> None:
        """Let WhatsApp itself say something about the customer."""
        item = address | {
            "id": self._world.ids.wamid(self.customer.wa_id),
            "timestamp": self._world.timestamp(),
        }
        update = Update(item | {"type": "system"} | content, number=self.number, contact=contact)
        message = self._message(item["id"], "system", content["system"], "")
        self._world.chats.add(message)
        self._world.changed.ring()
        await told(self._world.courier.tell(update))

    def about(self, wamid: str) -> JSON | None:
        """Write the context of a reply."""
        if not wamid:
            return None
        about = self._world.chats.message(wamid)
        is_own = about is not None and about.author is Author.CUSTOMER
        return {"from": self.customer.wa_id if is_own else self.number.display, "id": wamid}

    def own(self, wamid: str) -> ChatMessage:
        """Find what this customer sent; LookupError if they did not."""
        message = self._world.chats.message(wamid)
        if message is None or message.customer is not self.customer or message.author is not Author.CUSTOMER:
            raise LookupError(f"{self.customer.name} has not sent {wamid}")
        return message


def choices(message: ChatMessage) -> list[tuple[str, JSON]]:
    """List what can be pressed in a message, with the kind of answer that gives."""
    if message.kind == "template":
        buttons = message.rendered.get("buttons", [])
        return [("template", button) for button in buttons if button["type"] == "QUICK_REPLY"]
    if message.kind != "interactive" or message.author is not Author.BUSINESS:
        return []
    action = message.content["action"]
    rows = [row for section in action.get("sections", []) for row in section.get("rows", [])]
    return [("button", one["reply"]) for one in action.get("buttons", [])] + [("list", row) for row in rows]
