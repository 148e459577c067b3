"""A customer with a phone in the hand: what they do, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from contrib.whatsapp_simulator import inbound, samples, statuses
from contrib.whatsapp_simulator.chats import Author, Chat, ChatMessage, Customer, Status
from contrib.whatsapp_simulator.courier import told
from contrib.whatsapp_simulator.errors import GraphError
from contrib.whatsapp_simulator.handset import Handset, choices
from contrib.whatsapp_simulator.phones import country_of, wa_id_of
from contrib.whatsapp_simulator.settings import BusinessNumber
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World

PATIENCE = 10.0


class Person:
    """A customer in a chat with one number of the business.

    Whatever they send returns its wamid, when the webhook has been told once (or cannot be told yet).
    """

    def __init__(self, world: World, customer: Customer, number: BusinessNumber) -> None:
        self.customer = customer
        self.number = number
        self._world = world
        self._phone = Handset(world, customer, number)
        self._taken: set[str] = set()

    @property
    def chat(self) -> Chat:
        return self._phone.chat

    @property
    def received(self) -> list[ChatMessage]:
        """All that the business sent, reactions aside."""
        return [message for message in self.chat.messages if message.author is not Author.CUSTOMER]

    @property
    def sees_typing(self) -> bool:
        return self._world.clock.now() < self.chat.typing_until

    # Writing

    async def writes(self, text: str, *, reply_to: str = "") -> str:
        return await self._phone.send("text", {"body": text}, context=self._phone.about(reply_to))

    async def forwards(self, text: str, *, often: bool = False) -> str:
        how = "frequently_forwarded" if often else "forwarded"
        return await self._phone.send("text", {"body": text}, context={how: True})

    async def asks_about_product(self, text: str, product: str) -> str:
        about = {"catalog_id": "354160437058781", "product_retailer_id": product}
        context = {
            "from": self.number.display,
            "id": self._world.ids.wamid("catalog"),
            "referred_product": about,
        }
        return await self._phone.send("text", {"body": text}, context=context)

    async def comes_from_ad(self, text: str, referral: JSON | None = None) -> str:
        return await self._phone.send("text", {"body": text}, referral=referral or inbound.ADVERTISEMENT)

    async def reacts(self, to: str, emoji: str = "👍", *, removal_has_emoji: bool = True) -> str:
        """React to a message; an empty emoji takes it back, in either of the two shapes seen for that."""
        about = self._world.chats.message(to)
        if about is not None:
            about.reactions[Author.CUSTOMER] = emoji
        body: JSON = {"message_id": to}
        if emoji or removal_has_emoji:
            body["emoji"] = emoji
        return await self._phone.send("reaction", body, shown=False)

    async def edits(self, wamid: str, text: str) -> str:
        """Write something else in place of what was sent."""
        original = self._phone.own(wamid)
        key = "body" if original.kind == "text" else "caption"
        original.content = original.content | {key: text}
        original.is_edited = True
        message = {"type": original.kind, original.kind: original.content}
        body = {"original_message_id": wamid, "message": message}
        return await self._phone.send("edit", body, shown=False)

    async def revokes(self, wamid: str) -> str:
        """Delete for everyone."""
        self._phone.own(wamid).is_revoked = True
        return await self._phone.send("revoke", {"original_message_id": wamid}, shown=False)

    # Files

    async def sends_image(
        self, content: bytes | None = None, *, caption: str = "", mime_type: str = "", reply_to: str = ""
    ) -> str:
        content = samples.picture() if content is None else content
        mime_type = mime_type or ("image/png" if content.startswith(b"\x89PNG") else "image/jpeg")
        return await self._phone.send_file("image", content, mime_type, caption=caption, reply_to=reply_to)

    async def sends_video(self, content: bytes, *, caption: str = "", mime_type: str = "video/mp4") -> str:
        return await self._phone.send_file("video", content, mime_type, caption=caption)

    async def sends_document(
        self,
        content: bytes | None = None,
        *,
        filename: str = "document.pdf",
        caption: str = "",
        mime_type: str = "application/pdf",
    ) -> str:
        content = samples.document() if content is None else content
        return await self._phone.send_file("document", content, mime_type, caption=caption, filename=filename)

    async def sends_audio(self, content: bytes, *, mime_type: str = "audio/mpeg") -> str:
        return await self._phone.send_file("audio", content, mime_type, voice=False)

    async def sends_voice(self, content: bytes | None = None) -> str:
        content = samples.voice_note() if content is None else content
        return await self._phone.send_file("audio", content, "audio/ogg; codecs=opus", voice=True)

    async def sends_sticker(self, content: bytes | None = None, *, animated: bool = False) -> str:
        media = self._world.media.receive(self.number.id, content or samples.STICKER, "image/webp")
        body = inbound.media_body(media, self._world.download_url(media)) | {"animated": animated}
        return await self._phone.send("sticker", body)

    async def sends_album(self, pictures: Sequence[bytes]) -> list[str]:
        """Send pictures as one; the API says `unsupported`, and then each picture."""
        first = await self.sends_unsupported("album")
        return [first, *[await self.sends_image(picture) for picture in pictures]]

    # Places, people, choices

    async def sends_location(
        self, latitude: float = 38.7223, longitude: float = -9.1393, *, name: str = "", address: str = ""
    ) -> str:
        return await self._phone.send("location", inbound.location_body(latitude, longitude, name, address))

    async def shares_contact(self, name: str, phone: str, *, wa_id: str = "") -> str:
        return await self._phone.send("contacts", [inbound.card_body(name, phone, wa_id)])

    async def presses(self, message: str, button: str) -> str:
        """Press a button by its title or id: of buttons and lists, or the quick reply of a template.

        Raises:
            LookupError: If the message has no such button.
        """
        about = self._world.chats.message(message)
        context = self._phone.about(message)
        for kind, one in choices(about) if about is not None else ():
            if button not in (one.get("id"), one.get("title"), one.get("payload")):
                continue
            if kind == "template":
                return await self._phone.send(
                    "button", {"payload": one["payload"], "text": one["title"]}, context=context
                )
            if kind == "list":
                chosen = inbound.list_reply(one["id"], one["title"], one.get("description", ""))
                return await self._phone.send("interactive", chosen, context=context)
            return await self._phone.send(
                "interactive", inbound.button_reply(one["id"], one["title"]), context=context
            )
        raise LookupError(f"There is no button {button!r} to press")

    async def fills_form(self, answers: Mapping[str, object], *, message: str = "") -> str:
        return await self._phone.send(
            "interactive", inbound.flow_reply(answers), context=self._phone.about(message)
        )

    async def orders(self, *items: tuple[str, int, float], text: str = "") -> str:
        """Order from the catalogue: name, quantity, price."""
        return await self._phone.send("order", inbound.order_body(items or [("TEA", 2, 4.5)], text=text))

    # What is odd

    async def sends_unsupported(self, kind: str = "poll_creation") -> str:
        return await self._phone.send("unsupported", None, extra=inbound.unsupported(kind))

    async def sends_unavailable(self) -> str:
        return await self._phone.send("unsupported", None, extra=inbound.unavailable())

    async def sends_unknown(self, kind: str = "hologram", body: object = None) -> str:
        """Send what no documentation knows."""
        return await self._phone.send(kind, {"depth": 3} if body is None else body)

    async def sends_bodiless_interactive(self) -> str:
        """Send type interactive without its object, and an error beside it; as seen in the wild."""
        error = GraphError(131000, "Unsupported webhook payload").in_webhook()
        return await self._phone.send("interactive", None, errors=[error])

    async def sends_raw(self, item: JSON) -> str:
        """Send a message item as it stands; what is missing of id, from, timestamp is not added."""
        await told(self._world.courier.tell(self._phone.update(item)))
        return str(item.get("id", ""))

    # Changes

    async def changes_number(self, phone: str, *, new_user_id: bool = True) -> None:
        """Take the account to another phone number; that brings a new user id too."""
        customer, old = self.customer, self.customer.wa_id
        customer.phone, customer.wa_id = phone, wa_id_of(phone)
        system = {
            "body": f"User {customer.name} changed from {old} to {customer.wa_id}",
            "wa_id": customer.wa_id,
            "type": "user_changed_number",
        }
        await self._phone.tell_system({"from": old}, {"system": system})
        if new_user_id:
            await self.changes_user_id()

    async def changes_user_id(self) -> None:
        customer, old = self.customer, self.customer.user_id
        customer.user_id = self._world.ids.user(country_of(customer.phone))
        system = {
            "body": f"User changed from {old} to {customer.user_id}",
            "user_id": customer.user_id,
            "previous_user_id": old,
            "type": "user_changed_user_id",
        }
        await self._phone.tell_system({}, {"system": system})

    async def changes_identity(self) -> None:
        """Install WhatsApp anew: other keys."""
        self.customer.identity_hash = self._world.ids.challenge()
        system = {"body": "User identity changed", "type": "customer_identity_changed"}
        identity = {
            "acknowledged": True,
            "created_timestamp": self._world.timestamp(),
            "hash": self.customer.identity_hash,
        }
        contact = self._world.contact(self.chat)
        await self._phone.tell_system(
            self._phone.address(), {"identity": identity, "system": system}, contact
        )

    def renames(self, name: str) -> None:
        """Call oneself something else; the business learns it with the next message."""
        self.customer.name = name
        self._world.changed.ring()

    # The phone

    def goes_offline(self) -> None:
        self.customer.is_online = False
        self._world.changed.ring()

    async def goes_online(self) -> None:
        """Get all that was sent meanwhile."""
        self.customer.is_online = True
        self._world.changed.ring()
        waiting = [message for message in self.received if statuses.waits_for_phone(message)]
        await told([task for message in waiting for task in statuses.arrive(self._world, message)])

    def blocks(self) -> None:
        """Want no more from the business; nobody tells it so but 131026."""
        self.customer.is_reachable = False

    async def reads(self) -> None:
        """Look at all that has arrived."""
        if not self.customer.is_online:
            return
        arrived = (
            {Status.DELIVERED, Status.SENT} if self._world.mischief.skips_delivered else {Status.DELIVERED}
        )
        await self._become(Status.READ, [one for one in self.received if one.status in arrived])

    async def plays(self, wamid: str = "") -> None:
        """Listen to a voice message; the last one if no other is named."""
        voices = [one for one in self.received if one.is_voice and wamid in ("", one.id)]
        await self._become(Status.PLAYED, voices[-1:])

    async def receives(self, text: str | None = None, *, kind: str | None = None) -> ChatMessage:
        """Wait for the next message not yet looked at, and say what it is.

        Raises:
            AssertionError: If none comes, or another than the one named.
        """
        try:
            message = await asyncio.wait_for(self._next(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"{self.customer.name} received nothing") from None
        assert kind is None or message.kind == kind, f"a message of kind {message.kind}: {message.content}"
        assert text is None or message.text == text, f"another text: {message.text!r}"
        return message

    # How

    async def _next(self) -> ChatMessage:
        while True:
            for message in self.received:
                if message.id not in self._taken and message.author is Author.BUSINESS:
                    self._taken.add(message.id)
                    return message
            await self._world.changed.rings()

    async def _become(self, status: Status, messages: Sequence[ChatMessage]) -> None:
        await told([task for one in messages for task in statuses.become(self._world, one, status)])
