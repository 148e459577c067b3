"""The load generator, a process of its own: reads an order, drives the load, prints a report."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict

import uvloop

from contrib.bench.accounts import Account, read_accounts
from contrib.bench.load import SETTLE_SECONDS
from contrib.bench.measure import Usage, memory_of, sample, usage_between
from contrib.bench.orders import Order
from contrib.bench.report import Report, percentiles
from contrib.bench.sign_in import Dialogue, context_for_loopback, sign_in
from contrib.bench.workloads import WORKLOADS
from contrib.bench.workloads.workload import SIGN_INS_AT_ONCE, Outcome, Seat, at_once

REHEARSED = 64
"""Clients who sign in and out before anything is measured: keys are derived and code is warm."""


async def run(order: Order, accounts: Sequence[Account]) -> Report:
    """Rehearse, sign in, and do what the workload does."""
    workload = WORKLOADS[order.workload](order)
    seats = workload.seats(accounts)
    await rehearse(order, seats[:REHEARSED])

    empty = memory_of(order.watch)
    entering = sample(order.watch)
    guests = await enter(order, seats)
    logins = usage_between(entering, sample(order.watch))
    await workload.settle(guests)
    full = memory_of(order.watch)

    outcome = await workload.drive(guests)
    for guest in guests:
        guest.leave()
    return report(len(seats), logins, full, full - empty, outcome)


async def rehearse(order: Order, seats: Sequence[Seat]) -> None:
    for guest in await enter(order, seats):
        guest.leave()
    await asyncio.sleep(SETTLE_SECONDS)


async def enter(order: Order, seats: Sequence[Seat]) -> list[Dialogue]:
    context = context_for_loopback()

    async def take(seat: Seat) -> Dialogue:
        return await sign_in(seat.account, order.address, context, seat.resource)

    return await at_once(take, seats, SIGN_INS_AT_ONCE)


def report(clients: int, logins: Usage, memory: int, growth: int, outcome: Outcome) -> Report:
    usage, count = outcome.usage, outcome.count
    return Report(
        clients=clients,
        logins_per_second=clients / logins.seconds,
        server_cpu_ms_per_login=logins.cpu_seconds / clients * 1e3,
        login_server_share=logins.server_share,
        login_generator_share=logins.generator_share,
        memory_bytes_per_client=growth / clients,
        memory_bytes=memory,
        seconds=usage.seconds,
        count=count,
        per_second=count / usage.seconds,
        latency=percentiles(outcome.latencies),
        server_cpu_us_each=usage.cpu_seconds / count * 1e6 if count else 0.0,
        server_cpu_share=usage.server_share,
        generator_cpu_us_each=usage.own_cpu_seconds / count * 1e6 if count else 0.0,
        generator_cpu_share=usage.generator_share,
        others_cpu_share=usage.others_share,
        stolen_cpu_share=usage.stolen_share,
        correctness=outcome.correctness,
        surprise=outcome.surprise,
    )


def raise_file_limit(most: int = 65_536) -> int:
    """Let this process and those it starts open as many files as they may; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    return max(soft, limit)


def main() -> int:
    order = Order.from_json(sys.stdin.read())
    accounts = read_accounts(order.roll)[: order.clients]
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(order, accounts))
    json.dump(asdict(result), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
