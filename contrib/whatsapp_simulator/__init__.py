"""A WhatsApp of one's own: the Cloud API, its webhooks and a page like a phone, on this machine, without Meta."""

from contrib.whatsapp_simulator.chats import Author, ChatMessage, Customer, Status
from contrib.whatsapp_simulator.clock import DAY, HOUR, MINUTE, Clock, RunningClock, VirtualClock
from contrib.whatsapp_simulator.courier import Delivery, NotVerified
from contrib.whatsapp_simulator.person import Person
from contrib.whatsapp_simulator.serving import simulated
from contrib.whatsapp_simulator.settings import Account, BusinessNumber, Closed, Mischief, Pace, Signing
from contrib.whatsapp_simulator.signatures import HEADER, signature
from contrib.whatsapp_simulator.simulator import Simulator
from contrib.whatsapp_simulator.templates import Template, TemplateStatus

__all__ = [
    "DAY",
    "HEADER",
    "HOUR",
    "MINUTE",
    "Account",
    "Author",
    "BusinessNumber",
    "ChatMessage",
    "Clock",
    "Closed",
    "Customer",
    "Delivery",
    "Mischief",
    "NotVerified",
    "Pace",
    "Person",
    "RunningClock",
    "Signing",
    "Simulator",
    "Status",
    "Template",
    "TemplateStatus",
    "VirtualClock",
    "signature",
    "simulated",
]
