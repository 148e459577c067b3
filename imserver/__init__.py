"""An instant-messaging server for contact centres, built on XMPP. This is the front door for plugins."""

__version__ = "0.1.0"

from imserver.hooks import DROP, PluginError, hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.routing.components import Component
from imserver.routing.presences import PresenceHandler
from imserver.routing.sessions import Session
from imserver.server import Server
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza

__all__ = [
    "DROP",
    "IQ",
    "JID",
    "Component",
    "Element",
    "IQHandler",
    "JIDError",
    "Message",
    "PluginError",
    "Presence",
    "PresenceHandler",
    "Server",
    "Session",
    "Stanza",
    "StanzaError",
    "Target",
    "hookimpl",
    "iq_handler",
]
