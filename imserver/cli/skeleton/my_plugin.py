"""Spells out abbreviations before a message is stored or delivered."""

import re

from pydantic import BaseModel, Field

from imserver import Element, Message, Server, hookimpl

BODY = "body", "jabber:client"


class Settings(BaseModel, extra="forbid"):
    """What may stand in `[plugins.my_plugin]`."""

    words: dict[str, str] = Field(
        default={"brb": "be right back"},
        description="What stands for what.",
    )


class Plugin:
    def __init__(self, settings: Settings) -> None:
        self.words = settings.words
        self.pattern = re.compile(rf"\b({'|'.join(map(re.escape, settings.words))})\b")

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[BaseModel]]:
        return [Settings]

    @hookimpl
    def server_started(self, server: Server) -> None:
        server.log.info("spelling out abbreviations", words=len(self.words))

    @hookimpl
    def refine_message(self, message: Message) -> Message | None:
        if not self.words or not self.pattern.search(message.body):
            return None
        body = self.pattern.sub(lambda found: self.words[found[0]], message.body)
        message.remove(*BODY)
        return message.add(Element(*BODY, text=body))
