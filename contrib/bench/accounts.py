"""Who takes part in a measurement, as the CSV file that `imserver account import` reads."""

from __future__ import annotations

import csv
from collections.abc import Iterable
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
