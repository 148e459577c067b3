"""An instant-messaging server for contact centres, built on XMPP. This is the front door for plugins."""

__version__ = "0.1.0"

from imserver.features.archive_queries import FEATURES as ARCHIVE_FEATURES
from imserver.features.archive_queries import READS_ARCHIVE, answer_guest_query
from imserver.features.archive_queries import answer_metadata as answer_archive_metadata
from imserver.features.shared_archive import SharedArchive
from imserver.hooks import DROP, PluginError, hookimpl
from imserver.iq import IQHandler, IQTable, Target, iq_handler
from imserver.routing.components import Component, Host, Login
from imserver.routing.presences import PresenceHandler
from imserver.routing.router import most_available
from imserver.routing.sessions import Guest, Session
from imserver.server import Server
from imserver.settings import SettingsError
from imserver.storage.archive import ArchivedMessage
from imserver.storage.schema import moment
from imserver.storage.uploads import Upload
from imserver.xmpp.element import Element
from imserver.xmpp.errors import SASLError, StanzaError
from imserver.xmpp.forms import Field, Form, Option, find_form
from imserver.xmpp.forms import type_of as type_of_form
from imserver.xmpp.jid import JID, JIDError
from imserver.xmpp.parser import parse, parse_message
from imserver.xmpp.stanza import IQ, Message, Presence, Stanza
from imserver.xmpp.timestamps import format_timestamp

__all__ = [
    "ARCHIVE_FEATURES",
    "DROP",
    "IQ",
    "JID",
    "READS_ARCHIVE",
    "ArchivedMessage",
    "Component",
    "Element",
    "Field",
    "Form",
    "Guest",
    "Host",
    "IQHandler",
    "IQTable",
    "JIDError",
    "Login",
    "Message",
    "Option",
    "PluginError",
    "Presence",
    "PresenceHandler",
    "SASLError",
    "Server",
    "Session",
    "SettingsError",
    "SharedArchive",
    "Stanza",
    "StanzaError",
    "Target",
    "Upload",
    "answer_archive_metadata",
    "answer_guest_query",
    "find_form",
    "format_timestamp",
    "hookimpl",
    "iq_handler",
    "moment",
    "most_available",
    "parse",
    "parse_message",
    "type_of_form",
]
