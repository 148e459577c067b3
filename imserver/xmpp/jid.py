"""RFC 7622: XMPP addresses."""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Self

import idna
from precis_i18n import get_profile

# RFC 7622, 3.1: three parts of at most 1023 bytes, and two separators.
LONGEST_PART = 1023
LONGEST_ADDRESS = 3 * LONGEST_PART + 2

# Longer addresses are parsed anew each time: strangers choose them, we pay for the memory.
LONGEST_REMEMBERED = 128

# What is plain ASCII and allowed needs no look into the Unicode tables.
PLAIN_LOCAL = re.compile(r"[!#-%(-.0-9;=?A-Z\[-~]+", re.ASCII)
PLAIN_RESOURCE = re.compile(r"[!-~][ -~]*", re.ASCII)
# RFC 5890, 2.3.1: letters, digits and inner hyphens; "--" in third place is left to IDNA.
PLAIN_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PLAIN_DOMAIN = re.compile(rf"{PLAIN_LABEL}(?:\.{PLAIN_LABEL})*", re.ASCII | re.IGNORECASE)

# RFC 7622, 3.3.1: allowed by PRECIS, but not in a local part.
FORBIDDEN_IN_LOCAL = frozenset("\"&'/:<>@")

_enforce_username = get_profile("UsernameCaseMapped").enforce
_enforce_opaque = get_profile("OpaqueString").enforce


class JIDError(ValueError):
    """The text is not an XMPP address."""


class JID(str):
    """An address, which is its own normalised text."""

    __slots__ = ("bare", "domain", "local", "resource")

    local: str
    domain: str
    resource: str
    bare: "JID"
    """The account or the server, without the resource."""

    def __new__(cls, local: str, domain: str, resource: str = "") -> Self:
        text = f"{local}@{domain}" if local else domain
        jid = super().__new__(cls, f"{text}/{resource}" if resource else text)
        jid.local = local
        jid.domain = domain
        jid.resource = resource
        # Asked for many times with every message: not a property.
        jid.bare = cls(local, domain) if resource else jid
        return jid

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str]]:
        return type(self), (self.local, self.domain, self.resource)

    @staticmethod
    def parse(text: str) -> "JID":
        """Read and normalise an address that somebody else wrote.

        Raises:
            JIDError: If it is not a valid address.
        """
        if len(text) <= LONGEST_REMEMBERED:
            return _parse_and_remember(text)
        if len(text) > LONGEST_ADDRESS:
            raise JIDError("an address has at most 3071 bytes")
        return _parse(text)

    @staticmethod
    def of(local: str, domain: str, resource: str = "") -> "JID":
        """Join parts that are known to be normalised already."""
        return JID(local, domain, resource)

    @property
    def is_bare(self) -> bool:
        return not self.resource

    def with_resource(self, resource: str) -> "JID":
        """Name one resource of this address, normalising it.

        Raises:
            JIDError: If it cannot be a resource.
        """
        return JID(self.local, self.domain, prepare_resource(resource))


def _parse(text: str) -> JID:
    # RFC 7622, 3.1: the first "/" begins the resource; only before it does an "@" count,
    # and a second one there is refused as part of the local part.
    address, slash, resource = text.partition("/")
    local, at, domain = address.rpartition("@")
    return JID(
        prepare_local(local) if at else "",
        prepare_domain(domain),
        prepare_resource(resource) if slash else "",
    )


_parse_and_remember = lru_cache(maxsize=65536)(_parse)


def prepare_local(text: str) -> str:
    """Normalise a local part (RFC 7622, 3.3).

    Raises:
        JIDError: If it is empty, too long or not allowed.
    """
    if PLAIN_LOCAL.fullmatch(text):
        return _of_right_length(text.lower())
    local = _enforce(_enforce_username, text)
    if not FORBIDDEN_IN_LOCAL.isdisjoint(local):
        raise JIDError("a local part cannot contain any of \" & ' / : < > @")
    return _of_right_length(local)


def prepare_domain(text: str) -> str:
    """Normalise a domain: a name in U-labels or an IP address (RFC 7622, 3.2).

    Raises:
        JIDError: If it is empty, too long or not allowed.
    """
    name = text.removesuffix(".")
    if PLAIN_DOMAIN.fullmatch(name):
        return _of_right_length(name.lower())
    if text.startswith("[") and text.endswith("]"):
        return f"[{_enforce(_enforce_ipv6, text[1:-1])}]"
    return _of_right_length(_enforce(_enforce_idna, text))


def prepare_resource(text: str) -> str:
    """Normalise a resource (RFC 7622, 3.4).

    Raises:
        JIDError: If it is empty, too long or not allowed.
    """
    if PLAIN_RESOURCE.fullmatch(text):
        return _of_right_length(text)
    resource = _enforce(_enforce_opaque, text)
    # RFC 7622, 3.5: example 18 is invalid, though PRECIS alone would let it pass.
    if resource.startswith(" "):
        raise JIDError("a resource cannot begin with a space")
    return _of_right_length(resource)


def _enforce(profile: Callable[[str], str], text: str) -> str:
    if len(text) > LONGEST_PART:
        raise JIDError("a part of an address has at most 1023 bytes")
    try:
        return profile(text)
    except ValueError as error:
        raise JIDError(f"not allowed in an address: {text!r}") from error


def _enforce_ipv6(text: str) -> str:
    if "%" in text:
        raise JIDError("an address cannot name a network interface")
    return str(IPv6Address(text))


def _enforce_idna(text: str) -> str:
    labels = idna.uts46_remap(text, std3_rules=True).removesuffix(".").split(".")
    return ".".join(idna.ulabel(idna.alabel(label)) for label in labels)


def _of_right_length(part: str) -> str:
    if not part or len(part.encode()) > LONGEST_PART:
        raise JIDError("a part of an address has between 1 and 1023 bytes")
    return part
