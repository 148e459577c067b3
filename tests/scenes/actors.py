"""Who is on stage: what `imserver.testing` offers to every plugin's tests, and what only ours look at."""

from imserver.testing import (
    ANYTHING,
    DOMAIN,
    PASSWORD,
    PATIENCE,
    Actor,
    Stage,
    difference,
    settings_for,
    staged,
)
from imserver.testing.password import CREDENTIALS

__all__ = [
    "ANYTHING",
    "CREDENTIALS",
    "DOMAIN",
    "PASSWORD",
    "PATIENCE",
    "Actor",
    "Stage",
    "difference",
    "settings_for",
    "staged",
]
