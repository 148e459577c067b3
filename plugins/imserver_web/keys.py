"""The keys that tokens are signed with: our own in a file, those of the sites in the settings."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import string
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imserver_web.settings import SHORTEST_KEY

if TYPE_CHECKING:
    from imserver_web.settings import Site

CHARACTERS: Final = string.ascii_lowercase + string.digits
KEY_LENGTH: Final = 12


class OwnKeys:
    """The newest signs; the older ones still count. A line of the file is a key."""

    def __init__(self, keys: list[bytes]) -> None:
        self.by_name: Mapping[str, bytes] = {name_of(key): key for key in keys}
        self.newest = name_of(keys[0])
        # Whatever is changed: the addresses that were made from it must stay.
        self._oldest = keys[-1]

    @property
    def signing(self) -> bytes:
        """The key that new tokens are signed with."""
        return self.by_name[self.newest]

    def client_key(self, alias: str) -> str:
        """Make up the key of a client who is still to write: always the same one, and nobody guesses it."""
        number = int.from_bytes(hmac.digest(self._oldest, b"client\0" + alias.encode(), "sha256"), "big")
        signs = []
        for _ in range(KEY_LENGTH):
            number, index = divmod(number, len(CHARACTERS))
            signs.append(CHARACTERS[index])
        return "".join(signs)


def name_of(key: bytes) -> str:
    """Name a key without telling it."""
    return hashlib.sha256(b"kid\0" + key).hexdigest()[:16]


def new_client_key() -> str:
    """Make up the key of a client whom nobody has seen before: 62 bits."""
    return "".join(secrets.choice(CHARACTERS) for _ in range(KEY_LENGTH))


def read_own_keys(file: Path) -> OwnKeys:
    """Read our own keys; make one at the first start.

    Raises:
        ValueError: If one is too short, or there is none.
    """
    if not file.exists():
        made = f"{secrets.token_urlsafe(48)}\n"
        with open(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as stream:
            stream.write(made)
    keys = [line.strip().encode() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise ValueError(f"{file}: a line for each key, of {SHORTEST_KEY} bytes or more")
    return OwnKeys(keys)


def read_site_keys(sites: Mapping[str, Site], folder: Path) -> dict[str, dict[str, bytes]]:
    """Read the keys of each site, by their names.

    Raises:
        ValueError: If one is too short.
        OSError: If a file can't be read.
    """
    found: dict[str, dict[str, bytes]] = {}
    for name, site in sites.items():
        keys = {kid: key.encode() for kid, key in site.keys.items()}
        keys |= {kid: (folder / file).read_bytes().strip() for kid, file in site.key_files.items()}
        if short := [kid for kid, key in keys.items() if len(key) < SHORTEST_KEY]:
            raise ValueError(f"the key {short[0]!r} of the site {name!r} has less than {SHORTEST_KEY} bytes")
        found[name] = keys
    return found
