"""What the load generator is told to do, as JSON on its standard input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from contrib.bench.sign_in import Address, Security


@dataclass(frozen=True, slots=True)
class Order:
    workload: str
    roll: Path
    """The CSV file of the accounts."""
    address: Address
    clients: int
    in_flight: int = 1
    contacts: int = 0
    rate: int = 0
    warm_up: float = 1.0
    seconds: float = 4.0
    watch: Sequence[int] = ()
    """The server's processes."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Order:
        fields = json.loads(text)
        address = fields.pop("address")
        address["security"] = Security(address["security"])
        return cls(roll=Path(fields.pop("roll")), address=Address(**address), **fields)
