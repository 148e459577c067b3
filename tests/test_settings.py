import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from imserver.settings import (
    LIVE,
    Address,
    Settings,
    SettingsError,
    Table,
    adopt,
    changes,
    plugin_settings,
    read_settings,
    refuse_unread_tables,
)

CONFIG = Path(__file__).parents[1] / "config" / "imserver.toml"
FILE = Path("/etc/imserver/imserver.toml")


def refusal(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read_settings(text, FILE)
    return refused.value.lines


def fields() -> dict[str, FieldInfo]:
    """Every setting there is, as it is called in the file: `table.key`, or a key of no table."""
    found: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            found |= {f"{name}.{key}": inner for key, inner in field.annotation.model_fields.items()}
        else:
            found[name] = field
    return found


def test_nothing_needs_to_be_set() -> None:
    assert read_settings("", FILE).domain == "localhost"


def test_what_is_set_is_read() -> None:
    settings = read_settings(
        """
        domain = "Example.COM"
        admins = ["Ana@example.com"]
        [listen]
        c2s = ["0.0.0.0:5222", "[::]:5222"]
        [limits]
        resume_seconds = 60
        """,
        FILE,
    )

    assert settings.domain == "example.com"
    assert settings.admins == ("ana@example.com",)
    assert settings.listen.c2s == (Address("0.0.0.0", 5222), Address("::", 5222))
    assert settings.limits.resume_seconds == 60


def test_paths_are_relative_to_the_folder_of_the_file() -> None:
    settings = read_settings('data = "data"\n[tls]\ncertificate = "c.pem"\nkey = "/k.pem"', FILE)

    assert settings.data == Path("/etc/imserver/data")
    assert settings.tls.certificate == Path("/etc/imserver/c.pem")
    assert settings.tls.key == Path("/k.pem")


def test_the_database_is_a_file_in_the_data_folder_by_default() -> None:
    assert read_settings('data = "/d"', FILE).database_url == "sqlite+aiosqlite:////d/imserver.db"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "https://localhost:5443"),
        ('[listen]\nhttp = ["[::]:443"]', "https://localhost"),
        ("[http]\ntls = false", "http://localhost:5443"),
        ('[http]\npublic_url = "https://chat.example.com/"', "https://chat.example.com"),
        ("[listen]\nhttp = []", ""),
    ],
)
def test_the_public_url_is_derived_when_it_is_not_set(text: str, url: str) -> None:
    assert read_settings(text, FILE).public_url == url


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('domian = "x"', 'domian: there is no such setting (its value is "x"); expected domain?'),
        ("[limts]", "[limts]: there is no such table; expected limits?"),
        (
            "[limits]\nstanza_byte = 3",
            "[limits] stanza_byte: there is no such setting (its value is 3); expected stanza_bytes?",
        ),
        (
            "[log]\nzzz = 1",
            "[log] zzz: there is no such setting (its value is 1); expected one of: level, format",
        ),
        ("c2s = 3", "[c2s]: is 3; expected a table"),
        ("domain = 3", "domain: is 3; expected a domain, such as example.com"),
        ('domain = "ana@x"', 'domain: is "ana@x"; expected a domain, such as example.com'),
        ('domain = ""', 'domain: is ""; expected a domain, such as example.com'),
        ("data = 3", "data: is 3; expected a path in quotes"),
        ('admins = ["bob"]', 'admins (number 1): is "bob"; expected an account, such as ana@example.com'),
        ("[limits]\nstanza_bytes = 9999", "[limits] stanza_bytes: is 9999; expected at least 10000"),
        ('[limits]\nstanza_bytes = "much"', '[limits] stanza_bytes: is "much"; expected a whole number'),
        (
            "[limits]\nstanza_bytes = 1e4\nroster_items = 1.5",
            "[limits] roster_items: is 1.5; expected a whole number",
        ),
        ("[limits]\nlogin_seconds = 0", "[limits] login_seconds: is 0; expected more than 0.0"),
        ('[limits]\nlogin_seconds = "a"', '[limits] login_seconds: is "a"; expected a number'),
        ("[sasl]\niterations = 9999999", "[sasl] iterations: is 9999999; expected at most 1000000"),
        ("[sasl]\nmechanisms = []", "[sasl] mechanisms: is []; expected at least 1 of them"),
        ('[c2s]\nrequire_tls = "maybe"', '[c2s] require_tls: is "maybe"; expected true or false'),
        ('[log]\nformat = "xml"', "[log] format: is \"xml\"; expected 'console' or 'json'"),
        ('[plugins]\nenabled = "a"', '[plugins] enabled: is "a"; expected a list, such as ["…", "…"]'),
        (
            '[listen]\nc2s = ["a:1", "::1:5222"]',
            '[listen] c2s (number 2): is "::1:5222"; expected "host:port", such as "127.0.0.1:5222" or "[::]:5222"',
        ),
        (
            '[websocket]\norigins = ["https://a/b"]',
            '[websocket] origins (number 1): is "https://a/b";'
            ' expected an origin, such as "https://chat.example.com", or "*"',
        ),
        (
            '[http]\npublic_url = "chat"',
            '[http] public_url: is "chat"; expected a URL, such as "https://chat.example.com", or "" to derive it',
        ),
    ],
)
def test_an_error_names_file_table_key_what_stood_there_and_what_was_expected(text: str, line: str) -> None:
    assert refusal(text) == (f"/etc/imserver/imserver.toml: {line}",)


def test_all_errors_are_told_at_once() -> None:
    assert len(refusal('domian = "x"\ndata = 3\n[log]\nlevel = 1')) == 3


def test_a_file_that_is_not_toml_is_refused_with_the_line() -> None:
    (line,) = refusal("domain = 'x'\ndata =\n")

    assert line.startswith("/etc/imserver/imserver.toml: not TOML: ")
    assert "line 2" in line


def test_a_database_url_is_not_shown_since_it_may_hold_a_password() -> None:
    (line,) = refusal('[storage]\nurl = "postgresql:ana:secret@db"')

    assert "[storage] url: what stands there is not shown; expected a URL" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    "text", ["1.2.3:5222", "5222", ":5222", "[::1]:65536", "[127.0.0.1]:1", "a b:1", "a:٣"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.8.9.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.1.1:1", False),
        ("chat.example.com:1", False),
    ],
)
def test_loopback_is_what_only_this_machine_can_reach(text: str, is_loopback: bool) -> None:
    address = Address.parse(text)

    assert address.is_loopback is is_loopback
    assert str(address) == text


def test_no_tls_is_accepted_on_loopback() -> None:
    settings = read_settings("[c2s]\nrequire_tls = false\n[http]\ntls = false", FILE)

    assert not settings.c2s.require_tls


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '[c2s]\nrequire_tls = false\n[listen]\nc2s = ["127.0.0.1:1", "[::]:5222"]',
            "[c2s] require_tls: is false; expected true, since [::]:5222 in [listen] c2s is not loopback",
        ),
        (
            '[http]\ntls = false\n[listen]\nhttp = ["0.0.0.0:80"]',
            "[http] tls: is false; expected true, since 0.0.0.0:80 in [listen] http is not loopback",
        ),
        (
            '[tls]\ncertificate = "c"',
            '[tls] key: is ""; expected the file with the key of [tls] certificate',
        ),
        (
            '[tls]\nkey = "k"',
            '[tls] certificate: is ""; expected the file with the certificate of [tls] key',
        ),
        (
            "[limits]\nsend_buffer_bytes = 70000",
            "[limits] send_buffer_bytes: is 70000; expected at least [limits] stanza_bytes, which is 262144",
        ),
        (
            'admins = ["ana@exmaple.com"]',
            'admins: is "ana@exmaple.com"; expected accounts of this server, such as ana@localhost',
        ),
        (
            "[listen]\nc2s = []\nc2s_tls = []\nhttp = []",
            '[listen] c2s: is []; expected at least one listener, such as ["127.0.0.1:5222"]',
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(text: str, line: str) -> None:
    assert refusal(text) == (f"/etc/imserver/imserver.toml: {line}",)


class Weather(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    city: str = Field(default="Lisbon", description="Where.")
    token: SecretStr = Field(default=SecretStr(""), description="Who asks.")


def test_a_plugin_reads_its_own_table() -> None:
    settings = read_settings('[plugins.weather]\ncity = "Porto"', FILE)

    assert plugin_settings(settings, "weather", Weather).city == "Porto"


def test_a_plugin_without_a_table_has_its_defaults() -> None:
    assert plugin_settings(Settings(), "weather", Weather).city == "Lisbon"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[plugins.weather]\ncity = 3", "[plugins.weather] city: is 3; expected a text in quotes"),
        (
            "[plugins.weather]\ncty = 3",
            "[plugins.weather] cty: there is no such setting (its value is 3); expected city?",
        ),
        ("[plugins]\nweather = 3", "[plugins.weather]: is 3; expected a table"),
        (
            "[plugins.weather]\ntoken = 123",
            "[plugins.weather] token: what stands there is not shown; expected a text in quotes",
        ),
    ],
)
def test_a_plugins_table_is_held_against_its_model(text: str, line: str) -> None:
    settings = read_settings(text, FILE)

    with pytest.raises(SettingsError) as refused:
        plugin_settings(settings, "weather", Weather)

    assert refused.value.lines == (f"/etc/imserver/imserver.toml: {line}",)


def test_a_table_that_no_plugin_reads_is_refused() -> None:
    settings = read_settings("[plugins.wether]\n[plugins.billing]", FILE)

    with pytest.raises(SettingsError) as refused:
        refuse_unread_tables(settings, {"weather"})

    assert refused.value.lines == (
        f"{FILE}: [plugins.wether]: no loaded plugin has settings of this name; expected weather?",
        f"{FILE}: [plugins.billing]: no loaded plugin has settings of this name;"
        " is it missing in [plugins] enabled?",
    )


def test_changes_are_told_apart_by_whether_they_need_a_restart() -> None:
    old = read_settings("[plugins.weather]\ncity = 'Porto'", FILE)
    new = read_settings("domain = 'x'\n[log]\nlevel = 'debug'\n[limits]\nroster_items = 7", FILE)

    assert changes(old, new) == (("limits.roster_items", "log.level"), ("domain", "plugins.weather"))
    assert changes(old, old) == ((), ())


def test_what_can_change_live_is_adopted_and_the_rest_is_kept() -> None:
    old = read_settings("", FILE)
    new = read_settings("domain = 'x'\nadmins = ['a@x']\n[log]\nlevel = 'debug'\nformat = 'json'", FILE)

    adopted = adopt(old, new)

    assert (adopted.domain, adopted.admins) == ("localhost", ("a@x",))
    assert (adopted.log.level, adopted.log.format) == ("debug", "console")
    assert adopted.file == str(FILE)
    assert changes(adopted, new).live == ()


def test_limits_certificates_and_the_log_level_can_change_live() -> None:
    live = {name for name, field in fields().items() if field.json_schema_extra == LIVE}

    assert live >= {name for name in fields() if name.startswith(("limits.", "tls."))} | {"log.level"}


def test_every_setting_is_described_in_one_sentence() -> None:
    for name, field in fields().items():
        assert re.fullmatch(r"[A-Z].*\.", field.description or ""), name


def test_the_config_file_holds_every_default_and_nothing_else() -> None:
    document = tomllib.loads(CONFIG.read_text())

    assert read_settings(CONFIG.read_text(), FILE) == read_settings("", FILE)
    tables = {name: table for name, table in document.items() if isinstance(table, dict)}
    in_file = [name for name in document if name not in tables]
    in_file += [f"{name}.{key}" for name, table in tables.items() for key in table]
    assert in_file == list(fields())


def test_the_config_file_describes_every_setting_as_the_models_do() -> None:
    table, comment = "", ""
    described: dict[str, str] = {}
    for line in CONFIG.read_text().splitlines():
        if line.startswith("#"):
            comment = line.removeprefix("# ")
        elif line.startswith("["):
            table = line.strip("[]")
            assert comment == Settings.model_fields[table].description
        elif setting := re.match(r"(\w+) = ", line):
            described[f"{table}.{setting[1]}".removeprefix(".")] = comment

    assert described == {
        name: f"{field.description}{' (live)' if field.json_schema_extra == LIVE else ''}"
        for name, field in fields().items()
    }
