"""What a hook may be answered: the return types of the specifications, as checks that cost next to nothing."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

if TYPE_CHECKING:
    from types import ModuleType

Check = Callable[[object], bool]

UNIONS: Final = (typing.Union, types.UnionType)
#: A text is a sequence of texts, and never what was meant.
TEXTS: Final = (str, bytes, bytearray)


@dataclass(frozen=True, slots=True)
class Answers:
    """What may be answered to one hook, `None` aside."""

    #: The annotation, for people.
    wanted: str
    #: Whatever is exactly of one of these types fits: looked at first, since it costs the least.
    kinds: frozenset[type]
    #: Whether anything else fits; an awaitable never does.
    fits: Check


def answers_to(specification: Callable[..., Any], module: ModuleType) -> Answers:
    """Read what may be returned from the annotation of a hook's specification."""
    annotation = specification.__annotations__.get("return", Any)
    wanted = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    if isinstance(annotation, str):
        annotation = eval(annotation, vars(module), _Imported(module))  # noqa: S307 - our own source
    kinds = frozenset(one for one in _members(annotation) if _is_plain(one) and one is not types.NoneType)
    members = [one for one in _members(annotation) if one is not types.NoneType]
    return Answers(wanted, kinds, check_of(members[0] if len(members) == 1 else annotation))


class _Imported(dict[str, Any]):
    """What a module imports for type checkers only: imported when it is asked for."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__()
        self._places = _type_checking_imports(module)

    def __missing__(self, name: str) -> Any:
        if name not in self._places:
            raise KeyError(name)
        self[name] = found = getattr(importlib.import_module(self._places[name]), name)
        return found


@cache
def _type_checking_imports(module: ModuleType) -> Mapping[str, str]:
    """Read which name comes from which module."""
    return {
        alias.asname or alias.name: line.module
        for block in ast.parse(inspect.getsource(module)).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for line in block.body
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
    }


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in UNIONS else (annotation,)


def _is_plain(annotation: Any) -> bool:
    """Whether an instance of it is all that is wanted."""
    return (
        inspect.isclass(annotation)
        and get_origin(annotation) is None
        and annotation is not Any
        and not getattr(annotation, "_is_protocol", False)
        and not typing.is_typeddict(annotation)
    )


def check_of(annotation: Any) -> Check:
    """Make a check of an annotation; of what is no class or collection, anything fits that is no awaitable."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in UNIONS:
        return _check_of_union(arguments)
    if annotation is None:
        return lambda answer: answer is None
    if origin is typing.Literal:
        return lambda answer: answer in arguments
    if origin is type:
        return lambda answer: isinstance(answer, type) and all(_is_below(answer, one) for one in arguments)
    if origin is tuple:
        return _check_of_tuple(arguments)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return _check_of_mapping(*arguments)
    if inspect.isclass(origin) and issubclass(origin, Iterable) and len(arguments) == 1:
        return _check_of_each(Collection if origin is Iterable else origin, arguments[0])
    if _is_plain(annotation):
        kind = (int, float) if annotation is float else annotation
        return lambda answer: isinstance(answer, kind)
    return lambda answer: not hasattr(type(answer), "__await__")


def _check_of_union(arguments: tuple[Any, ...]) -> Check:
    # Mostly it is one thing or None, and it is asked with every message.
    *others, last = [check_of(one) for one in arguments if one is not types.NoneType]
    if others:
        return lambda answer: answer is None or any(check(answer) for check in (*others, last))
    return lambda answer: answer is None or last(answer)


def _is_below(answer: type, wanted: Any) -> bool:
    return not inspect.isclass(wanted) or issubclass(answer, wanted)


def _check_of_each(collection: type, annotation: Any) -> Check:
    check = check_of(annotation)
    kinds = {annotation} if _is_plain(annotation) else set()

    def fits(answer: object) -> bool:
        if type(answer) is not list and (not isinstance(answer, collection) or isinstance(answer, TEXTS)):
            return False
        for one in answer:  # type: ignore[attr-defined]  # noqa: SIM110 - `all` takes twice as long
            if type(one) not in kinds and not check(one):
                return False
        return True

    return fits


def _check_of_tuple(arguments: tuple[Any, ...]) -> Check:
    if len(arguments) == 2 and arguments[1] is ...:
        return _check_of_each(tuple, arguments[0])
    checks = [check_of(one) for one in arguments]
    return lambda answer: (
        isinstance(answer, tuple)
        and len(answer) == len(checks)
        and all(check(one) for check, one in zip(checks, answer, strict=True))
    )


def _check_of_mapping(keys: Any, values: Any) -> Check:
    key, value = check_of(keys), check_of(values)
    return lambda answer: (
        isinstance(answer, Mapping) and all(key(one) and value(other) for one, other in answer.items())
    )
