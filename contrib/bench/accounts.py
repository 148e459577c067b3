"""Who takes part in a measurement, and who is in whose roster."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    local: str
    domain: str
    password: str

    @property
    def jid(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Population:
    """Accounts in a circle: each sees the presence of those who stand next to it, half on either side."""

    accounts: Sequence[Account]
    contacts: int = 0

    def contacts_of(self, number: int) -> list[Account]:
        half = self.contacts // 2
        steps = [*range(-half, 0), *range(1, half + 1)]
        return [self.accounts[(number + step) % len(self.accounts)] for step in steps]


def make_accounts(count: int, domain: str = "localhost") -> list[Account]:
    return [Account(f"user{number:05}", domain, "correct horse") for number in range(count)]


def write_accounts(path: Path, accounts: Iterable[Account]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows((account.jid, account.password) for account in accounts)


def read_accounts(path: Path) -> list[Account]:
    with path.open(newline="") as file:
        return [account_of(jid, password) for jid, password in csv.reader(file)]


def account_of(jid: str, password: str) -> Account:
    local, _, domain = jid.partition("@")
    return Account(local, domain, password)
