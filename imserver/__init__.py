"""An instant-messaging server for contact centres, built on XMPP."""

__version__ = "0.1.0"
