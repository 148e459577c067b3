"""XEP-0441: Message Archive Management Preferences. Whose messages an account wants in its archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from imserver.features.archive_queries import NAMESPACE
from imserver.features.contacts import find_roster
from imserver.iq import IQHandler, Target
from imserver.storage.preferences import ArchivePreferences
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.stanza import IQ

DEFAULTS: Final = ("always", "never", "roster")

#: What holds for who never chose.
EVERYTHING: Final = ArchivePreferences()


class ArchivePreferencesOfAll:
    """Everybody's preferences, in memory: they are asked for every message."""

    def __init__(self) -> None:
        self._known: dict[str, ArchivePreferences] = {}
        self._are_loaded = False

    async def load(self, server: Server) -> None:
        """Read them once."""
        if not self._are_loaded:
            known = await server.store.preferences.load_all()
            # What somebody chose meanwhile is newer.
            self._known = known | self._known
            self._are_loaded = True

    def are_asked(self, *accounts: JID) -> bool:
        """Tell whether the preferences of one of these accounts may matter."""
        if not self._are_loaded:
            return True
        return bool(self._known) and any(account in self._known for account in accounts)

    async def allow(self, server: Server, owner: JID, peer: JID) -> bool:
        """Tell whether messages to and from the peer go into the owner's archive."""
        await self.load(server)
        decision = decide(self._known.get(owner, EVERYTHING), peer)
        if decision == "roster":
            return (await find_roster(server, owner)).find(peer.bare).listed
        return decision == "always"

    @property
    def handlers(self) -> list[IQHandler]:
        """The two questions."""
        return [
            IQHandler("get", NAMESPACE, "prefs", self._answer_get, Target.ACCOUNT),
            IQHandler("set", NAMESPACE, "prefs", self._answer_set, Target.ACCOUNT),
        ]

    async def _answer_get(self, server: Server, iq: IQ) -> Element:
        await self.load(server)
        return write_preferences(self._known.get(_owner(iq), EVERYTHING))

    async def _answer_set(self, server: Server, iq: IQ) -> Element:
        preferences = read_preferences(iq.query)
        await server.store.preferences.put(_owner(iq), preferences)
        self._known[_owner(iq)] = preferences
        return write_preferences(preferences)


def decide(preferences: ArchivePreferences, peer: JID) -> Literal["always", "never", "roster"]:
    """Look a peer up: in the lists with its resource first, then without it (XEP-0441, 2.2.1)."""
    for address in (peer, peer.bare):
        if address in preferences.never:
            return "never"
        if address in preferences.always:
            return "always"
    return preferences.default


def read_preferences(prefs: Element) -> ArchivePreferences:
    """Read what a client wants.

    Raises:
        StanzaError: If that can't be understood.
    """
    default = prefs.get("default")
    if default not in DEFAULTS:
        raise StanzaError("bad-request", f"'default' is one of {', '.join(DEFAULTS)}, not {default!r}")
    return ArchivePreferences(
        cast("Literal['always', 'never', 'roster']", default),
        always=_read_jids(prefs.child("always")),
        never=_read_jids(prefs.child("never")),
    )


def write_preferences(preferences: ArchivePreferences) -> Element:
    """Write what holds now."""
    prefs = Element("prefs", NAMESPACE, {"default": preferences.default})
    for name, jids in (("always", preferences.always), ("never", preferences.never)):
        listed = Element(name, NAMESPACE)
        prefs.add(listed.add(*(Element("jid", NAMESPACE, text=jid) for jid in sorted(jids))))
    return prefs


def _read_jids(listed: Element | None) -> frozenset[str]:
    if listed is None:
        return frozenset()
    try:
        return frozenset(str(JID.parse(jid.text.strip())) for jid in listed.all("jid"))
    except JIDError as error:
        raise StanzaError("jid-malformed", f"One of the addresses is not a JID: {error}") from error


def _owner(iq: IQ) -> JID:
    assert iq.sender is not None, "only sessions ask their own account"
    return iq.sender.bare
