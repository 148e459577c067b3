"""What becomes of conversations, in the log: who reads it sees the desk at work, and nothing of what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imserver.hooks import hookimpl

if TYPE_CHECKING:
    from imserver.desk.conversation import Conversation
    from imserver.server import Server
    from imserver.xmpp.jid import JID


@hookimpl
def conversation_opened(server: Server, conversation: Conversation) -> None:
    """Note that a client has come."""
    server.log.info("conversation opened", id=conversation.id, queue=conversation.queue)


@hookimpl
def conversation_assigned(server: Server, conversation: Conversation, agent: JID) -> None:
    """Note who has it."""
    server.log.info("conversation assigned", id=conversation.id, queue=conversation.queue, agent=agent)


@hookimpl
def conversation_closed(server: Server, conversation: Conversation) -> None:
    """Note that it is over."""
    server.log.info(
        "conversation closed", id=conversation.id, queue=conversation.queue, code=conversation.code
    )
