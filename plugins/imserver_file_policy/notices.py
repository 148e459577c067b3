"""Tells those who are in the chat why a file did not come."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imserver import JID, StanzaError
from imserver_file_policy import askers, texts
from imserver_file_policy.archives import shown
from imserver_file_policy.refusal import UPLOAD, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from imserver import Server, Upload
    from imserver.desk import Conversation, Desk

#: For how long the same file is not spoken of again, in seconds: clients try by themselves.
ONCE: Final = 600.0
#: How many files of one account are spoken of within a minute.
MOST: Final = 5
MINUTE: Final = 60.0
#: How many accounts are remembered; and how many files of a client whom nobody attends yet.
MOST_ACCOUNTS: Final = 5_000
MOST_UNTOLD: Final = 5


@dataclass(slots=True)
class Told:
    """What somebody's refused files were, and when."""

    files: OrderedDict[tuple[str, int], float] = field(default_factory=OrderedDict)
    times: deque[float] = field(default_factory=lambda: deque(maxlen=MOST))


class Notices:
    """Speaks of refused files, each once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._told: OrderedDict[str, Told] = OrderedDict()
        #: What agents have yet to be told, by conversation: nobody attends it so far.
        self._untold: dict[int, list[tuple[str, StanzaError]]] = {}

    async def tell(self, server: Server, upload: Upload, reason: StanzaError) -> None:
        """Tell whoever it concerns."""
        desk, owner = askers.desk_of(server), JID.parse(upload.owner)
        if desk is None or not self._is_news(owner, upload):
            return
        if askers.is_agent(desk, owner):
            self._tell_agent(desk, owner, upload.name, reason)
            return
        conversation = await askers.conversation_of(desk, owner)
        if conversation is None:
            return  # the answer to the request is all that there is
        if conversation.agents:
            for agent in sorted(conversation.agents):
                self._tell_of_client(desk, conversation, JID.parse(agent), upload.name, reason)
        else:
            self._untold.setdefault(conversation.id, []).append((upload.name, reason))
            del self._untold[conversation.id][:-MOST_UNTOLD]
        await desk.say_to_client(conversation, _to_sender(upload.name, reason, conversation.lang))

    def assigned(self, server: Server, conversation: Conversation, agent: JID) -> None:
        """Tell an agent what a client wanted to send before anybody was there."""
        desk = askers.desk_of(server)
        if desk is not None:
            for name, reason in self._untold.pop(conversation.id, ()):
                self._tell_of_client(desk, conversation, agent, name, reason)

    def closed(self, conversation: Conversation) -> None:
        """Forget what nobody was told."""
        self._untold.pop(conversation.id, None)

    def _is_news(self, owner: str, upload: Upload) -> bool:
        now = self._now()
        told = self._told.setdefault(owner, Told())
        self._told.move_to_end(owner)
        if len(self._told) > MOST_ACCOUNTS:
            self._told.popitem(last=False)
        file = (upload.name, upload.size)
        if now - told.files.get(file, -ONCE) < ONCE:
            return False
        if len(told.times) == MOST and now - told.times[0] < MINUTE:
            return False
        told.times.append(now)
        told.files[file] = now
        told.files.move_to_end(file)
        if len(told.files) > MOST * int(ONCE / MINUTE):
            told.files.popitem(last=False)
        return True

    def _tell_of_client(
        self, desk: Desk, conversation: Conversation, agent: JID, name: str, reason: StanzaError
    ) -> None:
        client, lang = JID.parse(conversation.client), desk.language_of(agent)
        words = texts.notice(
            "to_agent",
            lang,
            client=desk.clients.name_of(client),
            name=shown(name),
            reason=reason_in(reason, lang),
        )
        desk.tell(desk.device_of(client), agent, words)

    def _tell_agent(self, desk: Desk, agent: JID, name: str, reason: StanzaError) -> None:
        """Tell an agent about a file of their own, in a queue's name: in which chat it was meant, nobody knows."""
        queue = next((one for one, queue in desk.settings.queues.items() if agent in queue.members), "")
        if queue:
            desk.tell(desk.queue_jid(queue), agent, _to_sender(name, reason, desk.language_of(agent)))


def _to_sender(name: str, reason: StanzaError, lang: str) -> str:
    return texts.notice("to_sender", lang, name=shown(name), reason=reason_in(reason, lang))


def reason_in(reason: StanzaError, lang: str) -> str:
    """Say in somebody's language why a file was refused, by us or by anybody else."""
    if isinstance(reason, Refusal):
        return texts.reason(reason.key, lang, **reason.values)
    if reason.application is not None and reason.application.name == "file-too-large":
        largest = reason.application.child("max-file-size", UPLOAD)
        if largest is not None and largest.text.isdigit():
            return texts.reason("largest", lang, max=texts.size(int(largest.text)))
    if reason.condition == "resource-constraint":
        return texts.reason("quota", lang)
    if reason.condition == "internal-server-error":
        return texts.reason("not_inspected", lang)
    return texts.reason("other", lang, text=reason.text)
