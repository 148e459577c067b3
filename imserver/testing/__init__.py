"""A stage for the tests of plugins: a real server, and clients that speak XML by hand, over real sockets."""

from imserver.testing.actor import DOMAIN, PATIENCE, Actor
from imserver.testing.password import PASSWORD
from imserver.testing.patterns import ANYTHING, difference
from imserver.testing.stage import Stage, settings_for, staged

__all__ = [
    "ANYTHING",
    "DOMAIN",
    "PASSWORD",
    "PATIENCE",
    "Actor",
    "Stage",
    "difference",
    "settings_for",
    "staged",
]
