"""What an admin can set: `[plugins.web]`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

#: RFC 7518, 3.2: a key for HS256 is as long as its hash, at least.
SHORTEST_KEY: Final = 32
_KID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RESERVED: Final = frozenset({"FORM_TYPE"})


def _origin(written: str) -> str:
    if written == "*":
        return written
    parts = urlsplit(written)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ValueError('an origin, such as "https://www.example.com", or "*"')
    return written.lower()


def _keys(keys: dict[str, str]) -> dict[str, str]:
    for kid, key in keys.items():
        if not _KID.fullmatch(kid):
            raise ValueError("names of keys of letters, digits, '.', '_' and '-'")
        if len(key.encode()) < SHORTEST_KEY:
            raise ValueError(f"keys of {SHORTEST_KEY} bytes or more")
    return keys


def _names(named: dict[str, object]) -> dict[str, object]:
    for name in named:
        if not _NAME.fullmatch(name):
            raise ValueError("names of small letters, digits, '_' and '-'")
    return named


Origin = Annotated[str, AfterValidator(_origin)]
#: A text, or one in each language, such as { en = "Your name", es = "Su nombre" }.
Words = str | dict[str, str]


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Site(Table):
    """A site that vouches for its own users."""

    keys: Annotated[dict[str, str], AfterValidator(_keys)] = Field(
        default_factory=dict,
        description="The keys that the site signs with (HS256), by their name (kid): while one is changed, both count.",
    )
    key_files: dict[str, Path] = Field(
        default_factory=dict,
        description="The same in files, by their name (kid), beside imserver.toml unless the path is absolute.",
    )


class Question(Table):
    """A field of a form (XEP-0004)."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,31}$",
        description='What it is called in the form; "name" is how the visitor is called, "email" how to reach them.',
    )
    label: Words = Field(description="What the visitor reads: a text, or one in each language.")
    type: Literal["text-single", "text-multi", "list-single", "boolean"] = Field(
        default="text-single", description="How it is filled in."
    )
    required: bool = Field(default=False, description="Whether it has to be filled in.")
    options: tuple[str, ...] = Field(default=(), description="What can be chosen from, of a list-single.")

    @model_validator(mode="after")
    def _lists_have_options(self) -> Question:
        if (self.type == "list-single") != bool(self.options):
            raise ValueError("options for a list-single, and for no other")
        return self


class QueuePage(Table):
    """How a queue shows itself to visitors."""

    form: tuple[Question, ...] = Field(default=(), description="What is asked before the chat.")
    leave_message: tuple[Question, ...] = Field(
        default=(),
        description="What is asked while the queue is closed, instead of a chat; none is the chat itself.",
    )
    survey: tuple[Question, ...] = Field(
        default=(), description="What is asked when the conversation is over."
    )
    theme: dict[str, str] = Field(
        default_factory=dict,
        description='How the widget looks, such as { accent = "#0a6" }: it knows what that means.',
    )


class Settings(Table):
    """The table `[plugins.web]`."""

    origins: tuple[Origin, ...] = Field(
        default=(),
        description='The origins of web pages whose visitors may sign in, besides those of [websocket]; "*" is any.',
    )
    queues_open_to_visitors: tuple[str, ...] = Field(
        default=(), description="The queues that visitors may write to; none is all of them."
    )
    anonymous: bool = Field(
        default=True,
        description="Whether visitors may come without a token; else a site has to vouch for them.",
    )
    token_days: float = Field(
        default=180,
        gt=0,
        le=3650,
        description="How long the token of a visitor counts, from each visit, in days.",
    )
    key_file: Path = Field(
        default=Path("web-keys"),
        description="The file with the keys of our own tokens, the newest first, in the data folder; made if missing.",
    )
    clock_skew_seconds: float = Field(
        default=30, ge=0, le=300, description="How far the clock of a site may be off, in seconds."
    )
    site_token_seconds: float = Field(
        default=86_400,
        gt=0,
        description="How far ahead the end of a site's token may be at most, in seconds.",
    )
    sign_ins_per_minute: int = Field(
        default=30, gt=0, description="How often visitors from one IP address may sign in within a minute."
    )
    sessions_per_address: int = Field(
        default=100, gt=0, description="How many sessions of visitors one IP address may have."
    )
    stanzas_per_second: float = Field(
        default=5, gt=0, description="How much a visitor may send on average, in stanzas a second."
    )
    stanzas_per_second_and_address: float = Field(
        default=50, gt=0, description="How much the visitors from one IP address may send together."
    )
    burst_seconds: float = Field(
        default=8, ge=1, description="How many seconds' worth of it may come at once."
    )
    message_characters: int = Field(
        default=5_000, gt=0, description="The longest message of a visitor, in characters."
    )
    upload_bytes_per_hour_and_address: int = Field(
        default=256 * 1024 * 1024,
        ge=0,
        description="How much visitors from one IP address may upload within an hour, in bytes; 0 is nothing.",
    )
    sites: Annotated[dict[str, Site], AfterValidator(_names)] = Field(
        default_factory=dict,
        description="The sites that vouch for their users, each in a table of its own, [plugins.web.sites.<name>].",
    )
    queues: dict[str, QueuePage] = Field(
        default_factory=dict,
        description="How queues show themselves, each in a table of its own, [plugins.web.queues.<name>].",
    )
