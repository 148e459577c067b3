"""How a moment is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from imserver.features.time import time_element


@pytest.mark.parametrize(
    ("zone", "offset"),
    [(UTC, "+00:00"), (timezone(timedelta(hours=-3)), "-03:00"), (timezone(timedelta(hours=5.5)), "+05:30")],
)
def test_the_time_is_in_utc_and_the_zone_beside_it(zone: timezone, offset: str) -> None:
    now = datetime(2026, 3, 1, 22, 15, 7, 123456, tzinfo=UTC)

    told = {child.name: child.text for child in time_element(now.astimezone(zone)).elements()}

    assert told == {"tzo": offset, "utc": "2026-03-01T22:15:07Z"}
