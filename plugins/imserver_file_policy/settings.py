"""What an admin can set: `[plugins.file_policy]`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from imserver_file_policy.clamd import Place

_USUAL: Final = """
    avif bmp gif heic heif jpeg jpg png tif tiff webp
    csv doc docx ics log md odp ods odt pdf ppt pptx rtf txt vcf xls xlsx
    aac amr flac m4a mp3 oga ogg opus wav weba
    3gp avi m4v mkv mov mp4 ogv webm
    zip
"""
#: What clients and agents of a contact centre send each other.
USUAL: Final = tuple(_USUAL.split())
MiB: Final = 1024 * 1024


def _extension(written: str) -> str:
    plain = written.strip().lower().removeprefix(".")
    if plain != "*" and (not plain.isprintable() or set(plain) & set(" ./\\*")):
        raise ValueError('an extension, such as "pdf"')
    return plain


def _type(written: str) -> str:
    plain = written.strip().lower()
    if plain.count("/") != 1 or not all(plain.split("/")):
        raise ValueError('a media type, such as "image/jpeg" or "image/*"')
    return plain


def _place(written: str) -> str:
    if written:
        Place.parse(written)
    return written


Extension = Annotated[str, AfterValidator(_extension)]
Type = Annotated[str, AfterValidator(_type)]
Decision = Literal["refuse", "keep"]


class Rule(BaseModel):
    """What some people may upload; the first rule that is about somebody is theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="usual files", description="What the rule is called in refusals.")
    channel: str = Field(
        default="*",
        pattern=r"^([a-z0-9-]+|\*)$",
        description='The channel of the client: "xmpp", "whatsapp", "web" …; "*" is any.',
    )
    direction: Literal["in", "out", "*"] = Field(
        default="*", description='"in" is from clients, "out" is from agents; "*" is both.'
    )
    role: Literal["agent", "client", "account", "*"] = Field(
        default="*",
        description='Who uploads: an "agent" of a queue, a "client", any other "account" here; "*" is anybody.',
    )
    extensions: tuple[Extension, ...] = Field(
        default=USUAL, description='The extensions that are allowed; "" is a file without one, "*" is any.'
    )
    types: tuple[Type, ...] = Field(
        default=(),
        description='The media types that are allowed, such as "image/*"; none is all of those extensions.',
    )
    max_bytes: int = Field(default=50 * MiB, gt=0, description="The largest file, in bytes.")
    check_content: bool = Field(
        default=True,
        description="Whether a file has to be what its name says; an encrypted one (OMEMO) never is.",
    )


class Settings(BaseModel):
    """The table `[plugins.file_policy]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    macros: Decision = Field(
        default="refuse", description='What becomes of office documents with macros: "refuse" or "keep".'
    )
    encrypted_archives: Decision = Field(
        default="refuse", description="What becomes of zip archives that can't be opened without a password."
    )
    nested_archives: Decision = Field(
        default="refuse", description="What becomes of archives that hold archives."
    )
    archive_entries: int = Field(
        default=1000, gt=0, le=20_000, description="How many files a zip archive may hold."
    )
    archive_bytes: int = Field(
        default=500 * MiB, gt=0, description="How much a zip archive may hold when it is unpacked, in bytes."
    )
    archive_ratio: int = Field(
        default=200, gt=1, description="How many times its own size a zip archive may hold, from 10 MiB on."
    )
    inspect_seconds: float = Field(
        default=15.0, gt=0, le=20, description="How long it may take to see what is in a file, in seconds."
    )
    clamd: Annotated[str, AfterValidator(_place)] = Field(
        default="",
        description='Where clamd is: "unix:/run/clamav/clamd.ctl" or "tcp:127.0.0.1:3310"; "" is no scan.',
    )
    scan_seconds: float = Field(
        default=60.0,
        gt=0,
        le=60,
        description="How long a file is held until clamd has its verdict, in seconds.",
    )
    on_scan_failure: Decision = Field(
        default="refuse", description="What becomes of a file that clamd has no verdict on by then."
    )
    foreign_links: Literal["refuse", "allow"] = Field(
        default="allow", description="What becomes of clients' links to files elsewhere (XEP-0066, XEP-0447)."
    )
    rules: tuple[Rule, ...] = Field(
        default=(Rule(),),
        description="Who may upload what: the first rule that is about somebody counts; nobody's is nothing.",
    )
