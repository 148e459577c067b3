"""All there is in a simulation."""

from __future__ import annotations

import asyncio
from random import Random

from contrib.whatsapp_simulator.chats import Chat, ChatMessage, Chats, Customer
from contrib.whatsapp_simulator.clock import Clock
from contrib.whatsapp_simulator.courier import Courier
from contrib.whatsapp_simulator.faults import Faults
from contrib.whatsapp_simulator.identifiers import Identifiers
from contrib.whatsapp_simulator.media import Media, MediaStore
from contrib.whatsapp_simulator.phones import country_of, wa_id_of
from contrib.whatsapp_simulator.rates import Throughput
from contrib.whatsapp_simulator.settings import BusinessNumber, Settings
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.templates import Templates


class Bell:
    """Wakes all who wait for something to change."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for one in self._waiting:
            if not one.done():
                one.set_result(None)
        self._waiting.clear()

    async def rings(self) -> None:
        one = asyncio.get_running_loop().create_future()
        self._waiting.add(one)
        try:
            await one
        finally:
            self._waiting.discard(one)


class World:
    """A handle to its parts."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        random = Random(settings.seed)
        self.settings = settings
        self.account = settings.account
        self.mischief = settings.mischief
        self.clock = clock
        self.random = random
        self.ids = Identifiers(random)
        self.chats = Chats()
        self.media = MediaStore(clock, self.ids)
        self.templates = Templates()
        self.faults = Faults()
        self.courier = Courier(settings, clock, random)
        self.throughput = {number.id: Throughput(number.throughput) for number in self.account.numbers}
        self.changed = Bell()
        self.base_url = ""
        #: False: every token is refused, as when it has expired.
        self.token_is_good = True

    def number(self, number_id: str) -> BusinessNumber:
        """Find a number of the business; KeyError if it has no such one."""
        for number in self.account.numbers:
            if number.id == number_id:
                return number
        raise KeyError(number_id)

    def meet(self, phone: str, name: str = "", username: str = "") -> Customer:
        """Let there be somebody with this phone number."""
        country, digits = country_of(phone), wa_id_of(phone)
        customer = Customer(
            key=str(len(self.chats.customers) + 1),
            phone=phone,
            wa_id=digits,
            user_id=self.ids.user(country),
            name=name or f"Customer {digits[-4:]}",
            username=username,
            hides_phone=bool(username),
            identity_hash=self.ids.challenge(),
        )
        self.chats.customers.append(customer)
        return customer

    def contact(self, chat: Chat) -> JSON:
        """Write who somebody is, as far as this number may know (Cloud API: Business-scoped user IDs)."""
        customer = chat.customer
        profile: JSON = {"name": customer.name}
        if customer.username:
            profile["username"] = customer.username
        contact: JSON = {"profile": profile}
        if chat.shows_phone(self.clock.now()):
            contact["wa_id"] = customer.wa_id
        contact["user_id"] = customer.user_id
        if customer.parent_user_id:
            contact["parent_user_id"] = customer.parent_user_id
        return contact

    def chat_of(self, message: ChatMessage) -> Chat:
        return self.chats.between(message.number, message.customer)

    def download_url(self, media: Media) -> str:
        """Write where a file can be fetched for five minutes."""
        path = f"/whatsapp_business/attachments/?mid={media.id}&ext={int(media.expires)}"
        return f"{self.base_url}{path}&hash={self.media.promise(media)}"

    def timestamp(self) -> str:
        return str(int(self.clock.now()))
