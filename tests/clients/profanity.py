"""Profanity, typed into and read by a person who is a test."""

import os
import shutil
from pathlib import Path
from typing import Self

from tests.clients.running import Account, RunningServer
from tests.clients.terminal import Terminal

PREFERENCES = """
[ui]
splash=false
vercheck=false
slashguard=false
beep=false
flash=false
wrap=false
time.console=off
time.chat=off
enc.warn=false
presence=true
intype=true
history=false
statuses.console=all
statuses.chat=none

[connection]
mam=true
carbons=true
receipts.request=true
receipts.send=true

[chatstates]
enabled=true
outtype=true

[notifications]
message=false
room=false
invite=false
sub=false
typing=false
tray=false

[presence]
autoaway.mode=off
"""


class Profanity:
    """Profanity with a home of its own; made with `Profanity.sign_in()`."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.shows = terminal.shows
        self.no_longer_shows = terminal.no_longer_shows
        self.type = terminal.type
        self.enter = terminal.enter

    @classmethod
    async def sign_in(cls, account: Account, server: RunningServer, home: Path) -> Self:
        """Start Profanity as on a new machine: it knows nothing but its preferences."""
        shutil.rmtree(home, ignore_errors=True)
        preferences = home / "config" / "profanity" / "profrc"
        preferences.parent.mkdir(parents=True)
        preferences.write_text(PREFERENCES)
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        self = cls(await Terminal.run("profanity", environment=environment, directory=home))
        try:
            await self._log_in(account, server)
        except BaseException:
            await self.close()
            raise
        return self

    async def befriend(self, address: str) -> None:
        self.enter(f"/roster add {address}")
        await self.shows(f"Roster item added: {address}")
        self.enter(f"/sub request {address}")

    async def open_chat(self, address: str) -> None:
        self.enter(f"/msg {address}")
        await self.shows(f" {address} [")

    async def close(self) -> None:
        await self.terminal.close()

    async def _log_in(self, account: Account, server: RunningServer) -> None:
        await self.shows("Profanity. Type /help")
        # "trust": Profanity cannot be told to believe one certificate only. It lets uploads through as well.
        self.enter(f"/connect {account.address} server 127.0.0.1 port {server.ports.c2s} tls trust")
        await self.shows("Enter password")
        self.enter(account.password)
        await self.shows("logged in successfully")
        await self.shows("[TLS]")
