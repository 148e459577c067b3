"""The whole desk at play: a real server, clients and agents at real sockets, time, and crashes."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

from imserver.desk import deadlines, plugin
from imserver.desk.book import SERVED
from imserver.desk.conversation import Conversation, State
from imserver.desk.desk import Desk
from imserver.desk.effects import Effect, Returned
from imserver.desk.offers import RESPONSES
from imserver.desk.relay import INTERNAL, INTERNAL_ID
from imserver.features.contacts import find_roster
from imserver.xmpp.element import Element
from imserver.xmpp.jid import JID
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import DeskStage, button, on_stage
from tests.scenes.desk.ledger import SECRET, Archives, Attendance, Fate, Word, is_increasing, words_in

AGENTS = ("ana", "eva", "zoe")
CLIENTS = ("luis", "tea", "kim", "leo")
#: Those that clients write to; there is one more, where those go who wait too long.
QUEUES = ("support", "sales")
#: Steps of which people know that they are done; presences are not answered, nor is a broken connection.
ANSWERED = {"client_writes", "client_corrects", "agent_writes", "agent_commands", "agent_answers", "crashes"}
STATES = "http://jabber.org/protocol/chatstates"
DELAY = "urn:xmpp:delay"
PING = "<iq type='get' id='taken-{}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
COMMANDS = "http://jabber.org/protocol/commands"

#: An agent and a client: by name, or the nth of those who are with each other.
Pair = int | tuple[str, str]
Step = tuple[Any, ...]
#: What happens at once: nobody waits for an answer in between.
Burst = Sequence[Step]
DeskTables = dict[str, dict[str, Any]]


def write_desk(desk: DeskTables) -> str:
    """Write desk.toml."""
    return "\n".join(
        f"[queues.{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in queue.items())
        for name, queue in desk.items()
    )


class Play:
    """Everybody, what they do, and what must be so after each burst."""

    def __init__(self, folder: Path, desks: Sequence[DeskTables]) -> None:
        self._folders = (folder / f"life{number}" for number in count())
        self._desks = desks
        #: The settings that were in force in this burst, the newest last.
        self._in_force = [desks[0]]
        self.burst = 0
        self.stage: DeskStage
        self._life = AsyncExitStack()
        self.actors: dict[str, Actor] = {}
        #: Of agents: "" is available.
        self.shows = dict.fromkeys(AGENTS, "")
        self._gone: list[Actor] = []
        self._devices = count()
        self._marks = count()
        # The ledger.
        self.words: dict[str, Word] = {}
        self._last: dict[tuple[str, str], int] = defaultdict(int)
        self._secrets = count()
        self.archives = Archives()
        self.attendance = Attendance()
        #: Which account a client JID stands for, and the other way round.
        self.names: dict[str, str] = {}
        self.jids: dict[str, str] = {}
        #: What came to whom in this burst, and everything that is shown as offered.
        self._heard: dict[str, list[Element]] = defaultdict(list)
        self._shown: dict[str, list[str]] = defaultdict(list)
        self._offers: dict[str, dict[str, Element]] = defaultdict(dict)
        #: Who was there all the time since the last burst.
        self._constant: set[str] = set()
        #: Whether in this burst nothing happens but what is answered when it is on disk.
        self._is_answered_only = True
        self._loads: dict[str, int] = {}
        self._serving: dict[str, int] = {}

    # Life and death of the server

    async def begins(self, first_start: Path) -> None:
        """Start the server, and let everybody come."""
        await self._starts(first_start)
        await asyncio.gather(*(self._comes(name) for name in (*AGENTS, *CLIENTS)))
        await self.settles()

    async def _starts(self, left: Path, time: float = 0.0) -> None:
        folder = next(self._folders)
        shutil.copytree(left, folder, ignore=shutil.ignore_patterns("imserver.db-*"))
        file = folder / "desk.toml"
        file.write_text(write_desk(self._in_force[-1]))
        clock = partial(Desk, clock=lambda: time) if time else Desk
        with patch.object(plugin, "Desk", clock):
            self.stage = await self._life.enter_async_context(on_stage(folder, file))
        self._watch()

    def _watch(self) -> None:
        desk = self.stage.desk
        stage = desk.keeper.stage

        def note_and_stage(effects: Iterable[Effect | Returned]) -> None:
            stage(effects)
            self.attendance.note(self.burst, desk.floor.conversations.values())

        desk.keeper.stage = note_and_stage  # type: ignore[method-assign]
        self.attendance.note(self.burst, desk.floor.conversations.values())

    async def crashes(self, when: str | int) -> None:
        """Kill the server, after so many turns of its loop or when everybody was answered; start another one."""
        if isinstance(when, int):
            for _ in range(when):
                await asyncio.sleep(0)
        else:
            await self._is_taken()
        left = self._abandon()
        before = [(one, one.state, one.agent) for one in self.stage.desk.floor.conversations.values()]
        there = list(self.actors)
        for actor in self.actors.values():
            await self._listens(actor)
        for name in there:
            self._forget(name)
        self._gone.clear()
        old, self._life = self._life, AsyncExitStack()
        self._check_log()
        await old.aclose()

        await self._starts(left, self.stage.time)
        shutil.rmtree(left)
        if when == "answered" and self._is_answered_only:
            self._check_is_as_before(before)
        await asyncio.gather(*(self._comes(name) for name in there))

    def _check_is_as_before(self, before: Iterable[tuple[Conversation, State, str]]) -> None:
        """What people were answered holds: who has whom, and since when one waits."""
        conversations = self.stage.desk.floor.conversations
        for was, state, agent in before:
            if state is State.CLOSED:
                continue
            one = conversations[was.id]
            assert one.waiting_since == was.waiting_since, one
            assert one.agent == agent or one.reason == "agent_lost", f"{one} was with {agent}"

    def _abandon(self) -> Path:
        """Take what is on disk, and let nothing get out any more."""
        left = Path(mkdtemp(prefix="imserver-left-", dir=self.stage.file.parent.parent))
        folder = self.stage.file.parent
        for file in folder.iterdir():
            if file.is_file() and not file.name.startswith("imserver.db"):
                shutil.copy(file, left)
        now, then = sqlite3.connect(folder / "imserver.db"), sqlite3.connect(left / "imserver.db")
        now.backup(then)
        now.close()
        then.close()
        for connection in list(self.stage.running.connections):
            connection.abort()
        return left

    async def _listens(self, actor: Actor) -> None:
        """Hear what was still on its way when the connection broke."""
        name = actor.jid.local
        with suppress(EOFError, ConnectionError):
            while True:
                self._hears(name, await actor._next())

    async def ends(self) -> None:
        """Stop the server."""
        self.stage.log.entries.clear()  # they were looked at after each burst
        await self._life.aclose()

    def _check_log(self) -> None:
        failures = [entry for entry in self.stage.log.entries if entry["log_level"] == "error"]
        assert not failures, failures

    # Coming and going

    async def comes(self, name: str) -> None:
        """Somebody logs in."""
        if name not in self.actors:
            await self._comes(name)

    async def _comes(self, name: str) -> None:
        actor = await self.stage.enters(name, f"device{next(self._devices)}")
        self._constant.discard(name)
        self.actors[name] = actor
        self._offers[name].clear()
        await actor.sends(_presence(self.shows.get(name, "")))

    async def goes(self, name: str) -> None:
        """Somebody's connection breaks."""
        if (actor := self.actors.get(name)) is not None:
            await actor.vanishes()
            self._forget(name)
            self._gone.append(actor)

    def _forget(self, name: str) -> None:
        del self.actors[name]
        self._constant.discard(name)
        self._offers[name].clear()
        for word in self.words.values():
            if word.author == name and word.fate is Fate.SENT:
                word.fate = Fate.UNKNOWN

    async def shows_as(self, agent: str, show: str) -> None:
        """An agent goes away, or is back."""
        if agent in self.actors:
            self.shows[agent] = show
            await self.actors[agent].sends(_presence(show))

    # Clients

    async def client_writes(self, client: str, queue: str, times: int) -> None:
        for _ in range(times):
            await self._says(client, queue, f"{queue}@desk.localhost")

    async def client_corrects(self, client: str, queue: str) -> None:
        """A client writes anew what it wrote last."""
        last = self._last[client, queue]
        correction = f"<replace xmlns='urn:xmpp:message-correct:0' id='{client}-{queue}-{last}'/>"
        await self._says(client, queue, f"{queue}@desk.localhost", correction if last else "")

    async def client_types(self, client: str, queue: str) -> None:
        await self._types(client, f"{queue}@desk.localhost")

    # Agents

    def _pair(self, pair: Pair) -> tuple[str, str]:
        """Choose an agent and a client: by name, or of those who are with each other."""
        if not isinstance(pair, int):
            return pair
        pairs = self._pairs()
        return pairs[pair % len(pairs)] if pairs else ("", "")

    def _pairs(self) -> list[tuple[str, str]]:
        floor = self.stage.desk.floor.conversations.values()
        pairs = [(agent.partition("@")[0], one.client) for one in floor for agent in sorted(one.agents)]
        return [(agent, self.names[client]) for agent, client in pairs if client in self.names]

    async def agent_writes(self, pair: Pair, times: int) -> None:
        """An agent writes to a client, whether they have them or not; it should not get out who they are."""
        agent, client = self._pair(pair)
        for _ in range(times if client in self.jids else 0):
            await self._says(agent, client, self.jids[client], about=f" {agent}@localhost speaking")

    async def agent_types(self, pair: Pair) -> None:
        agent, client = self._pair(pair)
        if client in self.jids:
            await self._types(agent, self.jids[client])

    async def agent_commands(self, pair: Pair, command: str) -> None:
        """An agent types a command, right or wrong."""
        agent, client = self._pair(pair)
        if client in self.jids and agent in self.actors:
            number = next(self._secrets)
            await self.actors[agent].sends(
                f"<message to='{self.jids[client]}' type='chat' id='{SECRET}-{number}'>"
                f"<body>{command}</body></message>"
            )

    async def agent_answers(self, nth: int, answer: str, how: str) -> None:
        """An agent answers an offer; or answers without one."""
        asked = [(agent, offer) for agent in AGENTS for offer in self._offers[agent].values()]
        agent, offer = asked[nth % len(asked)] if asked else (AGENTS[nth % len(AGENTS)], None)
        queue = offer.get("from") if offer is not None else self._queue_of(agent)
        if not queue or agent not in self.actors:
            return
        words = {"text": {"accept": "yes", "decline": "no"}[answer], "command": f"!{answer}"}.get(how, "")
        if how == "button" and offer is not None:
            words = button(offer, answer.capitalize())
        if words:
            await self.actors[agent].sends(
                f"<message to='{queue}' type='chat'><body>{words}</body></message>"
            )
        else:
            await self.actors[agent].sends(
                f"<iq type='set' id='menu-{next(self._secrets)}' to='{queue}'>"
                f"<command xmlns='{COMMANDS}' node='urn:imserver:desk:command:{answer}'/></iq>"
            )

    async def agent_rests(self, agent: str, command: str) -> None:
        """An agent begins or ends a break."""
        if agent in self.actors and (queue := self._queue_of(agent)):
            await self.actors[agent].sends(
                f"<message to='{queue}' type='chat'><body>!{command}</body></message>"
            )

    def _queue_of(self, agent: str) -> str:
        """Name a queue that takes commands of an agent."""
        queues = self.stage.desk.floor.queues.values()
        found = (queue.name for queue in queues if f"{agent}@localhost" in queue.members)
        return next((f"{name}@desk.localhost" for name in found), "")

    # Everybody

    async def _says(self, author: str, to: str, address: str, more: str = "", about: str = "") -> None:
        if author not in self.actors:
            return
        self._last[author, to] += 1
        word = Word(author, to, self._last[author, to], self.burst)
        self.words[word.id] = word
        await self.actors[author].sends(
            f"<message to='{address}' type='chat' id='{word.id}'><body>{word.id}{about}</body>{more}</message>"
        )

    async def _types(self, author: str, address: str) -> None:
        if author in self.actors:
            await self.actors[author].sends(
                f"<message to='{address}' type='chat'><composing xmlns='{STATES}'/></message>"
            )

    async def time_passes(self, seconds: float) -> None:
        await self.stage.passes(seconds)

    async def reloads(self, nth: int) -> None:
        """The admin writes other settings."""
        self._in_force.append(self._desks[nth % len(self._desks)])
        await self.stage.sets(write_desk(self._in_force[-1]))

    # After each burst

    async def plays(self, burst: Burst) -> None:
        """Let it happen, all at once, and look at what comes of it."""
        self.burst += 1
        self._constant = set(self.actors)
        self._in_force = self._in_force[-1:]
        self._is_answered_only = all(name in ANSWERED for name, *_ in burst)
        for name, *arguments in burst:
            await getattr(self, name)(*arguments)
        await self.settles()

    async def settles(self) -> None:
        """Wait until nothing more comes of it, and check everything."""
        async with asyncio.timeout(30):
            await self._is_taken()
            for actor in self._gone:
                while any(one.jid == actor.jid for one in self.stage.server.sessions.of(actor.jid.bare)):
                    await asyncio.sleep(0.001)
            self._gone.clear()
            await self.stage.settles()
            await asyncio.gather(*(self._reads(name) for name in self.actors))
        await self._meet_clients()
        self._check()
        await self._check_rosters()
        self._heard.clear()

    async def _is_taken(self) -> None:
        """Wait until the server has answered everybody what they sent."""
        await asyncio.gather(*(self._is_answered(name, actor) for name, actor in self.actors.items()))

    async def _is_answered(self, name: str, actor: Actor) -> None:
        sent = [word for word in self.words.values() if word.author == name and word.fate is Fate.SENT]
        mark = next(self._marks)
        await actor.sends(PING.format(mark))
        while (got := await actor._next()).get("id") != f"taken-{mark}":
            self._hears(name, got)
        for word in sent:
            if word.fate is Fate.SENT:
                word.fate = Fate.TAKEN

    async def _reads(self, name: str) -> None:
        for got in await self.actors[name].swallows():
            self._hears(name, got)

    def _hears(self, name: str, got: Element) -> None:
        if got.get("id").startswith("taken-"):
            return
        self._heard[name].append(got)
        if got.get("type") == "error":
            word = self.words.get(got.get("id"))
            if word is not None and word.author == name:
                word.fate = Fate.REFUSED
            return
        if got.child("response", RESPONSES) is not None:
            self._offers[name][got.get("id")] = got
        replaced = got.child("replace", "urn:xmpp:message-correct:0")
        if replaced is not None and replaced.get("id").startswith(f"{INTERNAL_ID}offer-"):
            assert self._offers[name].pop(replaced.get("id"), None) is not None, f"never offered: {got}"

    async def _meet_clients(self) -> None:
        for name in CLIENTS:
            if name not in self.jids and any(self._last[name, queue] for queue in QUEUES):
                client = await self.stage.server.store.desk.client_of(f"xmpp:{name}@localhost")
                if client is not None:
                    self.jids[name] = f"{client.key}@xmpp.localhost"
                    self.names[self.jids[name]] = name

    # What must be so

    def _check(self) -> None:
        self._check_log()
        self.archives.read(self.stage.file.parent / "imserver.db")
        self._check_archives()
        for name, received in self._heard.items():
            for one in received:
                if name in CLIENTS:
                    self._check_client_may_see(str(one))
                else:
                    self._check_agent_may_see(name, one)
            self._check_order(name, received)
        self._check_what_was_taken()
        self._check_everybody_heard()
        self._check_agents_are_known()
        self._check_offers()
        self._check_nobody_waits()
        self._check_capacity()
        self._check_nothing_is_left_over()

    # Words

    def _check_archives(self) -> None:
        for owner, text, stanza in self.archives.new:
            name, _, domain = owner.partition("@")
            raw = stanza.decode()
            if domain == "xmpp.localhost" or name in CLIENTS:
                assert SECRET not in raw, f"in the history of {self.names.get(owner, owner)}: {raw}"
            if name in CLIENTS:
                self._check_client_may_see(raw)
            for author, to, number in words_in(text)[:1]:
                self._check_archived(owner, author, to, number)

    def _check_archived(self, owner: str, author: str, to: str, number: int) -> None:
        numbers = self.archives.numbers(owner, author, to)
        assert is_increasing(numbers), f"{owner} has {author}-{to}: {numbers}"
        word = self.words[f"{author}-{to}-{number}"]
        name = owner.partition("@")[0]
        if name in AGENTS and author in CLIENTS:
            holders = set(self._holders(word))
            sets = self._sets(word)
            assert any(holders <= one for one in sets), f"{word} is with {holders}, and not {sets}"
        elif name in AGENTS:
            assert name == author, f"{owner} has {word}"
        elif name in CLIENTS:
            assert name in (author, to), f"{owner} has {word}"
        else:
            assert self.names[owner] in (author, to), f"{self.names[owner]} has {word}"

    def _holders(self, word: Word) -> list[str]:
        jids = (f"{agent}@localhost" for agent in AGENTS)
        return [jid for jid in jids if word.number in self.archives.numbers(jid, word.author, word.to)]

    def _sets(self, word: Word) -> list[frozenset[str]]:
        noted = self.attendance.during(self.jids[word.author], word.to, word.burst, self.burst)
        return [one.agents for one in noted]

    def _check_client_may_see(self, raw: str) -> None:
        assert SECRET not in raw, f"a client sees {raw}"
        assert INTERNAL not in raw, f"a client sees {raw}"
        for agent in AGENTS:
            assert f"{agent}@" not in raw, f"a client sees {agent} in {raw}"
            assert f"{agent}/" not in raw, f"a client sees {agent} in {raw}"

    def _check_agent_may_see(self, agent: str, got: Element) -> None:
        if got.get("type") in ("error", "unavailable"):
            return
        jid = f"{agent}@localhost"
        client = got.get("from").partition("/")[0]
        is_theirs = partial(self.attendance.knew, jid, first=self.burst, last=self.burst)
        was_kept = got.child("delay", DELAY) is not None
        if client in self.names and not was_kept:
            assert is_theirs(client), f"{agent} sees {self.names[client]}: {got}"
        body = got.child("body", "jabber:client")
        for author, to, number in words_in(body.text if body is not None else ""):
            if author in CLIENTS and (word := self.words.get(f"{author}-{to}-{number}")) is not None:
                has_it = jid in self._holders(word)
                known = author in self.jids and is_theirs(self.jids[author])
                assert has_it or known, f"{agent} sees {word}: {got}"

    def _check_order(self, name: str, received: list[Element]) -> None:
        for one in received:
            body = one.child("body", "jabber:client")
            if one.get("type") == "error" or one.child("internal", INTERNAL) is not None or body is None:
                continue
            if one.child("delay", DELAY) is not None or one.child("response", RESPONSES) is not None:
                continue
            if "@desk.localhost" in one.get("from") and name in AGENTS:
                continue
            for author, to, number in words_in(body.text)[:1]:
                kin = [words_in(word)[0] for word in self._shown[name]]
                before = [shown for by, at, shown in kin if (by, at) == (author, to)]
                assert not before or before[-1] < number, (
                    f"{name} heard {author}-{to} {before}, then {number}"
                )
                self._shown[name].append(f"{author}-{to}-{number}")
                self._check_sender(name, one, author, to)

    def _check_sender(self, name: str, got: Element, author: str, to: str) -> None:
        sender = got.get("from").partition("/")[0]
        if name in AGENTS:
            assert sender == self.jids[author], f"{name} heard {author} from {got}"
        else:
            assert name == to, f"{name} heard {got}"
            queues = [
                queue
                for queue in self.attendance.queues_of(self.jids[name])
                if any(
                    f"{author}@localhost" in noted.agents
                    for noted in self.attendance.during(self.jids[name], queue, self.burst, self.burst)
                )
            ]
            assert sender in [f"{queue}@desk.localhost" for queue in queues], f"{name} heard {got}"

    def _check_what_was_taken(self) -> None:
        floor = self.stage.desk.floor
        for word in self.words.values():
            if word.author in CLIENTS:
                client = self.jids.get(word.author, "")
                in_history = word.number in self.archives.numbers(client, word.author, word.to)
                if word.fate is Fate.REFUSED:
                    assert not in_history, f"{word} is in the history"
                    continue
                assert word.fate is not Fate.TAKEN or in_history, f"{word} is lost"
                conversation = floor.find(JID.parse(client), word.to) if client else None
                if word.fate is Fate.TAKEN and conversation is not None and self._is_attended(conversation):
                    assert self._holders(word), f"{word} is not given to {conversation.agent}"
            else:
                found = word.number in self.archives.numbers(f"{word.to}@localhost", word.author, word.to)
                history = word.number in self.archives.numbers(self.jids[word.to], word.author, word.to)
                assert word.fate is not Fate.REFUSED or not found, f"{word} got to the client"
                assert word.fate is not Fate.TAKEN or found, f"{word} is lost"
                assert not found or history, f"{word} is not in the history"

    def _is_attended(self, conversation: Conversation) -> bool:
        agent = self.stage.desk.floor.agents[conversation.agent] if conversation.agent else None
        return conversation.state is State.ACTIVE and agent is not None and agent.is_online

    def _check_everybody_heard(self) -> None:
        """What is new in the archive of somebody who was there was heard."""
        for owner, text, _ in self.archives.new:
            name, _, domain = owner.partition("@")
            if domain == "localhost" and name in self._constant and name in self.actors:
                for author, to, number in words_in(text)[:1]:
                    raw = " ".join(map(str, self._heard.get(name, ())))
                    assert author == name or f"{author}-{to}-{number}" in raw, f"{name} did not hear {text}"

    # The floor

    def _check_agents_are_known(self) -> None:
        for jid, agent in self.stage.desk.floor.agents.items():
            name = jid.partition("@")[0]
            assert agent.is_online == (name in self.actors), jid
            assert agent.is_ready == (name in self.actors and not self.shows[name]), jid

    async def _check_rosters(self) -> None:
        """An agent who is there has exactly their clients as contacts."""
        server, floor = self.stage.server, self.stage.desk.floor
        for name in AGENTS:
            if name in self.actors and (jid := JID.of(name, "localhost")) in floor.agents:
                roster = await find_roster(server, jid)
                listed = {JID.parse(item.contact) for item in roster.listed}
                assert listed == {one.client for one in floor.of_agent(jid)}, name

    def _check_offers(self) -> None:
        """What agents see as offered is what is offered."""
        for name in AGENTS:
            if name not in self.actors:
                continue
            agent = self.stage.desk.floor.agents.get(f"{name}@localhost")
            offered = sorted(agent.offers) if agent is not None else []
            seen = sorted(int(id.removeprefix(INTERNAL_ID).split("-")[1]) for id in self._offers[name])
            assert seen == offered, f"{name} is asked for {offered}, and sees {seen}"

    def _check_nobody_waits(self) -> None:
        floor, now = self.stage.desk.floor, self.stage.time
        for one in floor.conversations.values():
            queue = floor.queues.get(one.queue)
            if queue is None or one.state is not State.WAITING or not queue.has_room:
                continue
            if not deadlines.may_be_offered(one, queue.settings, now):
                continue
            for jid in queue.settings.members:
                agent = floor.agents[jid]
                suits = jid not in one.declined and one.preferred in ("", jid)
                is_free = agent.may_be_asked and agent.load < queue.settings.capacity_of(jid)
                assert not (suits and is_free), f"{jid} is free, and {one} waits"

    def _check_capacity(self) -> None:
        floor = self.stage.desk.floor
        most = max(queue["agent_capacity"] for desk in self._in_force for queue in desk.values())
        loads: dict[str, int] = defaultdict(int)
        serving: dict[str, int] = defaultdict(int)
        for one in floor.conversations.values():
            if one.state in SERVED:
                serving[one.queue] += 1
                for jid in one.offered or (one.agent,):
                    loads[jid] += 1
        # What an admin has made too much stays, but does not grow.
        for jid, load in loads.items():
            assert load <= max(most, self._loads.get(jid, 0)), f"{jid} has {load}"
        for name, served in serving.items():
            capacities = [desk[name]["capacity"] for desk in self._in_force]
            assert 0 in capacities or served <= max(*capacities, self._serving.get(name, 0)), name
        self._loads, self._serving = loads, serving

    def _check_nothing_is_left_over(self) -> None:
        talk = self.stage.desk.talk
        left = [talk.handing, talk.giving, talk.gates, talk.recording]
        assert not any(left), left

    # The last act

    async def last_act(self) -> None:
        """Everybody comes and works until nobody waits: then every word is where it belongs."""
        await self.plays([("comes", name) for name in (*AGENTS, *CLIENTS)])
        await self.plays([("shows_as", agent, "") for agent in AGENTS])
        await self.plays([("agent_rests", agent, "ready") for agent in AGENTS])
        for turn in range(40):
            if not self._waiting():
                break
            # Not everybody has room for everybody.
            closing = [("agent_commands", pair, "!close solved") for pair in self._pairs()]
            offers = sum(len(offers) for offers in self._offers.values())
            accepting = [("agent_answers", nth, "accept", "button") for nth in range(offers)]
            await self.plays([*accepting, *(closing if turn > 2 else ())])
            await self.plays([("time_passes", 31.0)])
        assert not self._waiting()
        for word in self.words.values():
            if word.author in CLIENTS and word.fate is Fate.TAKEN:
                is_over = self.attendance.was_closed_at_once(self.jids[word.author], word.to, word.burst)
                assert self._holders(word) or is_over, f"nobody has {word}"

    def _waiting(self) -> list[Conversation]:
        floor = self.stage.desk.floor
        return [
            one
            for one in floor.conversations.values()
            if one.state in (State.WAITING, State.OFFERED)
            and any(floor.agents[jid].may_be_asked for jid in floor.queues[one.queue].members)
        ]


def _presence(show: str) -> str:
    return f"<presence>{f'<show>{show}</show>' if show else ''}</presence>"


@asynccontextmanager
async def played(folder: Path, first_start: Path, desks: Sequence[DeskTables]) -> AsyncIterator[Play]:
    """Open the stage."""
    play = Play(folder, desks)
    try:
        await play.begins(first_start)
        yield play
    finally:
        await play.ends()
