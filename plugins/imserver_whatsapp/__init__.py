"""Clients who write by WhatsApp (Meta's Cloud API), answered like any other."""
