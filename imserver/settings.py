"""What an admin can set: TOML, read into models that forbid what they do not know."""

import ipaddress
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from imserver.xmpp.jid import JID, JIDError

ModelT = TypeVar("ModelT", bound=BaseModel)

# Marks of a setting: it takes effect on SIGHUP; it is not to be shown in an error.
LIVE: dict[str, Any] = {"live": True}
SECRET: dict[str, Any] = {"secret": True}

Mechanism = Literal[
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "PLAIN",
]


class SettingsError(Exception):
    """The settings cannot be used; each line says where, what stood there and what was expected."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read `host:port`, with an IPv6 host in brackets.

        Raises:
            ValueError: If it is anything else.
        """
        match text:
            case cls():
                return text
            case str():
                host, _, port = text.rpartition(":")
                if port.isascii() and port.isdigit() and int(port) < 65536 and _is_host(host):
                    return cls(host.strip("[]"), int(port))
        raise ValueError('"host:port", such as "127.0.0.1:5222" or "[::]:5222"')


def _is_host(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        return _is_ip(text[1:-1], version=6)
    if ":" in text or not text:
        return False
    # What is made of digits and dots can only be an address: "0.0.0" is a typing error, not a name.
    if text.replace(".", "").isdigit():
        return _is_ip(text, version=4)
    return all(label.replace("-", "a").isalnum() for label in text.split("."))


def _is_ip(text: str, *, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _domain(text: object) -> JID:
    expected = "a domain, such as example.com"
    if not isinstance(text, str):
        raise ValueError(expected)
    try:
        jid = JID.parse(text)
    except JIDError as error:
        raise ValueError(expected) from error
    if jid.local or jid.resource:
        raise ValueError(expected)
    return jid


def _account(text: object) -> JID:
    expected = "an account, such as ana@example.com"
    if not isinstance(text, str):
        raise ValueError(expected)
    try:
        jid = JID.parse(text)
    except JIDError as error:
        raise ValueError(expected) from error
    if not jid.local or jid.resource:
        raise ValueError(expected)
    return jid


def _network(written: str) -> str:
    try:
        return str(ipaddress.ip_network(written.strip(), strict=False))
    except ValueError as error:
        raise ValueError('an address or a network, such as "127.0.0.1" or "10.0.0.0/8"') from error


def _beside_the_file(path: Path | None, info: ValidationInfo) -> Path | None:
    folder = (info.context or {}).get("folder")
    return folder / path if path and folder else path


def _nothing_if_empty(value: object) -> object:
    return None if value == "" else value


def _base_url(text: str) -> str:
    url = _split(text)
    if text and (url is None or url.scheme not in {"http", "https"} or url.query or url.fragment):
        raise ValueError('a URL, such as "https://chat.example.com", or "" to derive it')
    return text.rstrip("/")


def _origin(text: str) -> str:
    url = _split(text)
    if text != "*" and (url is None or text.lower() != f"{url.scheme}://{url.netloc}".lower()):
        raise ValueError('an origin, such as "https://chat.example.com", or "*"')
    return text.lower()


def _database_url(text: str) -> str:
    if text and "://" not in text:
        raise ValueError('a URL, such as "sqlite+aiosqlite:////var/lib/imserver/imserver.db", or ""')
    return text


def _split(text: str) -> Any:
    """Take a URL apart: nothing, if it is none that names a host."""
    try:
        url = urlsplit(text)
        return url if url.scheme and url.hostname and url.port != 0 else None
    except ValueError:
        return None


Domain = Annotated[JID, PlainValidator(_domain), PlainSerializer(str)]
Account = Annotated[JID, PlainValidator(_account), PlainSerializer(str)]
Listener = Annotated[Address, PlainValidator(Address.parse), PlainSerializer(str)]
FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
OptionalPath = Annotated[Path | None, BeforeValidator(_nothing_if_empty), AfterValidator(_beside_the_file)]


class Table(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Listen(Table):
    c2s: tuple[Listener, ...] = Field(
        default=(Address("127.0.0.1", 5222), Address("::1", 5222)),
        description="Where clients connect, as host:port, and secure the connection with STARTTLS.",
    )
    c2s_tls: tuple[Listener, ...] = Field(
        default=(Address("127.0.0.1", 5223), Address("::1", 5223)),
        description="Where clients connect with TLS from the first byte (XEP-0368).",
    )
    http: tuple[Listener, ...] = Field(
        default=(Address("127.0.0.1", 5443), Address("::1", 5443)),
        description="Where WebSocket, file upload, /healthz and /metrics are served.",
    )


class TLS(Table):
    certificate: OptionalPath = Field(
        default=None,
        description='The file with the certificate and its chain (PEM); "" has a self-signed one made.',
        json_schema_extra=LIVE,
    )
    key: OptionalPath = Field(
        default=None,
        description="The file with the certificate's private key (PEM).",
        json_schema_extra=LIVE,
    )


class C2S(Table):
    require_tls: bool = Field(
        default=True,
        description="Whether clients must use TLS; false is accepted on loopback listeners only.",
    )


class HTTP(Table):
    tls: bool = Field(
        default=True,
        description="Whether HTTP is served over TLS; false is accepted on loopback listeners only.",
    )
    public_url: Annotated[str, AfterValidator(_base_url)] = Field(
        default="",
        description='How clients reach the HTTP listener; "" derives it from the domain and the port.',
    )
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="The addresses of reverse proxies, or their networks: who is behind them, X-Forwarded-For says.",
    )


class WebSocket(Table):
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        default=(),
        description='The origins of web pages that may connect, besides the server\'s own; "*" lets any.',
    )


class Limits(Table):
    stanza_bytes: int = Field(
        default=262_144,
        ge=10_000,  # RFC 6120, 13.12: a smaller limit is not allowed
        description="The largest stanza of a client that has logged in, in bytes.",
        json_schema_extra=LIVE,
    )
    stanza_depth: int = Field(
        default=64,
        ge=8,
        le=200,  # they are written level by level
        description="How deep the elements of a stanza may nest.",
        json_schema_extra=LIVE,
    )
    stanza_elements: int = Field(
        default=4096,
        ge=64,
        description="How many elements a stanza may hold.",
        json_schema_extra=LIVE,
    )
    stanza_attributes: int = Field(
        default=64,
        ge=16,
        description="How many attributes an element may have.",
        json_schema_extra=LIVE,
    )
    pre_auth_bytes: int = Field(
        default=8192,
        ge=2048,
        description="How many bytes a client may send before it has logged in.",
        json_schema_extra=LIVE,
    )
    pre_auth_elements: int = Field(
        default=32,
        ge=8,
        description="How many elements a client may send before it has logged in.",
        json_schema_extra=LIVE,
    )
    login_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How long a client may take to log in, in seconds.",
        json_schema_extra=LIVE,
    )
    connections_per_address: int = Field(
        default=500,
        ge=1,
        description="How many connections an IP address may hold at once.",
        json_schema_extra=LIVE,
    )
    failed_logins_per_address: int = Field(
        default=20,
        ge=1,
        le=1000,  # that many are remembered
        description="How many logins of an IP address may fail before it has to wait.",
        json_schema_extra=LIVE,
    )
    failed_login_seconds: float = Field(
        default=300.0,
        gt=0,
        description="How long a failed login is remembered, in seconds.",
        json_schema_extra=LIVE,
    )
    send_buffer_bytes: int = Field(
        default=1_048_576,
        ge=65_536,
        description="How many bytes may wait for a slow reader before its connection is closed.",
        json_schema_extra=LIVE,
    )
    unacknowledged_stanzas: int = Field(
        default=1000,
        ge=10,
        description="How many stanzas are kept for a client that has not acknowledged them (XEP-0198).",
        json_schema_extra=LIVE,
    )
    resume_seconds: int = Field(
        default=300,
        ge=0,
        description="How long a lost connection may be resumed, in seconds (XEP-0198).",
        json_schema_extra=LIVE,
    )
    sessions_per_account: int = Field(
        default=20,
        ge=1,
        description="How many sessions an account may have at once.",
        json_schema_extra=LIVE,
    )
    roster_items: int = Field(
        default=5000,
        ge=1,
        description="How many contacts an account may have.",
        json_schema_extra=LIVE,
    )
    offline_messages: int = Field(
        default=500,
        ge=0,
        description="How many messages are kept for an account that is offline.",
        json_schema_extra=LIVE,
    )


class SASL(Table):
    mechanisms: tuple[Mechanism, ...] = Field(
        default=(
            "SCRAM-SHA-512-PLUS",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "PLAIN",
        ),
        min_length=1,
        description="The ways to log in that are offered, the best first; PLAIN is offered under TLS only.",
    )
    iterations: int = Field(
        default=4096,
        ge=4096,  # RFC 7677, 4
        le=1_000_000,
        description="How often a new password is hashed (PBKDF2): more is safer and slower.",
    )

    downgrade_protection: bool = Field(
        default=True,
        description="Whether SCRAM signs what was offered (XEP-0474); Converse.js before 10.1.7 can't log in then.",
    )


class Storage(Table):
    url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="",
        description='The database, as a URL of SQLAlchemy; "" is an SQLite file in the data folder.',
        json_schema_extra=SECRET,
    )


class Archive(Table):
    enabled: bool = Field(
        default=True,
        description="Whether messages are kept in the archive of each account (XEP-0313).",
    )
    keep_days: int = Field(
        default=0,
        ge=0,
        description="How long a message stays in the archive, in days; 0 is for ever.",
    )
    search: bool = Field(
        default=True,
        description="Whether messages can be found by their words (XEP-0431); takes an index.",
    )


class Upload(Table):
    max_bytes: int = Field(
        default=52_428_800,
        ge=1,
        description="The largest file that can be uploaded, in bytes (XEP-0363).",
    )
    quota_bytes: int = Field(
        default=1_073_741_824,
        ge=1,
        description="How much an account may have uploaded at once, in bytes.",
    )
    expire_days: int = Field(
        default=90,
        ge=1,
        description="How long an uploaded file is kept, in days.",
    )
    slot_seconds: int = Field(
        default=300,
        ge=10,
        description="How long a client may take to begin an upload that was granted, in seconds.",
    )


class Desk(Table):
    file: OptionalPath = Field(
        default=None,
        description='The file with the queues of the contact centre (see desk.toml); "" is no contact centre.',
    )


class Log(Table):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description='What is worth a line in the log: "debug", "info", "warning" or "error".',
        json_schema_extra=LIVE,
    )
    format: Literal["console", "json"] = Field(
        default="console",
        description='How a line of the log looks: "console" for people, "json" for machines.',
    )


class Plugins(Table):
    """Which plugins are loaded; each has its own settings in a table of its own, `[plugins.<name>]`."""

    model_config = ConfigDict(extra="allow")

    enabled: tuple[str, ...] = Field(
        default=(),
        description="The names of the installed plugins to load.",
    )
    paths: tuple[FilePath, ...] = Field(
        default=(),
        description="The files (.py) of more plugins to load.",
    )

    @property
    def tables(self) -> Mapping[str, Any]:
        """What stands in the plugins' own tables, not yet looked at."""
        return self.model_extra or {}


class Settings(Table):
    """Everything an admin can set."""

    domain: Domain = Field(
        default=JID("", "localhost"),
        description="The domain of the accounts: they are called <name>@<domain>.",
    )
    data: FilePath = Field(
        default=Path("imserver-data"),
        description="The folder for the database, uploaded files and a self-signed certificate.",
    )
    admins: tuple[Account, ...] = Field(
        default=(),
        description="The accounts that may administer the server from their client (XEP-0133).",
        json_schema_extra=LIVE,
    )
    listen: Listen = Field(default=Listen(), description="Where the server listens.")
    tls: TLS = Field(default=TLS(), description="The certificate that the server shows.")
    c2s: C2S = Field(default=C2S(), description="Connections of clients.")
    http: HTTP = Field(default=HTTP(), description="The HTTP listener.")
    websocket: WebSocket = Field(default=WebSocket(), description="XMPP over WebSocket (RFC 7395).")
    limits: Limits = Field(default=Limits(), description="What one client, address or account may use.")
    sasl: SASL = Field(default=SASL(), description="Logging in.")
    storage: Storage = Field(default=Storage(), description="The database.")
    archive: Archive = Field(default=Archive(), description="The history of messages.")
    upload: Upload = Field(default=Upload(), description="Uploaded files.")
    desk: Desk = Field(default=Desk(), description="The contact centre.")
    log: Log = Field(default=Log(), description="The log.")
    plugins: Plugins = Field(default=Plugins(), description="Plugins, and a table for each one's settings.")

    _file: str = PrivateAttr(default="settings")

    @property
    def file(self) -> str:
        """The file they were read from, for messages."""
        return self._file

    @property
    def database_url(self) -> str:
        return self.storage.url or f"sqlite+aiosqlite:///{self.data / 'imserver.db'}"

    @property
    def public_url(self) -> str:
        """The HTTP listener as clients see it, without a slash at the end."""
        if self.http.public_url or not self.listen.http:
            return self.http.public_url
        scheme, usual = ("https", 443) if self.http.tls else ("http", 80)
        port = self.listen.http[0].port
        return f"{scheme}://{self.domain}" if port == usual else f"{scheme}://{self.domain}:{port}"

    @model_validator(mode="after")
    def _agree_with_each_other(self) -> Self:
        if problems := tuple(_contradictions(self)):
            raise PydanticCustomError("contradiction", "settings disagree", {"problems": problems})
        return self


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot be as it is."""

    at: tuple[str, ...]
    found: object
    expected: str


def _contradictions(settings: Settings) -> Iterator[Problem]:
    listen, limits, tls = settings.listen, settings.limits, settings.tls
    if not (listen.c2s or listen.c2s_tls or listen.http):
        yield Problem(("listen", "c2s"), [], 'at least one listener, such as ["127.0.0.1:5222"]')
    if not settings.c2s.require_tls:
        for address in _open_to_others(listen.c2s):
            expected = f"true, since {address} in [listen] c2s is not loopback"
            yield Problem(("c2s", "require_tls"), False, expected)
    if not settings.http.tls:
        for address in _open_to_others(listen.http):
            expected = f"true, since {address} in [listen] http is not loopback"
            yield Problem(("http", "tls"), False, expected)
    if tls.certificate and not tls.key:
        yield Problem(("tls", "key"), "", "the file with the key of [tls] certificate")
    if tls.key and not tls.certificate:
        yield Problem(("tls", "certificate"), "", "the file with the certificate of [tls] key")
    if limits.send_buffer_bytes < limits.stanza_bytes:
        yield Problem(
            ("limits", "send_buffer_bytes"),
            limits.send_buffer_bytes,
            f"at least [limits] stanza_bytes, which is {limits.stanza_bytes}",
        )
    for admin in settings.admins:
        if admin.domain != settings.domain:
            expected = f"accounts of this server, such as {admin.local}@{settings.domain}"
            yield Problem(("admins",), str(admin), expected)


def _open_to_others(addresses: Iterable[Address]) -> list[Address]:
    return [address for address in addresses if not address.is_loopback]


def read_settings(text: str, file: Path) -> Settings:
    """Read what stands in a file; paths in it are relative to its folder.

    Raises:
        SettingsError: If it is not TOML, or not settings.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{file}: not TOML: {error}"]) from error
    try:
        settings = Settings.model_validate(document, context={"folder": file.parent})
    except ValidationError as error:
        raise SettingsError(_lines(error, Settings, str(file))) from error
    settings._file = str(file)
    return settings


def plugin_settings(settings: Settings, name: str, model: type[ModelT]) -> ModelT:
    """Read the table `[plugins.<name>]` into the plugin's own model.

    Raises:
        SettingsError: If it does not fit.
    """
    try:
        return model.model_validate(settings.plugins.tables.get(name, {}))
    except ValidationError as error:
        raise SettingsError(_lines(error, model, settings.file, table=("plugins", name))) from error


def refuse_unread_tables(settings: Settings, read: Iterable[str]) -> None:
    """Look for tables of plugins that nobody reads: a typing error, or a plugin that is not loaded.

    Raises:
        SettingsError: If there are any.
    """
    known = sorted(read)
    unread = [name for name in settings.plugins.tables if name not in known]
    if unread:
        raise SettingsError(
            f"{settings.file}: [plugins.{name}]: no loaded plugin has settings of this name"
            f"{_did_you_mean(name, known) or '; is it missing in [plugins] enabled?'}"
            for name in unread
        )


def explain(error: ValidationError, model: type[BaseModel], file: str) -> SettingsError:
    """Say in words what does not fit, each line with the file, the table, the key and what was expected."""
    return SettingsError(_lines(error, model, file))


class Changes(NamedTuple):
    """Which settings differ, as `table.key`."""

    live: tuple[str, ...]
    needs_restart: tuple[str, ...]


def changes(old: Settings, new: Settings) -> Changes:
    """Compare what runs with what was read anew."""
    different = [
        ((*at, name), is_live)
        for at, before, after in _tables(old, new)
        for name, is_live in _different(before, after)
    ]
    return Changes(
        tuple(".".join(at) for at, is_live in different if is_live),
        tuple(".".join(at) for at, is_live in different if not is_live),
    )


def adopt(old: Settings, new: Settings) -> Settings:
    """Take over what can change live, and keep the rest."""
    updates: dict[str, object] = {}
    for at, before, after in _tables(old, new):
        live = {name: getattr(after, name) for name, is_live in _different(before, after) if is_live}
        updates |= {at[0]: before.model_copy(update=live)} if at else live
    return old.model_copy(update=updates)


def _tables(old: Settings, new: Settings) -> Iterator[tuple[tuple[str, ...], Table, Table]]:
    yield (), old, new
    for name in Settings.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Table):
            yield (name,), before, after


def _different(before: Table, after: Table) -> Iterator[tuple[str, bool]]:
    for name, field in type(before).model_fields.items():
        value = getattr(before, name)
        if not isinstance(value, Table) and value != getattr(after, name):
            yield name, _is_marked(field, "live")
    # The plugins' own tables: only the plugin could tell what can change live.
    own_before, own_after = before.model_extra or {}, after.model_extra or {}
    for name in sorted(own_before.keys() | own_after.keys()):
        if own_before.get(name) != own_after.get(name):
            yield name, False


def _is_marked(field: FieldInfo, mark: str) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get(mark))


# What pydantic calls an error, and what was expected; the braces are filled from the error's own context.
EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "missing": "a value: it has no default",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "path_type": "a path in quotes",
    "string_type": "a text in quotes",
    "too_short": "at least {min_length} of them",
    "tuple_type": 'a list, such as ["…", "…"]',
    "value_error": "{error}",
}


def _lines(
    error: ValidationError, model: type[BaseModel], file: str, *, table: tuple[str, ...] = ()
) -> Iterator[str]:
    for details in error.errors(include_url=False):
        if details["type"] == "contradiction":
            for problem in details["ctx"]["problems"]:
                yield f"{file}: {_place(problem.at)}: {_found(problem.found)}; expected {problem.expected}"
        else:
            yield f"{file}: {_line(details, model, table)}"


def _line(details: ErrorDetails, model: type[BaseModel], table: tuple[str, ...]) -> str:
    at = tuple(str(part) for part in details["loc"])
    owner = _model_at(model, at[:-1])
    if details["type"] == "extra_forbidden" and owner is not None:
        return _unknown((*table, *at), details["input"], owner)
    found = "is missing" if details["type"] == "missing" else _found(details["input"])
    if _is_secret(model, at):
        found = "what stands there is not shown"
    template = EXPECTED.get(details["type"])
    expected = template.format(**details.get("ctx", {})) if template else details["msg"]
    return f"{_place((*table, *at), is_table=_model_at(model, at) is not None)}: {found}; expected {expected}"


def _unknown(at: tuple[str, ...], found: object, owner: type[BaseModel]) -> str:
    is_table = isinstance(found, dict)
    kind = "table" if is_table else "setting"
    known = list(owner.model_fields)
    advice = _did_you_mean(at[-1], known) or f"; expected one of: {', '.join(known)}"
    what_stood_there = "" if is_table else f" (its value is {_toml(found)})"
    return f"{_place(at, is_table=is_table)}: there is no such {kind}{what_stood_there}{advice}"


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; expected {close[0]}?" if close else ""


def _place(at: tuple[str, ...], *, is_table: bool = False) -> str:
    """Name a place as it stands in the file: `[table] key`, and which one of a list."""
    keys = [_key(part) for part in at if not part.isdigit()]
    numbers = [f" (number {int(part) + 1})" for part in at if part.isdigit()]
    if is_table:
        return f"[{'.'.join(keys)}]"
    table = f"[{'.'.join(keys[:-1])}] " if keys[:-1] else ""
    return f"{table}{keys[-1]}{''.join(numbers)}"


def _key(name: str) -> str:
    """Write a key as TOML wants it."""
    return name if name.replace("-", "_").isidentifier() and name.isascii() else f'"{name}"'


def _found(value: object) -> str:
    return f"is {_toml(value)}"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return "a table"
        case _:
            return str(value)


def _model_at(model: type[BaseModel], at: tuple[str, ...]) -> type[BaseModel] | None:
    names = iter(at)
    for name in names:
        field = model.model_fields.get(name)
        annotation = field.annotation if field else None
        # Tables that admins name, such as [queues.support], are all of one model.
        if get_origin(annotation) is dict and next(names, None) is not None:
            annotation = get_args(annotation)[1]
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        model = annotation
    return model


def _is_secret(model: type[BaseModel], at: tuple[str, ...]) -> bool:
    keys = [part for part in at if not part.isdigit()]
    owner = _model_at(model, tuple(keys[:-1]))
    field = owner.model_fields.get(keys[-1]) if owner and keys else None
    return field is not None and (_is_marked(field, "secret") or field.annotation is SecretStr)
