"""Answers written beforehand: plugins have them; the desk offers them to agents, and sends them in their name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from imserver.desk.effects import Refused


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that an agent fills in."""

    name: str
    description: str = ""
    default: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """An answer written beforehand."""

    shortcut: str
    title: str = ""
    #: Its language; "" for one that is for all.
    lang: str = ""
    variables: Sequence[Variable] = ()
    #: The name of the file that goes with it; "" if there is none.
    file: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with its variables filled in."""

    template: Template
    #: What would be said; what is missing stands there by name.
    text: str
    #: The file that goes with it.
    file: Path | None = None
    #: Why it can't be sent.
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What a template may say of a client or an agent; what is not known is ""."""

    name: str = ""
    address: str = ""
    language: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What a template may say of a queue."""

    name: str = ""
    title: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a template is to be sent, and what it may speak of."""

    client: Person
    agent: Person
    queue: Place
    #: In the time zone of the queue.
    now: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of a template."""

    #: The text; of a file without one, its name.
    text: str
    #: Whether all of the agent's devices have it.
    is_shown: bool
