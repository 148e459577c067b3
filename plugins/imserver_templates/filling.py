"""A template with its variables filled in, or why it can't be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jinja2.exceptions import TemplateRuntimeError

from imserver.desk import Filled, Refused
from imserver_templates.choice import facts
from imserver_templates.files import inside
from imserver_templates.sandbox import TooMuch, Undefined

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imserver.desk import Situation, Variable
    from imserver_templates.files import Entry

#: How long a value may be, in characters.
LONGEST_VALUE: Final = 2_000
#: What no XML may hold.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fill(
    entry: Entry, situation: Situation, values: Mapping[str, str], *, folder: Path, longest: int
) -> Filled:
    """Fill a template in; what is missing stands in the text by name."""
    template = entry.template
    given = {name: _UNWRITABLE.sub("", value).strip() for name, value in values.items()}
    known = {one.name: given.get(one.name) or one.default for one in template.variables}
    missing = [one for one in template.variables if one.is_required and not known[one.name]]
    shown = {**known, **{one.name: f"‹{one.name}›" for one in missing}}
    refused = _refusal(entry, given, missing, folder)
    try:
        text = entry.body.render({**shown, **facts(situation)}, longest=longest)
    except Undefined as error:
        refused = refused or Refused("template_undefined", shortcut=template.shortcut, names=error.name)
        return Filled(template, "", entry.file, refused)
    except TooMuch as error:
        refused = refused or Refused("template_too_much", shortcut=template.shortcut, reason=str(error))
        return Filled(template, "", entry.file, refused)
    except TemplateRuntimeError as error:
        refused = refused or Refused("template_failed", shortcut=template.shortcut, reason=str(error))
        return Filled(template, "", entry.file, refused)
    if not text and entry.file is None:
        refused = refused or Refused("template_empty", shortcut=template.shortcut)
    return Filled(template, text, entry.file, refused)


def _refusal(entry: Entry, given: Mapping[str, str], missing: list[Variable], folder: Path) -> Refused | None:
    template = entry.template
    names = [one.name for one in template.variables]
    if strange := [name for name in given if name not in names]:
        return Refused(
            "template_no_variable" if names else "template_no_variables",
            shortcut=template.shortcut,
            names=", ".join(strange),
            known=", ".join(names),
        )
    if missing:
        return Refused(
            "template_missing",
            shortcut=template.shortcut,
            names=", ".join(
                f"{one.name} ({one.description})" if one.description else one.name for one in missing
            ),
            usage=" ".join([template.shortcut, *(f"{one.name}=…" for one in missing)]),
        )
    if long := [name for name, value in given.items() if len(value) > LONGEST_VALUE]:
        reason = f"{', '.join(long)} > {LONGEST_VALUE}"
        return Refused("template_too_much", shortcut=template.shortcut, reason=reason)
    if entry.file is not None and not (inside(folder, entry.file) and entry.file.is_file()):
        return Refused("template_no_file", shortcut=template.shortcut, file=entry.file.name)
    return None
