"""contrib/bench: what the other servers are given to read, and who is left out."""

from pathlib import Path

import pytest

from contrib.bench.accounts import Population, make_accounts
from contrib.bench.peers import PEERS
from contrib.bench.peers.ejabberd import Ejabberd, Keys, rows, terms
from contrib.bench.peers.imserver import Imserver, fill
from contrib.bench.peers.packages import Package, find, missing
from contrib.bench.peers.prosody import Prosody
from contrib.bench.plan import Plan, Step
from contrib.bench.run import Options, keep_present
from imserver.storage.accounts import Accounts
from imserver.storage.database import Database
from imserver.storage.rosters import Rosters

TWO = Population(make_accounts(2))
CIRCLE = Population(make_accounts(4), contacts=2)


def test_mnesia_gets_a_term_for_each_account() -> None:
    keys = Keys("correct horse")

    first, _ = terms(TWO, keys)

    assert first == (
        f'{{passwd, {{<<"user00000">>, <<"localhost">>}}, {{scram, <<"{keys.stored_key}">>,'
        f' <<"{keys.server_key}">>, <<"{keys.salt}">>, sha256, 4096}}}}.\n'
    )


def test_postgresql_gets_accounts_and_rosters() -> None:
    lines = "".join(rows(CIRCLE, Keys("correct horse"))).splitlines()

    assert sum("\tsha256:" in line for line in lines) == 4
    assert "user00000\tuser00003@localhost\t\tB\tN\t\tN\t\titem" in lines
    assert sum(line.endswith("\titem") for line in lines) == 4 * 2


def test_prosody_gets_a_file_for_each_account_and_roster(tmp_path: Path) -> None:
    Prosody(tmp_path, archive=True).prepare(CIRCLE)

    store = tmp_path / "data" / "localhost"
    assert len(list((store / "accounts").iterdir())) == 4
    assert (
        '["user00001@localhost"] = { ["subscription"] = "both"'
        in (store / "roster/user00000.dat").read_text()
    )
    assert '"mam"' in (tmp_path / "prosody.cfg.lua").read_text()


async def test_imserver_gets_accounts_and_rosters_in_its_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bench.sqlite"

    await fill(url, CIRCLE)

    database = await Database.open(url)
    try:
        found = await Rosters(database).snapshot("user00000@localhost")
        assert await Accounts(database).count() == 4
        assert [(item.contact, item.subscription) for item in found.items] == [
            ("user00001@localhost", "both"),
            ("user00003@localhost", "both"),
        ]
    finally:
        await database.close()


def test_imserver_has_the_example_plugin(tmp_path: Path) -> None:
    server = Imserver(tmp_path, archive=True)

    assert [plugin.name for plugin in server.plugins] == ["mask_cards.py"]
    assert all(plugin.is_file() for plugin in server.plugins)


def test_what_is_not_installed_is_named() -> None:
    nowhere, here = Package("no-such-package", "/no/such/*/file"), Package("sh", "sh")

    assert missing([nowhere, here]) == ["no-such-package"]
    assert find("sh") is not None


def test_a_server_that_is_not_installed_is_left_out_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ejabberd, "packages", [Package("no-such-package", "/no/such/file")])
    step = Step("chat", "chat", "chat", servers=("imserver", "ejabberd"))
    said: list[str] = []

    options = Options(Plan([step]), list(PEERS), may_install=False, write=False, json=None)
    plan = keep_present(options, said.append)

    assert plan.steps[0].servers == ("imserver",)
    assert said == [
        "LEFT OUT: ejabberd, for no-such-package is missing. On Debian: apt-get install no-such-package"
    ]
