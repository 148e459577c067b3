from datetime import UTC, datetime, timedelta, timezone

import pytest

from imserver.xmpp.timestamps import format_timestamp, parse_timestamp


def test_a_moment_is_written_in_utc() -> None:
    in_madrid = datetime(2026, 1, 31, 13, 0, 0, 250, tzinfo=timezone(timedelta(hours=1)))

    assert format_timestamp(in_madrid) == "2026-01-31T12:00:00.000250Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1969-07-21T02:56:15Z", datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)),
        ("1969-07-20T21:56:15-05:00", datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)),
        ("2026-01-31T12:00:00.5Z", datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        (" 2026-01-31T12:00:00+00:00\n", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_every_way_to_write_a_moment_is_read(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-31",
        "20260131T12:00:00",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:00+99:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-01-31T12:00:00Z",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|moment"):
        parse_timestamp(text)


def test_what_was_written_is_read_again() -> None:
    now = datetime.now(UTC)

    assert parse_timestamp(format_timestamp(now)) == now
