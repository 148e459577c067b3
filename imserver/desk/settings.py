"""What an admin can set in desk.toml: the desk, and each of its queues."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from imserver.desk.texts import LANGUAGES, TEXTS
from imserver.settings import Account, Domain, Problem, SettingsError, Table, explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A queue's name is the local part of its address, and the name of its table.
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_SPAN: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class Span(NamedTuple):
    """A part of a day, in minutes from its midnight; it may end on the next day."""

    start: int
    end: int

    def __str__(self) -> str:
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, _of_day(self.end)))

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read `09:00-18:00`; what ends before it starts, as `22:00-06:00`, ends on the next day.

        Raises:
            ValueError: If it is anything else.
        """
        if isinstance(text, cls):
            return text
        if isinstance(text, str) and (found := _SPAN.fullmatch(text)):
            hour, minute, end_hour, end_minute = map(int, found.groups())
            start, end = 60 * hour + minute, 60 * end_hour + end_minute
            if start < 24 * 60 and end <= 24 * 60:
                return cls(start, end if end > start else end + 24 * 60)
        raise ValueError('opening hours, such as "09:00-18:00" or "22:00-06:00"')


def _of_day(minute: int) -> int:
    return minute if minute <= 24 * 60 else minute - 24 * 60


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError('a time zone, such as "Europe/Madrid" or "UTC"') from error
    return text


def _holiday(text: object) -> str:
    """Read `2026-12-25`, quoted or not, or `12-25` for every year."""
    try:
        written = text.isoformat() if isinstance(text, date) else str(text)
        date.fromisoformat(written if len(written) > 5 else f"2000-{written}")
    except ValueError as error:
        raise ValueError('days, such as "2026-12-25", or "12-25" for every year') from error
    return written


def _prefix(text: str) -> str:
    if not text or text.isalnum() or text != text.strip() or len(text) > 5:
        raise ValueError('a sign that no sentence begins with, such as "!"')
    return text


def _nothing_if_empty(value: object) -> object:
    return None if value == "" else value


TimeZone = Annotated[str, AfterValidator(_zone)]
Hours = Annotated[Span, PlainValidator(Span.parse), PlainSerializer(str)]
Holiday = Annotated[str, PlainValidator(_holiday)]
Level = Annotated[int, Field(ge=1, le=10)]
Seconds = Annotated[float, Field(ge=0)]
#: Texts by language and key, where they are not to be the built-in ones; "" is not said at all.
Texts = dict[str, dict[str, str]]


class AgentSettings(Table):
    """What one member of a queue has otherwise than the rest."""

    capacity: int | None = Field(
        default=None,
        ge=0,
        description="How many conversations this agent may have at once; as agent_capacity where it is not set.",
    )
    skills: dict[str, Level] = Field(
        default_factory=dict,
        description="What this agent knows, from 1 to 10, such as { billing = 3 }.",
    )


class QueueSettings(Table):
    title: str = Field(
        default="",
        description='What people call the queue; "" is its name.',
    )
    members: tuple[Account, ...] = Field(
        default=(),
        description="The agents of the queue, as accounts.",
    )
    accept: Literal["offer", "assign"] = Field(
        default="offer",
        description='Whether agents are asked first ("offer"), or are given a conversation at once ("assign").',
    )
    strategy: str = Field(
        default="longest-idle",
        min_length=1,
        description="Who is asked first: longest-idle, least-busy, round-robin, all-at-once, or what a plugin adds.",
    )
    offer_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How long an agent may think about an offer, in seconds.",
    )
    misses_before_pause: int = Field(
        default=3,
        ge=0,
        description="After how many unanswered offers in a row an agent is paused; 0 is never.",
    )
    ask_again_seconds: float = Field(
        default=30.0,
        gt=0,
        description="After how long those who declined, or did not answer, may be asked once more, in seconds.",
    )
    capacity: int = Field(
        default=0,
        ge=0,
        description="How many conversations of the queue may be served at once; 0 is as many as the agents can.",
    )
    agent_capacity: int = Field(
        default=5,
        ge=0,
        description="How many conversations an agent may have at once, those of other queues and wrap-up included.",
    )
    skills: dict[str, Level] = Field(
        default_factory=dict,
        description="What an agent must know to be asked, from 1 to 10, such as { billing = 3 }.",
    )
    relax_after_seconds: Seconds = Field(
        default=0.0,
        description="After how long each wanted skill is lowered by one, and so on, in seconds; 0 is never.",
    )
    priority: int = Field(
        default=50,
        ge=1,
        le=99,
        description="Who is first when an agent of several queues is free: 1 is first, 99 is last.",
    )
    delay_seconds: Seconds = Field(
        default=0.0,
        description="How long a client waits at least before an agent is asked, in seconds.",
    )
    prefer_last_agent: bool = Field(
        default=True,
        description="Whether a client who returns is first offered to the agent who knows them.",
    )
    prefer_seconds: Seconds = Field(
        default=60.0,
        description="How long a client who returns waits for that agent, who is there but busy, in seconds.",
    )
    overflow_queue: str = Field(
        default="",
        description='The queue where those go who wait too long; "" is none.',
    )
    overflow_after_seconds: float = Field(
        default=120.0,
        gt=0,
        description="How long they wait here before they go there, in seconds.",
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="The time zone of the opening hours.",
    )
    hours: dict[Weekday, tuple[Hours, ...]] = Field(
        default_factory=dict,
        description='The opening hours by day, such as { monday = ["09:00-13:00", "15:00-18:00"] }; {} is always.',
    )
    holidays: tuple[Holiday, ...] = Field(
        default=(),
        description='The days when it is closed, such as "2026-12-24", or "12-25" for every year.',
    )
    position_seconds: Seconds = Field(
        default=60.0,
        description="How often a client who waits is told a changed position, in seconds; 0 is never.",
    )
    silent_warning_seconds: Seconds = Field(
        default=1800.0,
        description="How long a client may be silent before a warning, in seconds; 0 is for ever.",
    )
    silent_close_seconds: float = Field(
        default=600.0,
        gt=0,
        description="How long after the warning the conversation is closed, in seconds.",
    )
    wrap_up_seconds: Seconds = Field(
        default=0.0,
        description="How long an agent may write up a conversation that is over, in seconds.",
    )
    wrap_up_codes: tuple[str, ...] = Field(
        default=(),
        description="The codes that a conversation may be closed with; [] accepts any.",
    )
    wrap_up_required: bool = Field(
        default=False,
        description="Whether an agent must give a code.",
    )
    lost_agent_grace_seconds: Seconds = Field(
        default=60.0,
        description="How long an agent may be offline before their clients go back to the queue, in seconds.",
    )
    reopen_seconds: Seconds = Field(
        default=900.0,
        description="How long after the end the client's next words continue the conversation, in seconds.",
    )
    agents: dict[str, AgentSettings] = Field(
        default_factory=dict,
        description="What single members have otherwise, by account.",
    )
    texts: Texts = Field(
        default_factory=dict,
        description='What is said otherwise here, by language and key, such as { en = { welcome = "Hello!" } }.',
    )

    def capacity_of(self, agent: str) -> int:
        """Tell how many conversations an agent may have at once, to be given one of this queue."""
        own = self.agents.get(agent)
        return self.agent_capacity if own is None or own.capacity is None else own.capacity

    def level_of(self, agent: str, skill: str) -> int:
        """Tell how well an agent knows something; 0 is not at all."""
        own = self.agents.get(agent)
        return own.skills.get(skill, 0) if own else 0

    @property
    def highest_skill(self) -> int:
        """After so many steps of relaxing nothing is wanted any more."""
        return max(self.skills.values(), default=0)


class DeskSettings(Table):
    """Everything an admin can set about the desk; all of it is re-read live, but the domain."""

    domain: Annotated[Domain | None, BeforeValidator(_nothing_if_empty)] = Field(
        default=None,
        description='The domain of the queues; "" is desk.<domain of the server>.',
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="!",
        description="What a line of an agent begins with that is a command; written twice, it is that sign.",
    )
    language: str = Field(
        default="en",
        min_length=2,
        description="The language for those whose own is not known, or not spoken here.",
    )
    name_seconds: float = Field(
        default=3600,
        gt=0,
        description="How long the name that a plugin found for a client counts until it is asked again, in seconds.",
    )
    texts: Texts = Field(
        default_factory=dict,
        description='What all queues say otherwise, by language and key, such as { en = { closed = "Bye!" } }.',
    )
    queues: dict[str, QueueSettings] = Field(
        default_factory=dict,
        description="The queues, each in a table of its own, [queues.<name>].",
    )

    @model_validator(mode="after")
    def _agree_with_each_other(self) -> Self:
        if problems := tuple(_contradictions(self)):
            raise PydanticCustomError("contradiction", "settings disagree", {"problems": problems})
        return self


def read_desk(text: str, file: Path) -> DeskSettings:
    """Read what stands in desk.toml.

    Raises:
        SettingsError: If it is not TOML, or not settings of the desk.
    """
    try:
        return DeskSettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{file}: not TOML: {error}"]) from error
    except ValidationError as error:
        raise explain(error, DeskSettings, str(file)) from error


def _contradictions(settings: DeskSettings) -> Iterator[Problem]:
    spoken = LANGUAGES | settings.texts.keys()
    if settings.language not in spoken:
        expected = f"one that has texts: {', '.join(sorted(spoken))}"
        yield Problem(("language",), settings.language, expected)
    yield from _text_problems(("texts",), settings.texts)
    for name, queue in settings.queues.items():
        at = ("queues", name)
        if not NAME.fullmatch(name):
            yield Problem(at, name, "a name of small letters, digits, - and _, such as support")
        yield from _overflow_problems(settings, name, queue)
        for agent in queue.agents:
            if agent not in queue.members:
                yield Problem((*at, "agents"), agent, f"one of the members of [queues.{name}]")
        if queue.wrap_up_required and not queue.wrap_up_codes:
            yield Problem((*at, "wrap_up_codes"), [], "the codes, since wrap_up_required is true")
        yield from _text_problems((*at, "texts"), queue.texts)


def _overflow_problems(settings: DeskSettings, name: str, queue: QueueSettings) -> Iterator[Problem]:
    at = ("queues", name, "overflow_queue")
    if queue.overflow_queue and queue.overflow_queue not in settings.queues:
        yield Problem(at, queue.overflow_queue, f"one of: {', '.join(settings.queues)}")
        return
    passed = {name}
    following = queue.overflow_queue
    while following and following in settings.queues and following not in passed:
        passed.add(following)
        following = settings.queues[following].overflow_queue
    if following == name:
        yield Problem(at, queue.overflow_queue, "a queue that does not lead back to this one")


def _text_problems(at: tuple[str, ...], texts: Texts) -> Iterator[Problem]:
    for lang, of_language in texts.items():
        for key, text in of_language.items():
            known = TEXTS.get(key)
            if known is None:
                yield Problem((*at, lang, key), text, f"one of the keys: {', '.join(TEXTS)}")
            elif (wrong := _wrong_placeholder(text, known)) is not None:
                allowed = ", ".join(f"{{{name}}}" for name in known) or "none"
                expected = f"a text with no other placeholders than: {allowed}; {wrong}"
                yield Problem((*at, lang, key), text, expected)


def _wrong_placeholder(text: str, known: tuple[str, ...]) -> str | None:
    """Find what would not be filled in, or would reach further than the value itself."""
    try:
        for _, name, form, conversion in Formatter().parse(text):
            if name is not None and (name not in known or form or conversion):
                return f"{{{name}}} is none"
    except ValueError as error:
        return str(error)
    return None
