"""slixmpp, with everything it receives kept for the test to ask about."""

import ssl
from collections.abc import Callable
from typing import TypeVar

from slixmpp import JID, ClientXMPP, Iq, Message, Presence
from slixmpp.xmlstream.stanzabase import StanzaBase

from tests.clients.running import Account, RunningServer
from tests.clients.waiting import PATIENCE, Notice

Kind = TypeVar("Kind", Message, Presence, Iq)

# The XEPs that a test asks slixmpp for, or that a usual client speaks.
PLUGINS = (30, 49, 54, 59, 66, 85, 92, 115, 184, 191, 198, 199, 202, 203, 280, 297, 313, 333, 352, 359, 363)
EVENTS = ("session_start", "sm_enabled", "session_resumed", "failed_all_auth", "disconnected")


class Slixmpp:
    """One resource of one account."""

    def __init__(
        self,
        account: Account,
        server: RunningServer,
        resource: str = "slixmpp",
        *,
        mechanism: str | None = None,
        direct_tls: bool = False,
        newest_tls: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        self.account = account
        self.xmpp = ClientXMPP(f"{account.address}/{resource}", account.password, sasl_mech=mechanism)
        self.xmpp.ca_certs = server.certificate
        self.xmpp.ssl_context.maximum_version = newest_tls
        self.xmpp.enable_direct_tls = direct_tls
        self.xmpp.enable_starttls = not direct_tls
        self._port = server.ports.c2s_tls if direct_tls else server.ports.c2s
        self._received: list[StanzaBase] = []
        self._happened: list[str] = []
        self._notice = Notice()
        for number in PLUGINS:
            self.xmpp.register_plugin(f"xep_{number:04}")
        self.xmpp.add_filter("in", self._keep)
        for event in EVENTS:
            self.xmpp.add_event_handler(event, lambda _, event=event: self._keep_event(event))

    @property
    def address(self) -> str:
        """The full JID that the server bound."""
        return str(self.xmpp.boundjid.full)

    @property
    def tls_version(self) -> str:
        assert self.xmpp.transport is not None
        return str(self.xmpp.transport.get_extra_info("ssl_object").version())

    @property
    def mechanism(self) -> str:
        """How it proved who it is."""
        mechanism = self.xmpp.plugin["feature_mechanisms"].mech
        assert mechanism is not None
        return str(mechanism.name)

    async def sign_in(self) -> None:
        """Do what a client does first: authenticate, bind, roster, carbons, presence.

        Raises:
            PermissionError: If the server refuses the password.
        """
        self.connect()
        if await self.happens("session_start", "failed_all_auth") == "failed_all_auth":
            raise PermissionError(f"{self.account.address} may not sign in")
        await self.xmpp.get_roster()
        await self.xmpp.plugin["xep_0280"].enable()
        self.xmpp.send_presence()
        # The server reflects a presence to its own sender: RFC 6121, 4.2.2.
        await self.receives(Presence, lambda presence: presence["from"] == self.address)

    def connect(self) -> None:
        self.xmpp.connect("127.0.0.1", self._port)

    async def cut(self) -> None:
        """Lose the connection, without a word."""
        assert self.xmpp.transport is not None
        self.xmpp.transport.abort()
        await self.happens("disconnected")

    async def leave(self) -> None:
        if self.xmpp.is_connected():
            await self.xmpp.disconnect()
        self.xmpp.cancel_connection_attempt()

    def say(self, to: str, text: str) -> Message:
        message: Message = self.xmpp.make_message(mto=to, mbody=text, mtype="chat")
        # XEP-0085, 5.1: who leaves it out is sent no chat states by others.
        message["chat_state"] = "active"
        message.send()
        return message

    def show_typing(self, to: str, state: str = "composing") -> None:
        message = self.xmpp.make_message(mto=to, mtype="chat")
        message["chat_state"] = state
        message.send()

    async def befriend(self, other: "Slixmpp") -> None:
        """Subscribe both ways; slixmpp answers yes and asks back by itself."""
        self.xmpp.send_presence_subscription(other.account.address)
        await self.sees_online(other.address)
        await other.sees_online(self.address)

    async def hears(self, text: str, *, from_: str | None = None) -> Message:
        return await self.receives(
            Message,
            lambda message: message["body"] == text and (from_ is None or message["from"].bare == from_),
        )

    async def hears_a_link(self) -> str:
        """Wait for a file: a message that is nothing but its address (XEP-0363 with XEP-0066)."""
        message = await self.receives(Message, lambda message: message["body"].startswith("https://"))
        assert message["oob"]["url"] == message["body"]
        return str(message["body"])

    async def sees_typing(self, from_: str, state: str = "composing") -> Message:
        return await self.receives(
            Message, lambda message: message["chat_state"] == state and message["from"].bare == from_
        )

    async def sees_online(self, address: str) -> Presence:
        return await self.receives(
            Presence,
            lambda presence: (
                presence["type"] == "available" and address in (presence["from"], presence["from"].bare)
            ),
        )

    async def receives(self, kind: type[Kind], question: Callable[[Kind], bool]) -> Kind:
        """Take the first such stanza out of what was received, or wait for it."""

        def take() -> Kind | None:
            for stanza in self._received:
                if isinstance(stanza, kind) and question(stanza):
                    self._received.remove(stanza)
                    return stanza
            return None

        return await self._notice.until(take, lambda: self._complaint(kind.__name__))

    async def happens(self, *events: str) -> str:
        """Wait for one of these slixmpp events, and say which."""

        def take() -> str | None:
            for event in self._happened:
                if event in events:
                    self._happened.remove(event)
                    return event
            return None

        return await self._notice.until(take, lambda: self._complaint(" or ".join(events)))

    def bodies(self) -> list[str]:
        """Say what it heard and nobody asked about yet."""
        return [stanza["body"] for stanza in self._received if isinstance(stanza, Message) and stanza["body"]]

    def everything(self) -> list[str]:
        """Write out all it received and nobody asked about yet."""
        return [str(stanza) for stanza in self._received]

    async def history(self, with_: str, *, page: int = 10, newest: int | None = None) -> list[str]:
        """Read a conversation from the archive page by page: all of it, or the newest first."""
        archive = self.xmpp.plugin["xep_0313"]
        kept = [
            result["mam_result"]["forwarded"]["stanza"]
            async for result in archive.iterate(
                with_jid=JID(with_), rsm={"max": page}, reverse=newest is not None, total=newest
            )
        ]
        return [message["body"] for message in kept if message["body"]]

    def _keep(self, stanza: StanzaBase) -> StanzaBase:
        self._received.append(stanza)
        self._notice.changed()
        return stanza

    def _keep_event(self, event: str) -> None:
        self._happened.append(event)
        self._notice.changed()

    def _complaint(self, what: str) -> str:
        seen = "\n".join(str(stanza)[:1000] for stanza in self._received)
        return f"{self.address} waited {PATIENCE} s for {what}; events {self._happened}; unasked stanzas:\n{seen}"
