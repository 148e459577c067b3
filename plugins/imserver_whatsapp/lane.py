"""What is on its way to one client from one of our numbers: one thing after the other, each once.

The next is posted when Meta has *sent* the former: posted together, a text overtakes the picture before it. There is no
key at Meta that would make a second try harmless. So when an answer stays away, nothing is posted again: the lane waits
for a status that carries our own id, and if none comes, the agent is told that nobody knows.

Nothing here waits, stores or posts. The shell does, in this order:

1. `add` an item, store the lane, then acknowledge the message to the agent.
2. When `ready_at` has come: `take` the item, **store the lane**, then post its request.
3. Tell the lane what came of it (`accepted`, `declined`, `unclear`, `reported`), store it, then act on the outcomes.
4. When `wakes_at` has come: `wake`.

After a crash: `Lane.from_row`, then `recover`. What was taken may have been posted, and is treated as unclear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Self

from imserver_whatsapp import codes
from imserver_whatsapp.codes import Action, Rule
from imserver_whatsapp.pace import PAIR, SCHEDULES, Pace, Rate, Schedule
from imserver_whatsapp.status import State


class Step(Enum):
    """Where the first of a lane is."""

    #: To be posted.
    WAITING = "waiting"
    #: Taken: it is being posted, or was when the server died.
    POSTING = "posting"
    #: Nobody knows whether Meta has it.
    UNCLEAR = "unclear"
    #: Meta has it, but has not sent it yet.
    ACCEPTED = "accepted"


class Result(Enum):
    """What there is to tell, or to do."""

    #: Meta has it: keep the wamid, and bind statuses to it.
    ACCEPTED = "accepted"
    #: It will not get there.
    FAILED = "failed"
    #: Nobody knows whether it got there.
    UNKNOWN = "unknown"
    #: It was not taken now, and is tried again.
    DELAYED = "delayed"
    #: It waits until an admin has done something.
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Item:
    """One request."""

    #: Ours, never used twice: it goes along as `biz_opaque_callback_data`.
    id: str
    #: What is posted; the lane does not look into it.
    request: Mapping[str, Any]
    step: Step = Step.WAITING
    #: How often it was refused.
    refusals: int = 0
    #: When the step has lasted too long.
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item."""

    item: Item
    result: Result
    rule: Rule | None = None
    code: int = 0
    details: str = ""
    wamid: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, and how often something is tried; all of it is the admin's to set."""

    #: For `sent`, after which the next is posted all the same.
    sent: float = 20.0
    #: For a status, when there was no answer.
    unclear: float = 60.0
    #: After each refusal.
    schedules: Mapping[Action, Schedule] = field(default_factory=lambda: SCHEDULES)


@dataclass(slots=True)
class Lane:
    """The queue of one client at one number."""

    patience: Patience = field(default_factory=Patience)
    pair: Rate = PAIR
    _items: list[Item] = field(default_factory=list)
    #: The earliest moment for the first one.
    _not_before: float = 0.0
    _is_held: bool = False
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self.pair)

    @property
    def items(self) -> Sequence[Item]:
        """All that is not done with, in order."""
        return tuple(self._items)

    @property
    def is_held(self) -> bool:
        """Whether it waits for an admin."""
        return self._is_held

    # Putting in, taking out

    def add(self, item: Item) -> None:
        """Put something at the end; what is there already is not put there again."""
        if all(item.id != one.id for one in self._items):
            self._items.append(item)

    def ready_at(self, now: float) -> float | None:
        """Say when the first one may be posted; None if there is none, or something else has to happen first."""
        if self._is_held or not self._items or self._items[0].step is not Step.WAITING:
            return None
        return max(self._not_before, self._pace.free_at(now))

    def take(self, now: float) -> Item:
        """Take the first one, to store the lane and then post it."""
        ready = self.ready_at(now)
        assert ready is not None, "there is nothing to take"
        assert ready <= now, "it is too early"
        self._pace.take(now)
        return self._put(replace(self._items[0], step=Step.POSTING))

    def give_up(self, id: str, rule: Rule, code: int = 0, details: str = "") -> list[Outcome]:
        """Let go of something that was never posted: its file is refused, the window has closed, it is taken back."""
        found = next((item for item in self._items if item.id == id and item.step is Step.WAITING), None)
        return self._finish(found, Result.FAILED, rule, code, details) if found is not None else []

    # What came of it

    def accepted(self, id: str, wamid: str, now: float) -> list[Outcome]:
        """Meta has it."""
        item = self._first(id)
        if item is None or item.step is Step.ACCEPTED:
            return []  # a status was faster
        taken = self._put(replace(item, step=Step.ACCEPTED, deadline=now + self.patience.sent))
        return [Outcome(taken, Result.ACCEPTED, wamid=wamid)]

    def declined(self, id: str, rule: Rule, now: float, *, code: int = 0, details: str = "") -> list[Outcome]:
        """Meta says that it has not taken it, and why."""
        item = self._first(id)
        if item is None or item.step is Step.ACCEPTED:
            return []
        match rule.action:
            case Action.STOP:
                self._is_held = True
                self._put(replace(item, step=Step.WAITING, deadline=None))
                return [Outcome(item, Result.HELD, rule, code, details)]
            case Action.RETRY | Action.BACK_OFF | Action.PAIR:
                return self._try_again(item, rule, now, code, details)
            case _:
                return self._finish(item, Result.FAILED, rule, code, details)

    def _try_again(self, item: Item, rule: Rule, now: float, code: int, details: str) -> list[Outcome]:
        refused = replace(item, step=Step.WAITING, refusals=item.refusals + 1, deadline=None)
        delay = self.patience.schedules[rule.action].delay(refused.refusals)
        if delay is None:
            return self._finish(item, Result.FAILED, rule, code, details)
        if rule.action is Action.PAIR:
            self._pace.spend(now)
        self._put(refused)
        self._not_before = now + delay
        return [Outcome(refused, Result.DELAYED, rule, code, details)]

    def unsent(self, id: str, now: float) -> list[Outcome]:
        """Not a byte of the request got out (no route, no name, no connection): it is safe to try again."""
        return self.declined(id, codes.rule(2), now, code=0)

    def unclear(self, id: str, now: float) -> list[Outcome]:
        """There was no answer, or none that says anything: wait for a status."""
        item = self._first(id)
        if item is not None and item.step is Step.POSTING:
            self._put(replace(item, step=Step.UNCLEAR, deadline=now + self.patience.unclear))
        return []

    def reported(
        self, id: str, wamid: str, state: State, now: float, *, rule: Rule | None = None, code: int = 0
    ) -> list[Outcome]:
        """There is a status with our id: Meta had it, whatever we thought.

        Statuses also go to the message's own lattice (`status.py`), whether the lane still knows it or not.
        """
        item = self._first(id)
        if item is None:
            return []
        found = rule or codes.UNKNOWN
        if state is State.FAILED:
            # One that is to be tried again may be reported as well as refused.
            is_over = item.step is not Step.WAITING or found.is_final
            return self._finish(item, Result.FAILED, found, code, wamid=wamid) if is_over else []
        outcomes = self.accepted(id, wamid, now)
        if state is not State.ACCEPTED:
            self._remove(item)
        return outcomes

    def wake(self, now: float) -> list[Outcome]:
        """See whether something has been waited for long enough."""
        item = self._items[0] if self._items else None
        if item is None or item.deadline is None or now < item.deadline:
            return []
        if item.step is Step.UNCLEAR:
            return self._finish(item, Result.UNKNOWN, codes.UNCLEAR)
        self._remove(item)  # accepted, and no word of it since: the others have waited long enough
        return []

    def wakes_at(self) -> float | None:
        """Say when `wake` is due."""
        return self._items[0].deadline if self._items else None

    def hold(self) -> None:
        """Wait for an admin, since another lane of the number has to."""
        self._is_held = True

    def release(self, now: float) -> None:
        """Go on: an admin has done what was needed."""
        self._is_held = False
        self._not_before = max(self._not_before, now)

    def recover(self, now: float) -> None:
        """Begin anew after a crash: what was taken may have been posted."""
        for item in self._items[:1]:
            if item.step in (Step.POSTING, Step.UNCLEAR):
                # Meta's statuses wait for us as well: the time counts from now.
                self._put(replace(item, step=Step.UNCLEAR, deadline=now + self.patience.unclear))

    # Keeping it

    def to_row(self) -> dict[str, Any]:
        """Write it down, as plain JSON."""
        return {
            "items": [
                {
                    "id": item.id,
                    "request": dict(item.request),
                    "step": item.step.value,
                    "refusals": item.refusals,
                    "deadline": item.deadline,
                }
                for item in self._items
            ],
            "not_before": self._not_before,
            "is_held": self._is_held,
            "due": self._pace.due,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any], *, patience: Patience | None = None, pair: Rate = PAIR) -> Self:
        """Read what was written down."""
        lane = cls(patience or Patience(), pair)
        lane._items = [Item(**{**item, "step": Step(item["step"])}) for item in row["items"]]
        lane._not_before = row["not_before"]
        lane._is_held = row["is_held"]
        lane._pace = Pace(pair, row["due"])
        return lane

    # The first of it

    def _first(self, id: str) -> Item | None:
        return self._items[0] if self._items and self._items[0].id == id else None

    def _put(self, item: Item) -> Item:
        self._items[0] = item
        return item

    def _remove(self, item: Item) -> None:
        self._items = [one for one in self._items if one.id != item.id]

    def _finish(
        self,
        item: Item,
        result: Result,
        rule: Rule,
        code: int = 0,
        details: str = "",
        wamid: str = "",
    ) -> list[Outcome]:
        self._remove(item)
        return [Outcome(item, result, rule.ended, code, details, wamid)]
