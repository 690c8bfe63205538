"""The one place that asks the machine what time it is; everybody else is handed the instant."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)
