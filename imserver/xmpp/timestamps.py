"""XEP-0082: XMPP Date and Time Profiles."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

# XEP-0082, 3.2: CCYY-MM-DDThh:mm:ss[.sss]TZD
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


def format_timestamp(time: datetime) -> str:
    """Write a moment in UTC, to the microsecond."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_timestamp(text: str) -> datetime:
    """Read a moment; what is finer than a microsecond is cut off.

    Raises:
        ValueError: If it is not written as XEP-0082 says, or there is no such moment.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time such as 2026-01-31T12:00:00Z")
    *numbers, fraction, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        zone = _zone(sign, hours, minutes)
        moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)
        return moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"there is no moment {text!r}: {error}") from error


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(east if sign == "+" else -east)
