"""An instant-messaging server for contact centres, built on XMPP. This is the front door for plugins."""

__version__ = "0.1.0"

from imserver.features.archive_queries import READS_ARCHIVE
from imserver.features.shared_archive import SharedArchive
from imserver.hooks import DROP, PluginError, hookimpl
from imserver.iq import IQHandler, Target, iq_handler
from imserver.routing.components import Component
from imserver.routing.presences import PresenceHandler
from imserver.routing.sessions import Session
from imserver.server import Server
from imserver.storage.archive import ArchivedMessage
from imserver.storage.schema import moment
from imserver.storage.uploads import Upload
from imserver.xmpp.element import Element
from imserver.xmpp.errors import StanzaError
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.parser import parse
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza
from imserver.xmpp.timestamps import format_timestamp

__all__ = [
    "DROP",
    "IQ",
    "JID",
    "READS_ARCHIVE",
    "ArchivedMessage",
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
    "SharedArchive",
    "Stanza",
    "StanzaError",
    "Target",
    "Upload",
    "format_timestamp",
    "hookimpl",
    "iq_handler",
    "moment",
    "parse",
]
