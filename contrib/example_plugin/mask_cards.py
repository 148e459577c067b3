"""Replaces credit-card numbers by stars before a message is stored or delivered."""

import re

from pydantic import BaseModel, Field

from imserver import Element, Message, hookimpl

CARD = re.compile(r"\b(?:\d[ -]?){12,15}(\d{4})\b")


class Settings(BaseModel, extra="forbid"):
    stars: str = Field(default="****", description="What stands in place of the digits.")


class Plugin:
    def __init__(self, settings: Settings) -> None:
        self.stars = rf"{settings.stars}\1"

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[BaseModel]]:
        return [Settings]

    @hookimpl
    def refine_message(self, message: Message) -> Message | None:
        body = message.body
        if not CARD.search(body):
            return None
        message.remove("body", "jabber:client")
        return message.add(Element("body", "jabber:client", text=CARD.sub(self.stars, body)))
