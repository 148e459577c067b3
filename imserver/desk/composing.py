"""XEP-0085: who is writing to whom, and on which device. It ends when the device does (5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver.xmpp.jid import JID


class Composing:
    """The devices where somebody is writing."""

    def __init__(self) -> None:
        self._readers: dict[JID, set[JID]] = {}

    def note(self, device: JID, reader: JID, state: str) -> None:
        """Take note of a chat state that a device showed to a reader; "" is none."""
        if state == "composing":
            self._readers.setdefault(device, set()).add(reader)
        elif state:
            self.stop(device, reader)

    def stop(self, device: JID, reader: JID) -> bool:
        """Take note that nobody writes there any more; say whether somebody did."""
        readers = self._readers.get(device, set())
        if reader not in readers:
            return False
        readers.remove(reader)
        if not readers:
            del self._readers[device]
        return True

    def leave(self, device: JID) -> list[JID]:
        """Take note that a device is gone; say who was being written to."""
        return sorted(self._readers.pop(device, ()))

    def of(self, account: JID) -> list[JID]:
        """List the devices of an account where somebody is writing."""
        return [device for device in self._readers if device.bare == account]

    def dead(self, is_alive: Callable[[JID], bool]) -> list[JID]:
        """List the devices that said so, and have not been heard of since."""
        return [device for device in self._readers if not is_alive(device)]
