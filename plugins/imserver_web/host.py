"""Lets visitors in, and looks at all that they send: they may talk to queues, ask a few things, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from imserver import IQ, JID, Guest, Host, Login, Message, Presence, SASLError, Stanza, StanzaError
from imserver.desk import Recent
from imserver_web.limits import Bucket, Buckets, Sessions, network_of
from imserver_web.tokens import TokenRefused
from imserver_web.visitors import FEATURE, Visitor, claim_of, key_of, newcomer, visitor_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from imserver.desk import Desk
    from imserver_web.answers import VisitorAnswers
    from imserver_web.channel import WebChannel
    from imserver_web.keys import OwnKeys
    from imserver_web.settings import Settings
    from imserver_web.tokens import Claim, Tokens

#: Those who have said who they are, and have no session yet.
MOST_AT_THE_DOOR: Final = 10_000
#: What presence of a visitor may say.
_TYPES: Final = ("", "probe", "unavailable")


class WebHost(Host):
    """The door of a web channel."""

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        *,
        keys: OwnKeys,
        tokens: Tokens,
        channel: WebChannel,
        answers: VisitorAnswers,
    ) -> None:
        self.mechanisms = ("OAUTHBEARER", "ANONYMOUS") if settings.anonymous else ("OAUTHBEARER",)
        self._desk = desk
        self._settings = settings
        self._keys = keys
        self._tokens = tokens
        self._channel = channel
        self._answers = answers
        self._clock = asyncio.get_running_loop().time
        self._sign_ins = Buckets(self._now)
        self._stanzas = Buckets(self._now)
        self._sessions = Sessions()
        self._at_the_door: Recent[str, Claim] = Recent(MOST_AT_THE_DOOR)
        domain = desk.server.domain
        #: Whose stanzas visitors may see, besides those that are their own.
        self._seen = frozenset({JID.parse(desk.domain), domain, channel.jid, JID.of("", f"upload.{domain}")})

    def _now(self) -> float:
        return self._clock()

    # At the door

    def welcomes(self, origin: str) -> bool:
        """Tell whether web pages of this origin may connect to get there."""
        return "*" in self._settings.origins or origin.lower() in self._settings.origins

    async def identify(self, login: Login) -> str:
        """Say who it is.

        Raises:
            SASLError: If they are not let in.
        """
        settings, address = self._settings, network_of(login.address)
        rate = settings.sign_ins_per_minute
        if not self._sign_ins.take(address, rate / 60, rate):
            raise SASLError(
                "temporary-auth-failure", "Too many have signed in from your address; wait a while"
            )
        if self._sessions[address] >= settings.sessions_per_address:
            raise SASLError("temporary-auth-failure", "Too many are signed in from your address")
        if login.mechanism == "ANONYMOUS":
            key, claim = newcomer()
        else:
            try:
                claim = self._tokens.read(login.token)
            except TokenRefused as refused:
                self._desk.server.log.info("a token was refused", reason=str(refused), address=login.address)
                raise SASLError("not-authorized", "This token does not count") from refused
            key = await key_of(self._desk.server, self._keys, claim)
            await self._channel.find_elsewhere(key)
        self._at_the_door[key] = claim
        return key

    def opened(self, guest: Guest) -> None:
        """Take note of a new session."""
        self._sessions.opened(network_of(guest.address))
        claim = self._at_the_door.get(guest.bare.local) or claim_of(guest.bare.local)
        bucket = Bucket(self._now(), self._settings.stanzas_per_second * self._settings.burst_seconds)
        guest.features[FEATURE] = Visitor(claim, bucket)

    def closed(self, guest: Guest) -> None:
        """Take note that a session is over."""
        self._sessions.closed(network_of(guest.address))
        self._channel.gone(guest.jid)

    # What they send

    def check(self, guest: Guest, stanza: Stanza) -> None:
        """Let nobody flood us, and messages go to queues only.

        Raises:
            StanzaError: If it may not be sent.
        """
        self._check_rate(guest)
        if isinstance(stanza, Message):
            self._check_message(stanza)

    def _check_rate(self, guest: Guest) -> None:
        settings, now = self._settings, self._now()
        rate, together = settings.stanzas_per_second, settings.stanzas_per_second_and_address
        address = network_of(guest.address)
        if not visitor_of(guest).bucket.take(now, rate, rate * settings.burst_seconds):
            raise StanzaError("policy-violation", "You send too much; wait a while", type="wait")
        if not self._stanzas.take(address, together, together * settings.burst_seconds):
            raise StanzaError(
                "policy-violation", "Too much is sent from your address; wait a while", type="wait"
            )

    def _check_message(self, message: Message) -> None:
        if message.to is None or not self._channel.is_open_to_visitors(message.to):
            # The same for an account, for one that is not there, and for a queue that is not for visitors.
            raise StanzaError("forbidden", "Visitors write to queues only")
        if message.type not in ("chat", "normal", "error"):
            raise StanzaError("service-unavailable", "A queue takes chats only")
        if message.has_body and len(message.body) > self._settings.message_characters:
            raise StanzaError(
                "policy-violation",
                f"A message may have up to {self._settings.message_characters} characters",
                type="modify",
            )

    def serve(self, guest: Guest, stanza: IQ | Presence) -> Awaitable[None] | None:
        """Take a question, or presence."""
        if isinstance(stanza, IQ):
            return self._answers.receive(guest, stanza)
        return self._take_presence(guest, stanza)

    def _take_presence(self, guest: Guest, presence: Presence) -> Awaitable[None] | None:
        if presence.type == "error":
            return None
        if presence.type not in _TYPES:
            raise StanzaError("forbidden", "Visitors have no contacts")
        if presence.to is None:
            is_there = presence.type == ""
            guest.presence = presence if is_there else None
            guest.priority = presence.priority if is_there else 0
            return None
        if not self._channel.is_open_to_visitors(presence.to):
            raise StanzaError("forbidden", "Visitors see queues only")
        if presence.type == "unavailable":
            return None
        # To show oneself to a queue is to ask how it is.
        probe = Presence(type="probe", sender=guest.jid, to=presence.to.bare)
        return self._desk.server.router.deliver(probe)

    # What they see

    def shows(self, guest: Guest, stanza: Stanza) -> bool:
        """Tell whether a stanza is from a queue, a service, or from themselves; else it stays here."""
        sender = stanza.sender
        if sender is None or sender.bare == guest.bare or sender in self._seen:
            return True
        if sender.domain == self._desk.domain and sender.is_bare:
            return True
        self._desk.server.log.error("a visitor was almost shown what is not for them", kind=stanza.name)
        return False
