import re
import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from imserver.desk.settings import AgentSettings, DeskSettings, QueueSettings, Span, read_desk
from imserver.settings import SettingsError

CONFIG = Path(__file__).parents[2] / "config" / "desk.toml"
FILE = Path("/etc/imserver/desk.toml")


def refusal(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read_desk(text, FILE)
    return refused.value.lines


def test_nothing_needs_to_be_set() -> None:
    assert read_desk("", FILE) == DeskSettings()


def test_a_queue_needs_nothing_but_a_name() -> None:
    assert read_desk("[queues.support]", FILE).queues == {"support": QueueSettings()}


def test_what_is_set_is_read() -> None:
    settings = read_desk(
        """
        domain = "Desk.example.com"
        [queues.support]
        members = ["Ana@example.com", "luis@example.com"]
        agent_capacity = 3
        skills = { german = 2 }
        hours = { monday = ["09:00-13:00", "22:00-02:00"] }
        holidays = [2026-12-24, "12-25"]
        [queues.support.agents."ana@example.com"]
        capacity = 1
        skills = { german = 3 }
        """,
        FILE,
    )

    queue = settings.queues["support"]
    assert settings.domain == "desk.example.com"
    assert queue.members == ("ana@example.com", "luis@example.com")
    assert [queue.capacity_of(agent) for agent in queue.members] == [1, 3]
    assert [queue.level_of(agent, "german") for agent in queue.members] == [3, 0]
    assert queue.hours == {"monday": (Span(540, 780), Span(1320, 1560))}
    assert queue.holidays == ("2026-12-24", "12-25")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("prefx = 1", "prefx: there is no such setting (its value is 1); expected prefix?"),
        ("[queue.support]", "[queue]: there is no such table; expected queues?"),
        ("queues = 3", "queues: is 3; expected a table"),
        ("[queues]\nsupport = 3", "[queues.support]: is 3; expected a table"),
        (
            "[queues.support]\ncapacty = 3",
            "[queues.support] capacty: there is no such setting (its value is 3); expected capacity?",
        ),
        (
            "[queues.support]\noffer_seconds = 0",
            "[queues.support] offer_seconds: is 0; expected more than 0.0",
        ),
        (
            '[queues.support]\naccept = "ask"',
            "[queues.support] accept: is \"ask\"; expected 'offer' or 'assign'",
        ),
        (
            '[queues.support]\nmembers = ["ana"]',
            '[queues.support] members (number 1): is "ana"; expected an account, such as ana@example.com',
        ),
        (
            '[queues.support.hours]\nmonday = ["9-17"]',
            '[queues.support.hours] monday (number 1): is "9-17";'
            ' expected opening hours, such as "09:00-18:00" or "22:00-06:00"',
        ),
        (
            '[queues.support]\ntimezone = "Madrid"',
            '[queues.support] timezone: is "Madrid"; expected a time zone, such as "Europe/Madrid" or "UTC"',
        ),
        (
            '[queues.support]\nholidays = ["25-12"]',
            '[queues.support] holidays (number 1): is "25-12";'
            ' expected days, such as "2026-12-25", or "12-25" for every year',
        ),
        (
            '[queues.support]\nmembers = ["a@x"]\n[queues.support.agents."a@x"]\ncapacity = -1',
            '[queues.support.agents."a@x"] capacity: is -1; expected at least 0',
        ),
        ('prefix = "a"', 'prefix: is "a"; expected a sign that no sentence begins with, such as "!"'),
        ('domain = "ana@x"', 'domain: is "ana@x"; expected a domain, such as example.com'),
    ],
)
def test_an_error_names_file_table_key_what_stood_there_and_what_was_expected(text: str, line: str) -> None:
    assert refusal(text) == (f"{FILE}: {line}",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[queues.Support]", "[queues] Support: is \"Support\"; expected a name of small letters, digits, - and _, such as support"),
        (
            '[queues.a]\noverflow_queue = "c"\n[queues.b]',
            '[queues.a] overflow_queue: is "c"; expected one of: a, b',
        ),
        (
            '[queues.a]\noverflow_queue = "a"',
            '[queues.a] overflow_queue: is "a"; expected a queue that does not lead back to this one',
        ),
        (
            '[queues.a.agents."ana@example.com"]',
            '[queues.a] agents: is "ana@example.com"; expected one of the members of [queues.a]',
        ),
        (
            "[queues.a]\nwrap_up_required = true",
            "[queues.a] wrap_up_codes: is []; expected the codes, since wrap_up_required is true",
        ),
        ('language = "xx"', 'language: is "xx"; expected one that has texts: de, en, es, fr, pt'),
        (
            '[texts.en]\nwelcome = "Hi {agent}"',
            '[texts.en] welcome: is "Hi {agent}"; expected a text with no other placeholders than: {queue};'
            " {agent} is none",
        ),
        (
            '[queues.a.texts.en]\nclosed = "{"',
            '[queues.a.texts.en] closed: is "{"; expected a text with no other placeholders than: none;'
            " Single '{' encountered in format string",
        ),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(text: str, line: str) -> None:
    assert refusal(text) == (f"{FILE}: {line}",)


def test_an_overflow_that_leads_back_is_refused_for_each_queue_on_the_way() -> None:
    assert len(refusal('[queues.a]\noverflow_queue = "b"\n[queues.b]\noverflow_queue = "a"')) == 2


def test_a_placeholder_cannot_reach_into_a_value() -> None:
    (line,) = refusal('[texts.en]\nwelcome = "{queue.__class__}"')

    assert "{queue.__class__} is none" in line


def test_an_unknown_text_is_refused_with_those_there_are() -> None:
    (line,) = refusal('[texts.en]\nwellcome = "Hi"')

    assert line.startswith(
        f'{FILE}: [texts.en] wellcome: is "Hi"; expected one of the keys: welcome, position,'
    )


def test_a_file_that_is_not_toml_is_refused() -> None:
    (line,) = refusal("prefix =\n")

    assert line.startswith(f"{FILE}: not TOML: ")


@pytest.mark.parametrize("text", ["09:00-18:00", "22:00-06:00", "00:00-24:00"])
def test_opening_hours_are_written_as_they_are_read(text: str) -> None:
    assert str(Span.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["24:00-25:00", "9:00-18:00", "09:00–18:00", "24:00-06:00", "00:00-24:30", 9, ""]
)
def test_what_are_no_opening_hours_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="opening hours"):
        Span.parse(text)


# The file


def described() -> dict[str, str]:
    """What the file says of each setting, as `table.key`."""
    table, comment = "", ""
    found: dict[str, str] = {}
    for line in CONFIG.read_text().splitlines():
        if line.startswith("#"):
            comment = line.removeprefix("# ")
        elif line.startswith("["):
            table = line.strip("[]")
        elif setting := re.match(r"(\w+) = ", line):
            found[f"{table}.{setting[1]}".removeprefix(".")] = comment
    return found


def fields() -> dict[str, FieldInfo]:
    desk = {name: field for name, field in DeskSettings.model_fields.items() if name != "queues"}
    return desk | {f"queues.support.{name}": field for name, field in QueueSettings.model_fields.items()}


def test_the_file_holds_every_default_and_nothing_else() -> None:
    document = tomllib.loads(CONFIG.read_text())

    assert read_desk(CONFIG.read_text(), FILE) == DeskSettings(queues={"support": QueueSettings()})
    in_file = [name for name in document if name != "queues"]
    assert [*in_file, *(f"queues.support.{name}" for name in document["queues"]["support"])] == list(fields())


def test_the_file_describes_every_setting_as_the_models_do() -> None:
    assert described() == {name: field.description for name, field in fields().items()}


def test_every_setting_is_described_in_one_sentence() -> None:
    for name, field in {**fields(), **AgentSettings.model_fields}.items():
        assert re.fullmatch(r"[A-Z].*\.", field.description or ""), name


def test_the_example_in_the_file_can_be_used() -> None:
    example = [
        line.removeprefix("#   ") for line in CONFIG.read_text().splitlines() if line.startswith("#   ")
    ]

    settings = read_desk("\n".join(["[queues.support]", *example]), FILE)

    assert settings.queues["billing"].capacity_of("ana@localhost") == 8
