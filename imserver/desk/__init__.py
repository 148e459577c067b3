"""The contact centre: clients wait in queues, agents take them. This is the front door for plugins."""

from imserver.desk.clients import Client
from imserver.desk.commands import Caller
from imserver.desk.conversation import Conversation
from imserver.desk.desk import Desk
from imserver.desk.effects import Refused
from imserver.desk.names import LOOKUP, Name
from imserver.desk.names import clean as clean_name
from imserver.desk.plugin import find_desk
from imserver.desk.templates import Filled, Person, Place, Situation, Template, Variable
from imserver.desk.transcript import archives_of

__all__ = [
    "LOOKUP",
    "Caller",
    "Client",
    "Conversation",
    "Desk",
    "Filled",
    "Name",
    "Person",
    "Place",
    "Refused",
    "Situation",
    "Template",
    "Variable",
    "archives_of",
    "clean_name",
    "find_desk",
]
