"""XEP-0205: how much one address may ask of us."""

import pytest

from imserver.net.doorkeeper import MOST_REMEMBERED, Doorkeeper
from imserver.settings import Limits

ADDRESS = "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits() -> Limits:
    return Limits(connections_per_address=2, failed_logins_per_address=3, failed_login_seconds=60)


@pytest.fixture
def doorkeeper(limits: Limits, clock: Clock) -> Doorkeeper:
    return Doorkeeper(lambda: limits, clock)


def test_an_address_has_only_so_many_connections(doorkeeper: Doorkeeper) -> None:
    assert doorkeeper.admit(ADDRESS)
    assert doorkeeper.admit(ADDRESS)
    assert not doorkeeper.admit(ADDRESS)
    assert doorkeeper.admit("192.0.2.2"), "others are not meant"
    assert len(doorkeeper) == 3


def test_who_leaves_makes_room(doorkeeper: Doorkeeper) -> None:
    doorkeeper.admit(ADDRESS)
    doorkeeper.admit(ADDRESS)

    doorkeeper.leave(ADDRESS)

    assert doorkeeper.admit(ADDRESS)


def test_nothing_is_kept_of_those_who_left(doorkeeper: Doorkeeper) -> None:
    doorkeeper.admit(ADDRESS)
    doorkeeper.leave(ADDRESS)
    doorkeeper.leave("192.0.2.9")
    doorkeeper.may_log_in(ADDRESS)

    assert len(doorkeeper) == 0
    assert not doorkeeper._connections
    assert not doorkeeper._failures


def test_an_address_may_fail_only_so_often(doorkeeper: Doorkeeper) -> None:
    for _ in range(3):
        assert doorkeeper.may_log_in(ADDRESS)
        doorkeeper.login_failed(ADDRESS)

    assert not doorkeeper.may_log_in(ADDRESS)
    assert doorkeeper.may_log_in("192.0.2.2")


def test_failures_are_forgotten_one_by_one(doorkeeper: Doorkeeper, clock: Clock) -> None:
    for _ in range(3):
        doorkeeper.login_failed(ADDRESS)
        clock.now += 10

    clock.now += 25
    assert not doorkeeper.may_log_in(ADDRESS)
    clock.now += 10
    assert doorkeeper.may_log_in(ADDRESS)
    doorkeeper.login_failed(ADDRESS)
    assert not doorkeeper.may_log_in(ADDRESS)

    clock.now += 1_000
    assert doorkeeper.may_log_in(ADDRESS)
    assert not doorkeeper._failures


def test_only_so_many_addresses_are_remembered(doorkeeper: Doorkeeper) -> None:
    for number in range(MOST_REMEMBERED + 100):
        doorkeeper.login_failed(f"2001:db8::{number:x}")

    assert len(doorkeeper._failures) == MOST_REMEMBERED


def test_the_limits_are_those_of_the_moment(doorkeeper: Doorkeeper, limits: Limits) -> None:
    doorkeeper.admit(ADDRESS)
    doorkeeper.login_failed(ADDRESS)

    limits.__dict__.update(connections_per_address=1, failed_logins_per_address=1)

    assert not doorkeeper.admit(ADDRESS)
    assert not doorkeeper.may_log_in(ADDRESS)
