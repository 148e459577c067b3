"""Replaces credit-card numbers by stars before a message is stored or delivered."""

import re

from pydantic import BaseModel, Field

from imserver import Element, Message, hookimpl

CARD = re.compile(r"\b(?:\d[ -]?){12,15}(\d{4})\b")


class Settings(BaseModel, extra="forbid"):
    stars: str = Field(default="****", description="What stands in place of the digits.")


class Plugin:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[BaseModel]]:
        return [Settings]

    @hookimpl
    def refine_message(self, message: Message) -> Message:
        masked = CARD.sub(rf"{self.settings.stars}\1", message.body)
        if masked != message.body:
            message.remove("body", "jabber:client")
            message.add(Element("body", "jabber:client", text=masked))
        return message
