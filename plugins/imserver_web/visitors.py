"""Who is at the door, and who is inside: people on web pages, by the address that they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imserver_web.keys import new_client_key
from imserver_web.limits import Bucket
from imserver_web.tokens import Claim

if TYPE_CHECKING:
    from imserver import Guest, Server
    from imserver_web.keys import OwnKeys

#: Where a session keeps it.
FEATURE: Final = "web visitor"


@dataclass(slots=True)
class Visitor:
    """Somebody on a web page; one who has written is a client of the desk."""

    claim: Claim
    #: What they may still send at once.
    bucket: Bucket = field(default_factory=lambda: Bucket(0.0, 0.0))
    #: Whether it was looked up if they are a client; until they write, that does not change.
    is_stranger: bool = False


def visitor_of(guest: Guest) -> Visitor:
    """Find who a session belongs to."""
    visitor: Visitor = guest.features[FEATURE]
    return visitor


def newcomer() -> tuple[str, Claim]:
    """Make up who somebody is whom nobody knows."""
    key = new_client_key()
    return key, claim_of(key)


def claim_of(key: str) -> Claim:
    """Say who somebody is for whom nobody vouches."""
    return Claim(f"web:{key}")


async def key_of(server: Server, keys: OwnKeys, claim: Claim) -> str:
    """Find the key of a client, or the one that they will have when they write."""
    known = await server.store.desk.client_of(claim.alias)
    if known is not None:
        return known.key
    return keys.client_key(claim.alias) if claim.site else claim.alias.partition(":")[2]
