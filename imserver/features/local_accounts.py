"""Which accounts there are here, asked for every message and so answered from memory where possible."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imserver.server import Server
    from imserver.xmpp.jid import JID

#: How many accounts without a session are remembered, and for how many seconds: another process may remove one.
MOST_REMEMBERED: Final = 10_000
SECONDS_REMEMBERED: Final = 60.0


class LocalAccounts:
    """Remembers which accounts without a session were found."""

    def __init__(self) -> None:
        self._found: OrderedDict[JID, float] = OrderedDict()

    def is_known(self, server: Server, account: JID) -> bool:
        """Tell whether there is such an account, as far as that is known without looking it up."""
        if server.sessions.of(account):
            return True
        found = self._found.get(account)
        return found is not None and time.monotonic() - found < SECONDS_REMEMBERED

    def forget(self, account: JID) -> None:
        """Look it up the next time."""
        self._found.pop(account, None)

    async def exists(self, server: Server, account: JID) -> bool:
        """Tell whether there is such an account."""
        if self.is_known(server, account):
            return True
        if not await server.store.accounts.exists(account):
            return False
        self._found[account] = time.monotonic()
        self._found.move_to_end(account)
        if len(self._found) > MOST_REMEMBERED:
            self._found.popitem(last=False)
        return True
