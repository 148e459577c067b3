"""Debian's Prosody, with its default store (files) and what imserver has switched on too."""

from __future__ import annotations

import secrets

from contrib.bench.accounts import Account, Population
from contrib.bench.peers.loopback import DOMAIN, HOST, free_port, make_certificate
from contrib.bench.peers.packages import OPENSSL, PROSODY, place_of
from contrib.bench.peers.peer import Peer, first_line
from contrib.bench.scram import stored_keys

ITERATIONS = 10_000  # Prosody's own default

CONFIGURATION = """\
run_as_root = true
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
certificates = "{folder}"
log = {{ {{ levels = {{ min = "warn" }}, to = "console" }} }}
interfaces = {{ "{host}" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {tls_port} }}
s2s_ports = {{ }}
http_interfaces = {{ "{host}" }}
http_ports = {{ {http_port} }}
https_ports = {{ }}
modules_disabled = {{ "s2s" }}
modules_enabled = {{
    "adhoc", "blocklist", "carbons", "csi_simple", "disco", "http_file_share", "lastactivity",
    "ping", "private", "roster", "saslauth", "smacks", "time", "tls", "vcard", "version",
    "websocket",{archive}
}}
authentication = "internal_hashed"
password_hash = "SHA-256"
c2s_require_encryption = false
storage = "internal"
default_archive_policy = true
archive_expires_after = "never"
ssl = {{ certificate = "{folder}/certificate.pem", key = "{folder}/key.pem" }}

VirtualHost "{domain}"
"""
ACCOUNT = """\
return {{
    ["stored_key"] = "{stored_key}";
    ["server_key"] = "{server_key}";
    ["salt"] = "{salt}";
    ["iteration_count"] = {iterations};
}};
"""
CONTACT = """\
    ["{jid}"] = {{ ["subscription"] = "both"; ["groups"] = {{ }}; }};
"""
ROSTER = """\
return {{
    [false] = {{ ["version"] = 1; ["pending"] = {{ }}; }};
{contacts}}};
"""


class Prosody(Peer):
    name = "prosody"
    packages = (OPENSSL, PROSODY)

    @classmethod
    def version(cls) -> str:
        about = first_line("dpkg-query", "--show", "--showformat=${Version}", "prosody")
        return f"Prosody {about}"

    def prepare(self, population: Population) -> None:
        make_certificate(self.folder)
        (self.folder / "prosody.cfg.lua").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=HOST,
                domain=DOMAIN,
                port=self.port,
                tls_port=self.tls_port,
                http_port=free_port(),
                archive=' "mam",' if self.archive else "",
            )
        )
        self._write_accounts(population)
        if population.contacts:
            self._write_rosters(population)

    def _write_accounts(self, population: Population) -> None:
        store = self.folder / "data" / DOMAIN / "accounts"
        store.mkdir(parents=True)
        salt = secrets.token_hex(16)  # one for all, so that the load derives its keys once
        for account in population.accounts:
            stored_key, server_key = stored_keys("sha256", account.password, salt.encode(), ITERATIONS)
            text = ACCOUNT.format(
                stored_key=stored_key.hex(), server_key=server_key.hex(), salt=salt, iterations=ITERATIONS
            )
            (store / f"{account.local}.dat").write_text(text)

    def _write_rosters(self, population: Population) -> None:
        store = self.folder / "data" / DOMAIN / "roster"
        store.mkdir(parents=True)
        for number, account in enumerate(population.accounts):
            (store / f"{account.local}.dat").write_text(roster(population.contacts_of(number)))

    def command(self) -> list[str]:
        return [str(place_of(PROSODY)), "-F", "--config", str(self.folder / "prosody.cfg.lua")]


def roster(contacts: list[Account]) -> str:
    return ROSTER.format(contacts="".join(CONTACT.format(jid=contact.jid) for contact in contacts))
