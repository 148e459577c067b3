"""Who returns is the same client; whom a site vouches for has a verified name; nobody else believes anything."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.plugins.web.visitors import NAMESPACE, WEB, WebStage, web_on_stage
from tests.scenes.actors import Actor
from tests.scenes.desk.conftest import bodies, offer_in, says

KEY, OLD_KEY = "k" * 40, "o" * 40
SITES = {"shop": {"keys": {"2026": KEY, "2025": OLD_KEY}}, "bank": {"keys": {"1": "b" * 40}}}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebStage]:
    async with web_on_stage(tmp_path, {"sites": SITES}, plugins=("display_name",)) as one:
        yield one


@pytest.fixture
async def ana(web: WebStage) -> Actor:
    return await web.stage.comes_online("ana")


def vouched(key: str = KEY, algorithm: str = "HS256", kid: str | None = "2026", **claims: Any) -> str:
    said = {
        "iss": "shop",
        "sub": "42",
        "aud": WEB,
        "exp": int(time.time()) + 300,
        "name": "Mia Ríos",
    } | claims
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


async def refused(web: WebStage, token: str) -> bool:
    """Show a token that is not to be believed (RFC 7628, 3.2.2)."""
    visitor = await web.connects()
    await visitor.opens_stream()
    challenge = await visitor.says_who(token)
    if challenge.name != "challenge":
        return challenge.name == "failure"
    await visitor.sends("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>")
    failure = await visitor.hears()
    return [one.name for one in failure.elements()][:1] == ["not-authorized"]


async def test_who_returns_is_the_same_client(web: WebStage, ana: Actor) -> None:
    mia = await web.enters()
    await mia.says("hello")
    await web.stage.settles()
    token = await mia.gets_token()
    await web.stage.loses(mia)

    again = await web.enters(token)

    assert again.key == mia.key
    await again.says("me again")
    offer = offer_in(await ana.swallows())
    assert offer is not None
    assert len(web.stage.desk.floor.conversations) == 1


async def test_who_returns_before_they_have_written_is_the_same(web: WebStage) -> None:
    mia = await web.enters()

    assert (await web.enters(await mia.gets_token())).key == mia.key


async def test_a_token_says_until_when_it_counts(web: WebStage) -> None:
    mia = await web.enters()

    answer = await mia.asks(
        f"<iq xmlns='jabber:client' type='get' id='t' to='{WEB}'><token xmlns='{NAMESPACE}'/></iq>"
    )

    assert answer.elements()[0].get("expires").endswith("Z")
    claims = jwt.decode(answer.elements()[0].text, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["sub"]) == (WEB, WEB, f"web:{mia.key}")


async def test_a_site_vouches_for_its_users(web: WebStage, ana: Actor) -> None:
    mia, again = await web.enters(vouched()), await web.enters(vouched())
    assert mia.key == again.key

    await mia.says("hello")
    await web.stage.settles()

    client = await web.stage.desk.clients.find(mia.jid.bare)
    assert client is not None
    assert (client.aliases, client.name) == (("web:shop:42",), "Mia Ríos")
    assert client.shown is not None
    assert client.shown.is_verified


async def test_the_renewed_token_of_a_sites_user_is_theirs(web: WebStage) -> None:
    mia = await web.enters(vouched())

    assert (await web.enters(await mia.gets_token())).key == mia.key


async def test_users_of_two_sites_are_two(web: WebStage) -> None:
    mia = await web.enters(vouched())
    other = await web.enters(vouched("b" * 40, iss="bank", kid="1"))

    assert mia.key != other.key


@pytest.mark.parametrize(
    "made",
    [
        lambda: vouched(OLD_KEY, kid="2025"),
        lambda: vouched(kid=None),
        lambda: vouched(OLD_KEY, kid=None),
        lambda: vouched(exp=int(time.time()) - 5),
        lambda: vouched(aud=[WEB, "other"]),
        lambda: vouched(iat=int(time.time()) + 20),
    ],
    ids=["older key", "no kid", "no kid, older key", "clock behind", "several audiences", "clock ahead"],
)
async def test_a_good_token_is_taken(web: WebStage, made: Callable[[], str]) -> None:
    await web.enters(made())


BAD = {
    "another key": vouched("x" * 40),
    "another kid": vouched(kid="2025"),
    "an unknown kid": vouched(kid="2024"),
    "no expiry": vouched(exp=None),
    "expired": vouched(exp=int(time.time()) - 100),
    "for too long": vouched(exp=int(time.time()) + 10 * 86_400),
    "an infinite expiry": vouched(exp=1e300),
    "a text for expiry": vouched(exp="never"),
    "from the future": vouched(iat=int(time.time()) + 4_000),
    "no audience": vouched(aud=None),
    "another audience": vouched(aud="localhost"),
    "no issuer": vouched(iss=None),
    "an unknown issuer": vouched(iss="elsewhere"),
    "another site's issuer": vouched(iss="bank", kid=None),
    "our own issuer": vouched(iss=WEB, sub="web:abcdefghijkl"),
    "no subject": vouched(sub=None),
    "an empty subject": vouched(sub=""),
    "a long subject": vouched(sub="x" * 300),
    "a subject of two lines": vouched(sub="a\nb"),
    "no algorithm": vouched(key="", algorithm="none"),
    "another algorithm": vouched("k" * 64, algorithm="HS512"),
    "too long": vouched(name="x" * 3_200),
    "no token": "abc",
    "no base64": "a.b.c",
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
async def test_a_bad_token_is_refused(web: WebStage, token: str) -> None:
    assert await refused(web, token)


async def test_a_token_of_ours_that_was_changed_is_refused(web: WebStage) -> None:
    mia, other = await web.enters(), await web.enters()
    head, body, _ = (await mia.gets_token()).split(".")
    _, _, signature = (await other.gets_token()).split(".")

    assert await refused(web, f"{head}.{body}.{signature}")


async def test_who_shows_a_token_can_not_act_as_somebody_else(web: WebStage) -> None:
    mia, other = await web.enters(), await web.connects()
    token = await (await web.enters()).gets_token()
    await other.opens_stream()

    failure = await other.says_who_as(f"{mia.key}@{WEB}", token)

    assert [one.name for one in failure.elements()][:1] == ["invalid-authzid"]


async def test_keys_change_and_tokens_stay(tmp_path: Path) -> None:
    async with web_on_stage(tmp_path) as web:
        mia = await web.enters()
        token = await mia.gets_token()
    file = tmp_path / "web-keys"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("n" * 40 + "\n" + file.read_text())

    async with web_on_stage(tmp_path) as web:
        again = await web.enters(token)
        assert again.key == mia.key
        renewed = await again.gets_token()
    file.write_text("n" * 40 + "\n")

    async with web_on_stage(tmp_path) as web:
        assert await refused(web, token)
        assert (await web.enters(renewed)).key == mia.key


async def test_where_a_site_has_to_vouch_nobody_comes_without(tmp_path: Path) -> None:
    async with web_on_stage(tmp_path, {"sites": SITES, "anonymous": False}) as web:
        visitor = await web.connects()
        await visitor.opens_stream()
        assert (await visitor.says_who()).elements()[0].name == "invalid-mechanism"
        await web.enters(vouched())


async def test_a_merged_client_is_reached_where_they_are(web: WebStage, ana: Actor) -> None:
    mia = await web.enters()
    client = await web.attends(ana, mia)
    other = await web.stage.desk.clients.find_or_add(mia.jid.bare, "tel:+34600")
    await web.stage.desk.clients.merge(client, other.jid)

    await says(ana, client, "Still you?")
    assert "Still you?" in bodies(await mia.swallows())
    await mia.says("Yes")
    assert "Yes" in bodies(await ana.swallows())
    again = await web.enters(await mia.gets_token())
    assert again.key == other.jid.local
    await says(ana, client, "Welcome back")
    assert "Welcome back" in bodies(await again.swallows())


async def test_failed_tokens_count_as_sign_ins_and_lock_nobody_else_out(web: WebStage) -> None:
    for _ in range(30):
        assert await refused(web, BAD["another key"])

    visitor = await web.connects()
    await visitor.opens_stream()
    failure = await visitor.says_who()

    assert [one.name for one in failure.elements()][:1] == ["temporary-auth-failure"]
    await web.stage.comes_online("eva")
