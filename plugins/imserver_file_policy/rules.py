"""Whether a file may come, by what is said of it before there is anything of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from imserver_file_policy import kinds, names
from imserver_file_policy.refusal import Refusal
from imserver_file_policy.settings import Rule


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who wants to upload, as far as rules look."""

    role: Literal["agent", "client", "account"]
    #: Where the file may go, or comes from.
    channels: Sequence[str] = ("xmpp",)

    @property
    def direction(self) -> Literal["in", "out"]:
        return "out" if self.role == "agent" else "in"


def rules_for(asker: Asker, rules: Iterable[Rule]) -> list[Rule]:
    """Find the rules of somebody: one for each channel that the file may go to.

    Raises:
        Refusal: If there is none.
    """
    rules = list(rules)
    found: list[Rule] = []
    for channel in asker.channels:
        rule = next((one for one in rules if _is_about(one, asker, channel)), None)
        if rule is None:
            raise Refusal("no_rule")
        if rule not in found:
            found.append(rule)
    return found


def _is_about(rule: Rule, asker: Asker, channel: str) -> bool:
    return (
        rule.channel in (channel, "*")
        and rule.direction in (asker.direction, "*")
        and rule.role in (asker.role, "*")
    )


def check(rule: Rule, name: str, type: str, size: int) -> None:
    """Check what a file is said to be.

    Raises:
        Refusal: If that is not allowed.
    """
    check_name(rule, name)
    check_type(rule, names.extension(name), type)
    if size > rule.max_bytes:
        raise Refusal("too_large", rule)


def check_name(rule: Rule, name: str) -> None:
    """Check what a file is called.

    Raises:
        Refusal: If that is not allowed.
    """
    extension = names.extension(name)
    if not _allows(rule, extension):
        raise Refusal("extension" if extension else "no_extension", rule, extension=extension)
    if names.is_misleading(name):
        raise Refusal("misleading", rule)
    if (hidden := names.hidden(name)) and hidden not in rule.extensions:
        raise Refusal("hidden", rule, hidden=hidden)


def _allows(rule: Rule, extension: str) -> bool:
    return extension in rule.extensions or ("*" in rule.extensions and extension not in names.DANGEROUS)


def check_type(rule: Rule, extension: str, type: str) -> None:
    """Check what media type a file is said to be of; not to say it, or to say that it is just bytes, is fine.

    Raises:
        Refusal: If it does not fit the extension, or is not allowed.
    """
    says_nothing = type in ("", kinds.ANYTHING)
    if not says_nothing and not kinds.suits(type, extension):
        raise Refusal("type", rule, type=type, extension=extension)
    own = kinds.TYPES[extension][0] if extension in kinds.TYPES else type
    if rule.types and own and not kinds.is_one_of(own, rule.types):
        raise Refusal("type", rule, type=own, extension=extension)


def check_content(rule: Rule, extension: str, found: str) -> None:
    """Check what a file turned out to be.

    Raises:
        Refusal: If it is not what its extension says, or is not allowed.
    """
    if not kinds.suits(found, extension):
        raise Refusal("content", rule, extension=extension, found=found)
    if extension in kinds.TYPES:
        return  # and its type was allowed before
    if not extension and not any(kinds.suits(found, one) for one in rule.extensions if one in kinds.TYPES):
        raise Refusal("content", rule, extension=extension, found=found)
    if rule.types and not kinds.is_one_of(found, rule.types):
        raise Refusal("type", rule, type=found, extension=extension)
