"""What the desk says in its own name: offers, and the texts of the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imserver.desk import offers
from imserver.desk.agents import short_name
from imserver.desk.offers import Offered, Wording, shortened
from imserver.desk.phrases import elapsed
from imserver.desk.texts import text
from imserver.xmpp.jid import JID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from imserver.desk.conversation import Conversation
    from imserver.desk.desk import Desk
    from imserver.desk.effects import HandOver, Offer, TellAgent, TellClient, Withdraw
    from imserver.routing.sessions import Session
    from imserver.xmpp.stanza import Message

#: How much of a client's first words is kept for the offer, in characters.
PREVIEW: Final = 200
#: Why a conversation has no agent any more, where no agent has given a reason.
OWN_REASONS: Final = ("agent_lost", "reopened")


class Speech:
    """Puts the desk's words into messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._previews: dict[int, str] = {}
        #: What agents are being asked, and which of their devices have seen it.
        self._offered: dict[tuple[int, str], tuple[Offer, Offered, set[JID]]] = {}

    def heard(self, conversation: Conversation, message: Message) -> None:
        """Remember what a client who waits wrote last: an offer shows it."""
        if conversation.is_open and not conversation.agents and message.has_body:
            self._previews[conversation.id] = shortened(message.body)[:PREVIEW]
        else:
            self._previews.pop(conversation.id, None)

    def forget(self, conversation: Conversation) -> None:
        """Forget what a client wrote: it is over."""
        self._previews.pop(conversation.id, None)

    # Offers

    def offer(self, effect: Offer) -> None:
        """Ask an agent, on all devices."""
        conversation = effect.conversation
        offered = Offered(self._desk.queue_jid(conversation.queue), conversation.id, effect.deadline)
        self._offered[conversation.id, effect.agent] = (effect, offered, set())
        for session in self._desk.server.sessions.of(JID.parse(effect.agent)):
            self._ask(effect.conversation, session)

    def repeat_offers(self, session: Session) -> None:
        """Ask on a device that has come later, too."""
        agent = self._desk.floor.agents.get(session.bare)
        for id in sorted(agent.offers) if agent is not None else ():
            self._ask(self._desk.floor.conversations[id], session)

    def _ask(self, conversation: Conversation, session: Session) -> None:
        asked = self._offered.get((conversation.id, session.bare))
        if asked is None or session.jid in asked[2] or not session.is_available:
            return
        effect, offered, devices = asked
        devices.add(session.jid)
        preview = self._previews.get(conversation.id, "")
        session.send(offers.ask(offered, session.jid, self._wording(effect), preview=preview))

    def _wording(self, effect: Offer) -> Wording:
        desk, conversation = self._desk, effect.conversation
        agent, now = JID.parse(effect.agent), desk.now()
        lang = desk.language_of(agent)
        is_passed_on = conversation.previous and conversation.reason not in ("", *OWN_REASONS)
        question = desk.say(
            "offer_transferred" if is_passed_on else "offer",
            conversation.queue,
            agent,
            client=self._name(conversation),
            waited=elapsed(now - conversation.waiting_since, lang),
            seconds=max(round(effect.deadline - now), 1),
            agent=short_name(conversation.previous),
            reason=conversation.reason,
        )
        return Wording(
            question,
            desk.say("answer_accept", conversation.queue, agent),
            desk.say("answer_decline", conversation.queue, agent),
            lang,
            desk.settings.prefix,
        )

    def withdraw(self, effect: Withdraw) -> None:
        """Take an offer back, on all devices."""
        key = "withdrawn_taken" if effect.reason == "taken" and effect.by else "withdrawn"
        self._end_offer(effect.conversation, effect.agent, key, by=effect.by)

    def accepted(self, effect: HandOver) -> None:
        """Take the buttons from the devices of the agent who has accepted on one of them."""
        self._end_offer(effect.conversation, effect.agent, "handed_over")

    def _end_offer(self, conversation: Conversation, agent: str, key: str, *, by: str = "") -> None:
        asked = self._offered.pop((conversation.id, agent), None)
        if asked is None:
            return  # never asked, or before a restart: nobody sees it as open any more
        listener, client = JID.parse(agent), self._name(conversation)
        sentence = self._desk.say(key, conversation.queue, listener, client=client, agent=short_name(by))
        for session in self._desk.server.sessions.of(listener):
            if session.is_available:
                session.send(offers.withdraw(asked[1], session.jid, sentence))

    # Texts

    async def tell_client(self, effect: TellClient) -> None:
        """Say a text of the queue to a client, in their language."""
        conversation = effect.conversation
        settings = self._desk.settings_of(conversation.entrance)
        words = text(settings, conversation.entrance, effect.key, conversation.lang, **effect.values)
        if words:
            await self._desk.say_to_client(conversation, words)

    def tell_agent(self, effect: TellAgent) -> None:
        """Say a text to an agent: in the chat with the client, or else with a queue of theirs."""
        desk, agent = self._desk, JID.parse(effect.agent)
        conversation = effect.conversation
        values: dict[str, Any] = dict(_readable(effect.values))
        if conversation is not None:
            values = {"client": self._name(conversation), **values}
            sender = desk.device_of(JID.parse(conversation.client))
            queue = conversation.queue
        else:
            queue = next(
                (name for name, one in desk.settings.queues.items() if effect.agent in one.members), ""
            )
            sender = desk.queue_jid(queue) if queue else desk.domain
        if words := desk.say(effect.key, queue, agent, **values):
            desk.tell(sender, agent, words)

    def _name(self, conversation: Conversation) -> str:
        return self._desk.clients.name_of(JID.parse(conversation.client))


def _readable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: short_name(value) if key in ("agent", "by") else value for key, value in values.items()}
