"""Streams without sockets: bytes in, events out."""
