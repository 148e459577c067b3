"""Clients on web pages: they sign in at `web.<domain>`, and may talk to queues."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from imserver import SettingsError, hookimpl
from imserver.desk import find_desk
from imserver_web.answers import VisitorAnswers
from imserver_web.channel import WebChannel
from imserver_web.host import WebHost
from imserver_web.keys import read_own_keys, read_site_keys
from imserver_web.settings import Settings
from imserver_web.tokens import Tokens

if TYPE_CHECKING:
    from imserver import Component, Server

__all__ = ["Plugin"]


class Plugin:
    """One server's visitors."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @staticmethod
    @hookimpl
    def register_settings() -> list[type[Settings]]:
        """Read the table `[plugins.web]`."""
        return [Settings]

    @hookimpl
    def register_components(self, server: Server) -> list[Component]:
        """Let visitors in at a domain of their own, if there is a desk.

        Raises:
            SettingsError: If a key can't be used.
        """
        try:
            desk = find_desk(server)
        except KeyError:
            server.log.warning("there are no queues that visitors could write to: see [desk] file")
            return []
        settings = self._settings
        channel = WebChannel(desk, settings)
        try:
            own = read_own_keys(server.settings.data / settings.key_file)
            sites = read_site_keys(settings.sites, Path(server.settings.file or ".").parent)
        except (OSError, ValueError) as error:
            raise SettingsError([f"[plugins.web]: {error}"]) from error
        tokens = Tokens(
            own,
            sites,
            audience=channel.domain,
            days=settings.token_days,
            leeway=settings.clock_skew_seconds,
            longest=settings.site_token_seconds,
            clock=time.time,
        )
        answers = VisitorAnswers(desk, settings, tokens, channel)
        channel.host = WebHost(desk, settings, keys=own, tokens=tokens, channel=channel, answers=answers)
        desk.channels[channel.domain] = channel
        return [channel]
