"""What an admin can set about names."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from imserver import JID, JIDError
from imserver.desk import clean_name

AgentName = Literal["queue", "alias", "real", "none"]

FIELDS: Final = ("name", "number")


def _pattern(text: str) -> str:
    try:
        fields = [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(text)]
    except ValueError as error:
        raise ValueError("a text with {name} and {number} is expected") from error
    used = [one for one in fields if one[0] is not None]
    if any(field not in FIELDS or spec or conversion for field, spec, conversion in used):
        raise ValueError("nothing but {name} and {number} can stand in it")
    if text and "name" not in [field for field, *_ in used]:
        raise ValueError("{name} is expected in it")
    return text


def _aliases(aliases: dict[str, str]) -> dict[str, str]:
    return {_account(account): _alias(alias) for account, alias in aliases.items()}


def _account(text: str) -> str:
    try:
        jid = JID.parse(text)
    except JIDError as error:
        raise ValueError(f"{text!r} is no account, such as ana@example.com") from error
    if not jid.local or not jid.is_bare:
        raise ValueError(f"{text!r} is no account, such as ana@example.com")
    return jid


def _alias(text: str) -> str:
    if not clean_name(text) or "@" in text:
        raise ValueError(f"{text!r} is no name")
    return clean_name(text)


class Settings(BaseModel, extra="forbid", frozen=True):
    """The table `[plugins.display_name]`."""

    send_display_name_in_from_header: bool = Field(
        default=True, description="Whether agents see the names of clients; else they see the number."
    )
    claimed: Annotated[str, AfterValidator(_pattern)] = Field(
        default="“{name}” ({number})",
        description='How a name is shown that only the client vouches for; "" is never.',
    )
    refused: tuple[str, ...] = Field(
        default=("Admin", "Administrator", "Support", "System"),
        description="What no client may call themselves, besides the names of agents and queues.",
    )
    names: str = Field(
        default="",
        description='The file with verified names, a line `alias,name` for each client, re-read live; "" is none.',
    )
    agent_name: AgentName = Field(
        default="queue",
        description='What clients see of an agent: "queue" (its title), "alias", "real" (of the vCard) or "none".',
    )
    aliases: Annotated[dict[str, str], AfterValidator(_aliases)] = Field(
        default_factory=dict,
        description="The aliases of agents, by account; who has none shows the queue's title.",
    )
