"""How much an address may ask of us."""

from __future__ import annotations

import pytest

from imserver_web import limits
from imserver_web.limits import Bucket, Buckets, Sessions, network_of


def test_a_bucket_gives_so_much_at_once_and_so_much_a_second() -> None:
    bucket = Bucket(0.0, 2)

    assert [bucket.take(0.0, 1, 2) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1.0, 1, 2) for _ in range(2)] == [True, False]
    assert [bucket.take(100.0, 1, 2) for _ in range(3)] == [True, True, False]


def test_each_address_has_a_bucket_and_memory_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_REMEMBERED", 2)
    buckets = Buckets(lambda: 0.0)

    assert [buckets.take(one, 1, 1) for one in ("a", "b", "a", "c", "b")] == [True, True, False, True, True]


def test_sessions_are_counted_in_and_out() -> None:
    sessions = Sessions()
    sessions.opened("a")
    sessions.opened("a")
    sessions.closed("a")

    assert (sessions["a"], sessions["b"]) == (1, 0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_household_has_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
