"""Foreign JSON, as it goes over the wire."""

from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]
