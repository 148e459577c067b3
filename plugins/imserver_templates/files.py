"""Templates as files: TOML, or Markdown with TOML between `+++` lines before it."""

from __future__ import annotations

import keyword
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import TemplateError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from imserver.desk import Template, Variable
from imserver_templates.sandbox import ROOTS, Body, Condition, compile_body, compile_condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imserver_templates.sandbox import Sandbox
    from imserver_templates.settings import TemplatesSettings

SUFFIXES: Final = (".md", ".toml")
FENCE: Final = "+++"
#: How many files and folders are looked at, whatever they are.
MOST_ENTRIES: Final = 10_000
MOST_VARIABLES: Final = 30

_SHORTCUT: Final = re.compile(r"[^\W_][\w.-]{0,39}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
#: What no XML may hold.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_RESERVED: Final = frozenset({*ROOTS, "range", "loop", "self", "true", "false", "none"})

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class VariableHead(BaseModel):
    """What the head of a template says of a variable."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: Line = ""
    default: str | int | float | None = None
    required: bool | None = None


class Head(BaseModel):
    """What stands in the head of a template; what is not there goes by the file's name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    shortcut: str | None = None
    title: Line = ""
    language: str | None = None
    #: Where it is offered: in which queues, to clients of which languages, and when.
    queues: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    when: str = ""
    #: A file beside it that goes with it.
    file: str = ""
    variables: dict[str, VariableHead] = Field(default_factory=dict)


class TomlHead(Head):
    """The same with the text, where all of it is TOML."""

    body: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file can't be used."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A template that was read."""

    #: Where it was read from, beside the folder.
    name: str
    template: Template
    body: Body
    queues: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    condition: Condition | None = None
    file: Path | None = None

    def is_same_as(self, other: Entry) -> bool:
        """Tell whether nobody could choose between them."""
        mine, theirs = self.template, other.template
        is_one = (mine.shortcut, mine.lang.casefold()) == (theirs.shortcut, theirs.lang.casefold())
        return is_one and (self.queues == other.queues or bool(self.queues & other.queues))


@dataclass(frozen=True, slots=True)
class Folder:
    """What was found in a folder."""

    entries: Sequence[Entry] = ()
    problems: Sequence[Problem] = ()


class _Broken(Exception):
    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


# The folder


def look(folder: Path) -> object:
    """Take note of what is there; equal to the last time, nothing has changed."""
    return sorted(
        (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
        for path in _files(folder, [])
        if (status := _status(path)) is not None
    )


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def read_folder(folder: Path, sandbox: Sandbox, settings: TemplatesSettings) -> Folder:
    """Read all templates, by name; what can't be used is named, and the rest go on."""
    if not folder.is_dir():
        return Folder((), [Problem(str(folder), 0, "there is no such folder")])
    problems: list[Problem] = []
    entries: list[Entry] = []
    found = [
        path for path in _files(folder, problems) if path.suffix in SUFFIXES and path.name != "README.md"
    ]
    too_many = f"only {settings.most_files} templates are read"
    problems += [Problem(_name(folder, path), 0, too_many) for path in found[settings.most_files :]]
    for path in found[: settings.most_files]:
        name = _name(folder, path)
        try:
            entry = _read(folder, path, sandbox, settings)
            twin = next((one for one in entries if one.is_same_as(entry)), None)
            if twin is not None:
                raise _Broken(_twin_of(entry, twin))
            entries.append(entry)
        except _Broken as error:
            problems.append(Problem(name, error.line, error.reason))
        except OSError as error:
            problems.append(Problem(name, 0, f"can't be read: {error.strerror}"))
    return Folder(entries, problems)


def _twin_of(entry: Entry, twin: Entry) -> str:
    template = entry.template
    of = f" in {template.lang}" if template.lang else ""
    at = f" for {', '.join(sorted(entry.queues & twin.queues))}" if entry.queues else ""
    return f"{twin.name} has the shortcut {template.shortcut!r}{of}{at} already; that one stays"


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    """List the files, by name; links to folders are not followed, and what is hidden is not looked at."""
    found: list[Path] = []
    seen = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [Path(place) / name for name in folders if (Path(place) / name).is_symlink()]
        problems += [Problem(_name(folder, link), 0, "links to folders are not followed") for link in links]
        seen += len(folders) + len(names)
        if seen > MOST_ENTRIES:
            problems.append(Problem(str(folder), 0, f"only the first {MOST_ENTRIES} files are looked at"))
            break
        found += [Path(place) / name for name in names if not name.startswith(".")]
    return sorted(found)


def inside(folder: Path, path: Path) -> bool:
    """Tell whether a file is in the folder, wherever links lead."""
    return path.resolve().is_relative_to(folder.resolve())


# One file


def _read(folder: Path, path: Path, sandbox: Sandbox, settings: TemplatesSettings) -> Entry:
    if not inside(folder, path):
        raise _Broken("leads out of the folder")
    if not path.is_file():
        raise _Broken("is no file")
    with path.open("rb") as stream:
        written = stream.read(settings.file_bytes + 1)
    if len(written) > settings.file_bytes:
        raise _Broken(f"is larger than {settings.file_bytes} bytes")
    try:
        text = written.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _Broken("is not text in UTF-8", written[: error.start].count(b"\n") + 1) from error
    if (strange := _UNWRITABLE.search(text)) is not None:
        raise _Broken("holds a character that no message can", text[: strange.start()].count("\n") + 1)
    return read_text(text, folder, path, sandbox, settings)


def read_text(text: str, folder: Path, path: Path, sandbox: Sandbox, settings: TemplatesSettings) -> Entry:
    """Read a template."""
    shortcut, language = _by_name(path)
    toml, first, body, body_line = _split(text, path)
    head = _head(toml, first, path)
    if isinstance(head, TomlHead):
        body, body_line = head.body.replace("\r\n", "\n"), _line_of_body(text)
        if _UNWRITABLE.search(body) is not None:
            raise _Broken("holds a character that no message can", body_line)
    place = _Place(toml, first)
    shortcut = (head.shortcut if head.shortcut is not None else shortcut).casefold()
    language = head.language if head.language is not None else language
    if _SHORTCUT.fullmatch(shortcut) is None:
        raise _Broken(
            f"{shortcut!r} is no shortcut: one word of letters, figures, . and -", place.of("shortcut")
        )
    for key, one in (("language", language), *(("languages", one) for one in head.languages)):
        if one and _LANGUAGE.fullmatch(one) is None:
            raise _Broken(f"{one!r} is no language; expected one such as es or es-MX", place.of(key))
    attachment = _attachment(folder, path, head.file, place, settings) if head.file else None
    if not body.strip() and attachment is None:
        raise _Broken("has no text", body_line)
    compiled = _compile_body(sandbox, body, body_line)
    variables = list(_variables(head, compiled, place))
    condition = _compile_condition(sandbox, head.when, place.of("when")) if head.when.strip() else None
    template = Template(
        shortcut, head.title, language, tuple(variables), attachment.name if attachment is not None else ""
    )
    return Entry(
        _name(folder, path),
        template,
        compiled,
        frozenset(head.queues),
        tuple(one.casefold() for one in head.languages),
        condition,
        attachment,
    )


def _by_name(path: Path) -> tuple[str, str]:
    """Take from `greeting.es.md` what its head does not say."""
    shortcut, _, language = path.stem.rpartition(".")
    if shortcut and _LANGUAGE.fullmatch(language):
        return shortcut, language
    return path.stem, ""


def _split(text: str, path: Path) -> tuple[str, int, str, int]:
    """Find the head and the text, and the lines where they begin."""
    if path.suffix == ".toml":
        return text, 1, "", 1
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return "", 1, text, 1
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise _Broken(f"the head does not end: there is no second line {FENCE}", 1)
    return "\n".join(lines[1:end]), 2, "\n".join(lines[end + 1 :]), end + 2


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a file its head says something."""

    toml: str
    first: int

    def of(self, key: str) -> int:
        """Find the line of a key or a table; that of the head if it is nowhere."""
        pattern = re.compile(rf"""^\s*(?:\[[^\]]*)?["']?{re.escape(key)}["']?\s*[=\].]""")
        lines = enumerate(self.toml.split("\n"), self.first)
        return next((number for number, line in lines if pattern.match(line)), self.first)


def _head(toml: str, first: int, path: Path) -> Head:
    try:
        document: dict[str, Any] = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) + first - 1 if found is not None and found[1] else first + toml.count("\n")
        raise _Broken(f"is not TOML: {_AT_LINE.sub('', str(error))}", line) from error
    except RecursionError as error:
        raise _Broken("is too deep", first) from error
    model = TomlHead if path.suffix == ".toml" else Head
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        keys = [str(key) for key in details["loc"] if key not in ("str", "int", "float")]
        # The last of them that has a line of its own: numbers of lists have none.
        place = _Place(toml, first)
        line = next((at for key in reversed(keys) if (at := place.of(key)) != first), place.of(keys[0]))
        if details["type"] == "extra_forbidden":
            raise _Broken(f"there is no setting {'.'.join(keys)}", line) from error
        raise _Broken(f"{'.'.join(keys)}: {details['msg']}", line) from error


def _line_of_body(text: str) -> int:
    for number, line in enumerate(text.split("\n"), 1):
        if (found := re.match(r"""\s*body\s*=\s*("{3}|'{3})?(.*)$""", line)) is not None:
            return number if found[2] else number + 1
    return 1


def _compile_body(sandbox: Sandbox, body: str, first: int) -> Body:
    try:
        return compile_body(sandbox, body)
    except TemplateSyntaxError as error:
        raise _Broken(str(error.message), error.lineno + first - 1) from error
    except (TemplateError, RecursionError, SyntaxError, ValueError) as error:
        raise _Broken(f"can't be understood: {error}", first) from error


def _compile_condition(sandbox: Sandbox, source: str, line: int) -> Condition:
    try:
        return compile_condition(sandbox, source)
    except TemplateError as error:
        raise _Broken(f"when: {error.message}", line) from error
    except (RecursionError, SyntaxError, ValueError) as error:
        raise _Broken(f"when: can't be understood: {error}", line) from error


def _variables(head: Head, body: Body, place: _Place) -> Iterator[Variable]:
    """List the variables: those of the head, and then those that only the text speaks of."""
    undeclared = [name for name in body.names if name not in head.variables]
    if len(head.variables) + len(undeclared) > MOST_VARIABLES:
        raise _Broken(f"has more than {MOST_VARIABLES} variables", place.of("variables"))
    for name, one in head.variables.items():
        if not name.isidentifier() or name.startswith("_") or len(name) > 40 or keyword.iskeyword(name):
            raise _Broken(f"{name!r} is no name of a variable", place.of(name))
        if name.casefold() in _RESERVED:
            raise _Broken(f"{name} means something else already", place.of(name))
        default = "" if one.default is None else str(one.default)
        if one.required and default:
            raise _Broken(f"{name} is required and has a default", place.of(name))
        is_required = one.required if one.required is not None else not default
        yield Variable(name, one.description, default, is_required)
    for name in undeclared:
        yield Variable(name, is_required=body.names[name])


def _attachment(folder: Path, path: Path, file: str, place: _Place, settings: TemplatesSettings) -> Path:
    line = place.of("file")
    attachment = path.parent / file
    if not inside(folder, attachment):
        raise _Broken(f"file: {file} leads out of the folder", line)
    if not attachment.is_file():
        raise _Broken(f"file: there is no {file} beside it", line)
    if attachment.suffix in SUFFIXES:
        raise _Broken(f"file: {file} would be taken for a template", line)
    size = attachment.stat().st_size
    if not 0 < size <= settings.attachment_bytes:
        raise _Broken(f"file: {file} has {size} bytes; {settings.attachment_bytes} are the most", line)
    return attachment
