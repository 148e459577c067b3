"""Jinja2 with bounds: what a template can say, how often, and how long it may become.

Templates come from the admin, but what is filled in comes from agents: no value is ever read as a template, and no
value makes rendering take long. What is not in the lists below is no part of the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final, Never

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeVisitor

from imserver.desk import Person, Place

#: How often a loop goes round at most, and how deep loops may stand in each other.
MOST_ROUNDS: Final = 100
DEEPEST_LOOP: Final = 2
#: How many nodes a template may have, and how deep they may stand in each other.
MOST_NODES: Final = 2_000
DEEPEST_NODE: Final = 40
#: How long a text may become on the way, in characters.
LONGEST_PIECE: Final = 20_000
#: How long the digits of a number may be.
LONGEST_NUMBER: Final = 30

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: `%d/%m/%Y`, and nothing that fills up to a width.
_FORMAT: Final = re.compile(r"(?:%-?[A-Za-z%]|[^%]){1,60}")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a template may know of the time."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    #: As in desk.toml: `monday`.
    weekday: str

    @classmethod
    def of(cls, now: datetime) -> Moment:
        """Take it from a clock."""
        return cls(now.year, now.month, now.day, now.hour, now.minute, WEEKDAYS[now.weekday()])


#: What every template may speak of, and what there is to say of it.
ROOTS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(field.name for field in fields(kind))
    for name, kind in {"client": Person, "agent": Person, "queue": Place, "now": Moment}.items()
}


class Undefined(Exception):
    """Something that a template speaks of is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not known here")
        self.name = name


class TooMuch(TemplateRuntimeError):
    """A template makes more than it may."""


class _Named(StrictUndefined):
    """Says by name what is not there."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *given: Any, **more: Any) -> Never:
        raise Undefined(str(self._undefined_name))

    __str__ = __iter__ = __len__ = __bool__ = __contains__ = _fail_with_undefined_error
    __eq__ = __ne__ = __hash__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _fail_with_undefined_error
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = __getitem__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _fail_with_undefined_error


# Filters and tests


def _is_given(value: object) -> bool:
    """Tell whether there is something: what an agent left empty is as good as missing."""
    return not isinstance(value, _Named) and value != ""


def _default(value: object, instead: object = "") -> object:
    return value if _is_given(value) else instead


def _bounded(text: str, length: int) -> str:
    if length > LONGEST_PIECE:
        raise TooMuch(f"more than {LONGEST_PIECE} characters come together")
    return text


def _join(words: Iterable[object], between: str = "") -> str:
    shown = [str(word) for word in _rounds(words)]
    length = sum(map(len, shown)) + len(between) * len(shown)
    return _bounded(between, length).join(shown)


def _replace(text: object, old: str, new: str) -> str:
    whole = str(text)
    if not old:
        return whole
    _bounded(whole, len(whole) + whole.count(old) * max(len(new) - len(old), 0))
    return whole.replace(old, new)


def _split(text: str, between: str = ",") -> list[str]:
    return [word.strip() for word in text.split(between or ",", MOST_ROUNDS) if word.strip()]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _rounds(several: Iterable[object]) -> Iterator[object]:
    """Go through them, but not for ever."""
    around = iter(several)
    yield from islice(around, MOST_ROUNDS)
    if next(around, around) is not around:
        raise TooMuch(f"a loop goes round more than {MOST_ROUNDS} times")


def _range(start: int, end: int | None = None, step: int = 1) -> range:
    numbers = range(start, end, step) if end is not None else range(start)
    if len(numbers) > MOST_ROUNDS:
        raise TooMuch(f"range gives {MOST_ROUNDS} numbers at most")
    return numbers


def _date(moment: Moment, format: str = "%Y-%m-%d") -> str:
    return _moment(moment).strftime(_checked(format))


def _time(moment: Moment, format: str = "%H:%M") -> str:
    return _moment(moment).strftime(_checked(format))


def _moment(moment: Moment) -> datetime:
    if not isinstance(moment, Moment):
        raise TemplateRuntimeError("the filters date and time are for now")
    return datetime.combine(date(moment.year, moment.month, moment.day), time(moment.hour, moment.minute))


def _checked(format: str) -> str:
    if _FORMAT.fullmatch(format) is None:
        raise TemplateRuntimeError(f"{format[:60]!r} is no format of a date or time")
    return format


def _number(text: object, default: int = 0) -> int:
    try:
        return int(str(text)[:LONGEST_NUMBER])
    except ValueError:
        return default


def _decimals(value: object, digits: int = 0) -> str:
    try:
        return f"{float(str(value)[:LONGEST_NUMBER]):.{max(0, min(int(digits), 6))}f}"
    except ValueError:
        return str(value)


#: Of those that Jinja2 brings, in its own wording.
FILTERS: Final = ("abs", "capitalize", "first", "last", "length", "lower", "title", "trim", "upper")
TESTS: Final = ("divisibleby", "equalto", "even", "in", "number", "odd", "string")
OWN_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "d": _default,
    "date": _date,
    "default": _default,
    "decimals": _decimals,
    "int": _number,
    "join": _join,
    "lines": _lines,
    "replace": _replace,
    "split": _split,
    "time": _time,
    "rounds": _rounds,
}

# What a template is made of: no assignments, macros, blocks, imports or calls of methods.
_NODES: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.FloorDiv,
    nodes.Div,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.Filter,
    nodes.Test,
    nodes.Tuple,
    nodes.List,
    nodes.Call,
    nodes.Keyword,
)
_WORDS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter blocks",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.With: "with",
    nodes.Pow: "**",
    nodes.Getitem: "[…]",
    nodes.Slice: "[…]",
    nodes.Dict: "{…}",
}


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2, as templates of the desk have it."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=_Named,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
            cache_size=0,
        )
        self.globals = {"range": _range}
        self.filters = {name: self.filters[name] for name in FILTERS} | dict(OWN_FILTERS)
        operators = {name: test for name, test in self.tests.items() if not name.isidentifier()}
        self.tests = {
            **{name: self.tests[name] for name in TESTS},
            **operators,
            "defined": _is_given,
            "undefined": lambda value: not _is_given(value),
        }

    def is_safe_callable(self, obj: Any) -> bool:
        """Only `range` may be called."""
        return obj is _range

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only what is plain data has attributes, and the counters of a loop."""
        if is_dataclass(obj):
            return attr in {field.name for field in fields(obj)}
        return type(obj).__name__ == "LoopContext" and attr in (
            "index",
            "index0",
            "first",
            "last",
            "length",
            "revindex",
        )

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers, and put texts together; `*` and `%` are for numbers only."""
        if isinstance(left, int | float) and isinstance(right, int | float):
            if max(abs(left), abs(right)) > 10**LONGEST_NUMBER:
                raise TooMuch("a number is too large")
        elif operator != "+" or not (isinstance(left, str) and isinstance(right, str)):
            for value in (left, right):
                if isinstance(value, _Named):
                    value._fail_with_undefined_error()
            raise TemplateRuntimeError(f"{operator} is for numbers")
        else:
            _bounded(left, len(left) + len(right))
        return super().call_binop(context, operator, left, right)


def _shown(value: object) -> object:
    """Let nothing be written but words and numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | _Named):
        raise TemplateRuntimeError("only texts and numbers can be written; is .name missing?")
    return value


@dataclass(frozen=True, slots=True)
class Body:
    """A text with places to fill in."""

    template: Template
    #: What it speaks of besides client, agent, queue and now; and whether it can't do without.
    names: Mapping[str, bool]

    def render(self, given: Mapping[str, object], *, longest: int) -> str:
        """Fill it in.

        Raises:
            Undefined: If something that it speaks of is not given.
            TooMuch: If it becomes longer than that.
            TemplateRuntimeError: If it can't be done.
        """
        pieces: list[str] = []
        length = 0
        try:
            for piece in self.template.generate(dict(given)):
                length += len(piece)
                if length > longest:
                    raise TooMuch(f"it becomes longer than {longest} characters")
                pieces.append(piece)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TemplateRuntimeError(str(error)) from error
        return "".join(pieces).strip()


class _Checker(NodeVisitor):
    """Refuses what is no part of the language, and bounds the loops."""

    def __init__(self) -> None:
        self.count = 0
        self.depth = 0
        self.loops = 0
        self.names: dict[str, bool] = {}
        self._bound: list[str] = []

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> None:
        """Look at a node, and at what is in it."""
        self.count += 1
        self.depth += 1
        if self.count > MOST_NODES or self.depth > DEEPEST_NODE:
            raise TemplateSyntaxError("the template is too complicated", node.lineno)
        if not isinstance(node, _NODES):
            word = _WORDS.get(type(node), type(node).__name__.lower())
            raise TemplateSyntaxError(f"{word} is no part of what a template may say", node.lineno)
        super().visit(node, *args, **kwargs)
        self.depth -= 1

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802 - as Jinja2 calls it
        if node.recursive or not isinstance(node.target, nodes.Name):
            raise TemplateSyntaxError("a loop has one name, and is not recursive", node.lineno)
        self.loops += 1
        if self.loops > DEEPEST_LOOP:
            raise TemplateSyntaxError(f"loops stand {DEEPEST_LOOP} deep at most", node.lineno)
        self.visit(node.iter)
        self._bound += [node.target.name, "loop"]
        for inner in (*node.body, *node.else_, *((node.test,) if node.test is not None else ())):
            self.visit(inner)
        del self._bound[-2:]
        self.loops -= 1
        node.iter = nodes.Filter(node.iter, "rounds", [], [], None, None, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802
        if not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
            raise TemplateSyntaxError(
                "nothing can be called but range(…); use a filter, as in x|upper", node.lineno
            )
        for argument in (*node.args, *node.kwargs):
            self.visit(argument)
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise TemplateSyntaxError("range takes numbers", node.lineno)

    def visit_Getattr(self, node: nodes.Getattr) -> None:  # noqa: N802
        owner = node.node
        if isinstance(owner, nodes.Name) and owner.name not in self._bound and owner.name in ROOTS:
            if node.attr not in ROOTS[owner.name]:
                known = ", ".join(sorted(ROOTS[owner.name]))
                raise TemplateSyntaxError(f"{owner.name} has no {node.attr}; it has: {known}", node.lineno)
        elif not (isinstance(owner, nodes.Name) and owner.name == "loop" and "loop" in self._bound):
            raise TemplateSyntaxError(f"there is no .{node.attr} of that", node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> None:  # noqa: N802
        if node.expr2 is None:
            raise TemplateSyntaxError("a … if … needs an else …", node.lineno)
        self.generic_visit(node)

    def visit_Filter(self, node: nodes.Filter) -> None:  # noqa: N802
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise TemplateSyntaxError("filters take values one by one", node.lineno)
        if node.name in ("default", "d"):
            self._visit_optional(node)
        else:
            self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> None:  # noqa: N802
        if node.name in ("defined", "undefined"):
            self._visit_optional(node)
        else:
            self.generic_visit(node)

    def _visit_optional(self, node: nodes.Filter | nodes.Test) -> None:
        """What has a default, or is asked after, may be missing."""
        if isinstance(node.node, nodes.Name):
            if node.node.name not in (*ROOTS, *self._bound):
                self.names[node.node.name] = False
        elif node.node is not None:
            self.visit(node.node)
        for argument in (*node.args, *node.kwargs):
            self.visit(argument)

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802
        if node.name in ("loop", "range", "self") and node.name not in self._bound:
            raise TemplateSyntaxError(f"{node.name} says nothing by itself here", node.lineno)
        if node.name not in (*ROOTS, *self._bound):
            self.names.setdefault(node.name, True)


def compile_body(sandbox: Sandbox, source: str) -> Body:
    """Read a template.

    Raises:
        TemplateSyntaxError: If it says something that it can't.
    """
    tree = sandbox.parse(source)
    checker = _Checker()
    checker.visit(tree)
    return Body(_compile(sandbox, tree), checker.names)


@dataclass(frozen=True, slots=True)
class Condition:
    """When a template is offered."""

    body: Body

    def holds(self, given: Mapping[str, object]) -> bool:
        """Tell whether it is now.

        Raises:
            TemplateRuntimeError: If it can't be told.
        """
        return self.body.render(given, longest=10) == "yes"


def compile_condition(sandbox: Sandbox, source: str) -> Condition:
    """Read a condition, such as `queue.is_open and now.hour < 12`.

    Raises:
        TemplateSyntaxError: If it is none.
    """
    if "%}" in source or "{" in source:
        raise TemplateSyntaxError("a condition is written without { and }", 1)
    body = compile_body(sandbox, "{% if (" + source + ") %}yes{% endif %}")
    if body.names:
        known = ", ".join(ROOTS)
        raise TemplateSyntaxError(
            f"{next(iter(body.names))} is not known in a condition; known are: {known}", 1
        )
    return Condition(body)


def _compile(sandbox: Sandbox, tree: nodes.Template) -> Template:
    code = sandbox.compile(tree)
    return Template.from_code(sandbox, code, dict(sandbox.globals))
