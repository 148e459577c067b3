"""Who a visitor is, signed: what a clock and keys have to do with it."""

from __future__ import annotations

import string
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imserver_web.keys import OwnKeys, new_client_key, read_own_keys
from imserver_web.tokens import DAY, Claim, TokenRefused, Tokens

WEB = "web.example.com"
NOW = 1_800_000_000.0
SITES = {"shop": {"1": b"s" * 40}}
MIA = Claim("web:abcdefghijkl")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def tokens(*keys: bytes, clock: Clock | None = None) -> Tokens:
    return Tokens(
        OwnKeys(list(keys or (b"k" * 40,))),
        SITES,
        audience=WEB,
        days=10,
        leeway=30,
        longest=3_600,
        clock=clock or Clock(),
    )


def test_a_token_of_ours_is_read_until_it_expires() -> None:
    clock = Clock()
    ours = tokens(clock=clock)
    token, expires = ours.issue(MIA)

    assert expires == NOW + 10 * DAY
    clock.now = expires - 1
    assert ours.read(token) == MIA
    clock.now = expires
    with pytest.raises(TokenRefused, match="expired"):
        ours.read(token)


def test_of_several_keys_the_first_signs_and_all_count() -> None:
    old, _ = tokens(b"o" * 40).issue(MIA)
    both = tokens(b"n" * 40, b"o" * 40)

    assert both.read(old) == MIA
    with pytest.raises(TokenRefused):
        tokens(b"o" * 40).read(both.issue(MIA)[0])


def test_a_site_can_not_speak_for_us() -> None:
    forged = jwt.encode(
        {"iss": WEB, "aud": WEB, "sub": MIA.alias, "exp": int(NOW) + 60}, "s" * 40, algorithm="HS256"
    )

    with pytest.raises(TokenRefused):
        tokens().read(forged)


def test_whom_a_site_vouched_for_is_not_believed_when_the_site_is_gone() -> None:
    token, _ = tokens().issue(Claim("web:bank:42", "Mia"))

    with pytest.raises(TokenRefused, match="vouches"):
        tokens().read(token)


def test_the_clock_of_a_site_may_be_off_by_so_much() -> None:
    def site(expires: float) -> str:
        claims = {"iss": "shop", "aud": WEB, "sub": "42", "exp": int(expires)}
        return jwt.encode(claims, "s" * 40, algorithm="HS256")

    assert tokens().read(site(NOW - 29)) == Claim("web:shop:42")
    for expires in (NOW - 30, NOW + 3_700):
        with pytest.raises(TokenRefused):
            tokens().read(site(expires))


@given(
    st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,40}")
)
def test_whatever_is_shown_nothing_breaks(token: str) -> None:
    with pytest.raises(TokenRefused):
        tokens().read(token)


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"', '{"iss":[]}', '{"iss":{}}', "[" * 1_500])
def test_a_body_that_is_no_claim_is_refused(body: str) -> None:
    import base64

    parts = [base64.urlsafe_b64encode(one.encode()).decode().rstrip("=") for one in ('{"alg":"HS256"}', body)]
    with pytest.raises(TokenRefused):
        tokens().read(f"{parts[0]}.{parts[1]}.AAAA")


def test_keys_of_clients_are_always_the_same_and_differ() -> None:
    keys = OwnKeys([b"n" * 40, b"o" * 40])

    assert keys.client_key("web:shop:1") == OwnKeys([b"o" * 40]).client_key("web:shop:1")
    assert len({keys.client_key(f"web:shop:{number}") for number in range(100)}) == 100
    for key in (keys.client_key("web:shop:1"), new_client_key()):
        assert len(key) == 12
        assert set(key) <= set(string.ascii_lowercase + string.digits)


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("short\n")

    with pytest.raises(ValueError, match="32"):
        read_own_keys(file)
