"""Many accounts from a CSV file, as fast as the machine can hash."""

import asyncio
import csv
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from io import StringIO
from typing import NamedTuple

from imserver.storage.accounts import Accounts, StoredCredentials
from imserver.stream.scram import SALT_LENGTH, PasswordError, make_credentials
from imserver.xmpp.jid import JID, JIDError

# How many accounts share a transaction.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One account to add, and the line it stands in."""

    line: int
    address: JID
    password: str


class Refusal(NamedTuple):
    """One line that cannot be an account."""

    line: int
    problem: str


def read_rows(text: str, domain: str) -> tuple[list[Row], list[Refusal]]:
    """Tell the accounts of a file from what is none."""
    rows: dict[JID, Row] = {}
    refused: list[Refusal] = []
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return list(rows.values()), refused
        except csv.Error as error:
            refused.append(Refusal(reader.line_num, f"not CSV: {error}"))
            continue
        if not fields or (reader.line_num == 1 and fields[0].strip().lower() == "jid"):
            continue
        try:
            row = _read_row(reader.line_num, fields, domain)
        except ValueError as error:
            refused.append(Refusal(reader.line_num, str(error)))
            continue
        if row.address in rows:
            first = rows[row.address].line
            refused.append(Refusal(row.line, f"{row.address} stands in line {first} already"))
        else:
            rows[row.address] = row


def _read_row(line: int, fields: Sequence[str], domain: str) -> Row:
    if len(fields) != 2:
        raise ValueError(f"expected jid,password, and found {len(fields)} columns")
    return Row(line, account_address(fields[0].strip(), domain), fields[1])


def account_address(text: str, domain: str) -> JID:
    """Read the address of an account of this server.

    Raises:
        ValueError: If it is anything else; says what.
    """
    try:
        address = JID.parse(text)
    except JIDError as error:
        raise ValueError(f'"{text}" is not an address') from error
    if not address.local or address.resource:
        raise ValueError(f'"{text}" is not the address of an account')
    if address.domain != domain:
        raise ValueError(f'"{text}" is not of this server, whose domain is {domain}')
    return address


def derive(password: str, iterations: int) -> list[StoredCredentials]:
    """Make what is kept of a password; slow on purpose.

    Raises:
        PasswordError: If it is empty or holds what no client can type.
    """
    made = make_credentials(password, iterations=iterations, salt=secrets.token_bytes(SALT_LENGTH))
    return [StoredCredentials(*astuple(credentials)) for credentials in made]


async def import_rows(
    rows: Sequence[Row], accounts: Accounts, iterations: int
) -> AsyncIterator[tuple[int, list[Refusal]]]:
    """Add the accounts, batch by batch; says of each how many rows it did and which were left out."""
    # hashlib lets go of the interpreter while it hashes: threads are enough.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            yield len(batch), await _import_batch(batch, accounts, iterations, threads)


async def _import_batch(
    batch: Sequence[Row], accounts: Accounts, iterations: int, threads: Executor
) -> list[Refusal]:
    loop = asyncio.get_running_loop()
    hashing = [loop.run_in_executor(threads, derive, row.password, iterations) for row in batch]
    derived = await asyncio.gather(*hashing, return_exceptions=True)

    lines: dict[str, int] = {row.address: row.line for row in batch}
    refused: list[Refusal] = []
    good: list[tuple[str, list[StoredCredentials]]] = []
    for row, credentials in zip(batch, derived, strict=True):
        match credentials:
            case PasswordError():
                refused.append(Refusal(row.line, str(credentials)))
            case BaseException():
                raise credentials
            case _:
                good.append((row.address, credentials))
    known = await accounts.add_many(good)
    return refused + [Refusal(lines[owner], f"{owner} exists already") for owner in known]
