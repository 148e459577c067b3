"""A business for the simulator's tests: a webhook that checks who wrote, and a client of Graph."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web

from contrib.whatsapp_simulator import HEADER, Account, Mischief, Pace, Simulator, signature, simulated

JSON = dict[str, Any]
NUMBER = "1122334455667"
ANA = "+351910000000"


@dataclass
class Webhook:
    """Keeps what it is told if it is signed well; says what it is told to say."""

    bodies: list[bytes] = field(default_factory=list)
    refused: int = 0
    answers: list[int] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            is_ours = request.query["hub.verify_token"] == "verify-token"
            return web.Response(text=request.query["hub.challenge"], status=200 if is_ours else 403)
        body = await request.read()
        if not hmac.compare_digest(request.headers.get(HEADER, ""), signature("app-secret", body)):
            self.refused += 1
            return web.Response(status=401)
        self.bodies.append(body)
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    @property
    def envelopes(self) -> list[JSON]:
        return [json.loads(body) for body in self.bodies]

    @property
    def values(self) -> list[JSON]:
        return [
            change["value"]
            for envelope in self.envelopes
            for entry in envelope["entry"]
            for change in entry["changes"]
        ]

    @property
    def messages(self) -> list[JSON]:
        return [message for value in self.values for message in value.get("messages", [])]

    @property
    def statuses(self) -> list[str]:
        return [status["status"] for value in self.values for status in value.get("statuses", [])]

    @property
    def last(self) -> JSON:
        """The last message told."""
        return self.messages[-1]


@dataclass
class Business:
    """Asks Graph."""

    url: str
    http: aiohttp.ClientSession

    async def posts(self, body: JSON) -> tuple[int, JSON]:
        path = f"{self.url}/v26.0/{NUMBER}/messages"
        async with self.http.post(path, json={"messaging_product": "whatsapp", **body}) as answer:
            return answer.status, await answer.json()

    async def sends(self, kind: str, content: object, *, to: str = ANA, **more: object) -> str:
        """Send something that is accepted; its wamid."""
        status, answer = await self.posts({"to": to, "type": kind, kind: content, **more})
        assert status == 200, answer
        return str(answer["messages"][0]["id"])

    async def writes(self, text: str, **more: Any) -> str:
        return await self.sends("text", {"body": text}, **more)

    async def is_refused(
        self, kind: str, content: object, *, to: str = ANA, **more: object
    ) -> tuple[int, str]:
        """Send something that is not accepted; the code, and what there is to say about it."""
        status, answer = await self.posts({"to": to, "type": kind, kind: content, **more})
        assert status >= 400, answer
        error = answer["error"]
        return int(error["code"]), str(error.get("error_data", {}).get("details", ""))

    async def gets(self, path: str) -> tuple[int, JSON]:
        async with self.http.get(f"{self.url}/v26.0/{path}") as answer:
            return answer.status, await answer.json()

    async def uploads(self, content: bytes, mime_type: str, filename: str = "file") -> tuple[int, JSON]:
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
        form.add_field("file", BytesIO(content), filename=filename, content_type=mime_type)
        async with self.http.post(f"{self.url}/v26.0/{NUMBER}/media", data=form) as answer:
            return answer.status, await answer.json()


@dataclass
class Office:
    simulator: Simulator
    webhook: Webhook
    business: Business


@asynccontextmanager
async def office(
    *, account: Account | None = None, mischief: Mischief | None = None, pace: Pace | None = None
) -> AsyncIterator[Office]:
    """Open a business, with a webhook that WhatsApp has verified."""
    webhook = Webhook()
    app = web.Application(client_max_size=3_000_000)
    app.router.add_route("*", "/webhook", webhook.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    webhook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    token = {"Authorization": "Bearer access-token"}
    try:
        async with (
            simulated(webhook.url, account=account, mischief=mischief, pace=pace) as simulator,
            aiohttp.ClientSession(headers=token) as http,
        ):
            yield Office(simulator, webhook, Business(simulator.url, http))
    finally:
        await runner.cleanup()
