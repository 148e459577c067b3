"""People who type a lot: ten chat states before each message (XEP-0085)."""

from __future__ import annotations

from contrib.bench.workloads.chat import Chat


class Typing(Chat):
    name = "typing"
    counts = "stanza"
    states = 10
