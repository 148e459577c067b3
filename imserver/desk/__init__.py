"""The contact centre: clients wait in queues, agents take them. This is the front door for plugins."""

from imserver.desk.allowed import NICK, OPENING, REPLIES
from imserver.desk.allowed import allowed as what_passes
from imserver.desk.channel import Channel
from imserver.desk.clients import MOST_REMEMBERED, Client
from imserver.desk.commands import Caller
from imserver.desk.composing import Composing
from imserver.desk.contacts import Channel as ChannelKind
from imserver.desk.conversation import Conversation
from imserver.desk.desk import Desk
from imserver.desk.effects import Refused
from imserver.desk.hours import is_open, opens_at
from imserver.desk.names import LOOKUP, Name
from imserver.desk.names import clean as clean_name
from imserver.desk.plugin import find_desk
from imserver.desk.recent import Recent
from imserver.desk.relay import Outward, chat_state, check_readable, state_to_agent, to_client
from imserver.desk.templates import Filled, Person, Place, Situation, Template, Variable
from imserver.desk.texts import languages
from imserver.desk.texts import text as word
from imserver.desk.transcript import archives_of
from imserver.features.worth_keeping import has_something_to_say
from imserver.storage.conversations import ConversationRow

__all__ = [
    "LOOKUP",
    "MOST_REMEMBERED",
    "NICK",
    "OPENING",
    "REPLIES",
    "Caller",
    "Channel",
    "ChannelKind",
    "Client",
    "Composing",
    "Conversation",
    "ConversationRow",
    "Desk",
    "Filled",
    "Name",
    "Outward",
    "Person",
    "Place",
    "Recent",
    "Refused",
    "Situation",
    "Template",
    "Variable",
    "archives_of",
    "chat_state",
    "check_readable",
    "clean_name",
    "find_desk",
    "has_something_to_say",
    "is_open",
    "languages",
    "opens_at",
    "state_to_agent",
    "to_client",
    "what_passes",
    "word",
]
