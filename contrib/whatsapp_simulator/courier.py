"""Brings updates to the webhook, again and again until it says 200 (Cloud API: Webhooks)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from random import Random
from typing import Final

import aiohttp

from contrib.whatsapp_simulator.clock import DAY, Clock
from contrib.whatsapp_simulator.envelopes import Update, envelope, written
from contrib.whatsapp_simulator.settings import Settings
from contrib.whatsapp_simulator.signatures import signature_headers

GIVE_UP_SECONDS: Final = 7 * DAY
MOST_UPDATES: Final = 1000
MOST_BYTES: Final = 3_000_000
KEPT: Final = 10_000


class NotVerified(Exception):
    """The webhook did not say the challenge after us."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST: when (by the simulator's clock), what came back, and after how many real seconds."""

    at: float
    status: int | None
    reason: str
    seconds: float


@dataclass(slots=True, eq=False)
class Delivery:
    """One body on its way to the webhook."""

    updates: tuple[Update, ...]
    body: bytes
    began: float
    #: There was nobody to tell it to.
    is_lost: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].status == 200


class Courier:
    """Knows where the webhook is, and what has been told to it."""

    def __init__(self, settings: Settings, clock: Clock, random: Random) -> None:
        self.url = ""
        self.is_verified = False
        self.trouble = "There is no webhook yet."
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self._account = settings.account
        self._mischief = settings.mischief
        self._clock = clock
        self._random = random
        self._retries = settings.retries
        self._patience = aiohttp.ClientTimeout(total=settings.patience)
        self._session: aiohttp.ClientSession | None = None
        self._held: list[Update] | None = None
        self._batch: list[Update] = []
        self._gate = asyncio.Semaphore(1)
        self._gate_width = 1

    # The webhook

    async def subscribe(self, url: str, verify_token: str | None = None) -> None:
        """Ask a webhook whether it is one.

        Raises:
            NotVerified: If it does not answer as it has to; the reason is its text.
        """
        self.url, self.is_verified = url, False
        try:
            await self._verify(url, self._account.verify_token if verify_token is None else verify_token)
        except NotVerified as refusal:
            self.trouble = str(refusal)
            raise
        self.is_verified, self.trouble = True, ""

    async def _verify(self, url: str, verify_token: str) -> None:
        challenge = str(self._random.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            async with self._http().get(url, params=query) as answer:
                said = await answer.content.read(1000)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotVerified(f"{url} cannot be reached: {str(error) or type(error).__name__}") from error
        if answer.status != 200:
            raise NotVerified(
                f"{url} answered {answer.status} to the verification: is the verify token right?"
            )
        if said.decode(errors="replace") != challenge:
            raise NotVerified(f"{url} has to answer with hub.challenge and nothing else")

    def unsubscribe(self) -> None:
        """Tell nobody anything from now on."""
        self.url, self.is_verified, self.trouble = "", False, "There is no webhook yet."

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # What is told

    def tell(self, *updates: Update) -> list[asyncio.Task[None]]:
        """Tell these, each in a POST of its own unless mischief wants otherwise; returns what began at once."""
        if self._held is not None:
            self._held.extend(updates)
            return []
        if not self._mischief.disorder_seconds:
            return [task for update in updates for task in self._gather(update)]
        for update in updates:
            late = self._random.uniform(0.001, self._mischief.disorder_seconds)
            self._clock.after(late, partial(self._gather_later, update))
        return []

    @asynccontextmanager
    async def holding(self, *, together: bool, backwards: bool, entries: int) -> AsyncIterator[None]:
        """Keep everything back; then tell it all, and wait until it has been tried once."""
        assert self._held is None, "one at a time"
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
        if backwards:
            held.reverse()
        tasks = self.post(held, entries=entries) if together else self.tell(*held)
        await told(tasks)

    def post(self, updates: Sequence[Update], *, entries: int = 1) -> list[asyncio.Task[None]]:
        """Send these in one POST, or in as few as Meta's limits allow."""
        if not updates:
            return []
        body = written(envelope(self._account, updates, entries=entries))
        if len(updates) > MOST_UPDATES or (len(body) > MOST_BYTES and len(updates) > 1):
            half = len(updates) // 2
            return self.post(updates[:half], entries=entries) + self.post(updates[half:], entries=entries)
        tasks = [self.post_body(body, updates)]
        for update in updates:
            again = written(envelope(self._account, [update]))
            tasks += [self.post_body(again, [update]) for _ in range(self._mischief.duplicates)]
        return tasks

    def post_body(self, body: bytes, updates: Sequence[Update] = ()) -> asyncio.Task[None]:
        """Send these very bytes, signed."""
        delivery = Delivery(tuple(updates), body, self._clock.now())
        self.deliveries.append(delivery)
        return self._clock.spawn(self._attempt(delivery))

    def _gather_later(self, update: Update) -> None:
        self._gather(update)

    def _gather(self, update: Update) -> list[asyncio.Task[None]]:
        if not self._mischief.batch_seconds:
            return self.post([update])
        self._batch.append(update)
        if len(self._batch) == 1:
            self._clock.after(self._mischief.batch_seconds, self._post_batch)
        return []

    def _post_batch(self) -> None:
        batch, self._batch = self._batch, []
        self.post(batch)

    # One POST

    async def _attempt(self, delivery: Delivery) -> None:
        # What happens before the webhook is verified is told to nobody, and there is no way to ask for it later.
        if not self.is_verified:
            delivery.is_lost = True
            return
        async with self._gate_now():
            began = time.monotonic()
            status, reason = await self._post_once(delivery.body)
        delivery.attempts.append(Attempt(self._clock.now(), status, reason, time.monotonic() - began))
        wait = self._retries[min(len(delivery.attempts), len(self._retries)) - 1]
        if status != 200 and self._clock.now() + wait - delivery.began <= GIVE_UP_SECONDS:
            self._clock.after(wait, lambda: self._attempt(delivery))

    async def _post_once(self, body: bytes) -> tuple[int | None, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            **signature_headers(self._account.app_secret, body, self._mischief.signing),
        }
        try:
            # A stream, since aiohttp warns of large bytes.
            async with self._http().post(
                self.url, data=BytesIO(body), headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, answer.reason or ""
        except (aiohttp.ClientError, TimeoutError) as error:
            return None, str(error) or type(error).__name__

    def _gate_now(self) -> asyncio.Semaphore:
        width = max(1, self._mischief.concurrency)
        if width != self._gate_width:
            self._gate, self._gate_width = asyncio.Semaphore(width), width
        return self._gate

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._patience)
        return self._session


async def told(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until each of these has been tried."""
    if tasks:
        await asyncio.wait(tasks)
