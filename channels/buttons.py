"""What a pressed button of ours brings back. Pure."""

from __future__ import annotations

import re
from typing import Any

from channels.optout import OPTED_OUT, OPTED_OUT_OF

RATING = "rating"
MOST_RATING = 10

_RATE = re.compile(r"rate:(\d{1,2})", re.ASCII)


def read_button(value: str) -> dict[str, Any]:
    """The fields of a pressed button: `rate:5` is a rating, `stop` an opt-out, `stop:marketing` one of mailings only;
    anything else tells only itself."""
    rated = _RATE.fullmatch(value)
    if rated and int(rated[1]) <= MOST_RATING:
        return {RATING: int(rated[1])}
    if value in ("stop", "start"):
        return {OPTED_OUT: value == "stop"}
    if value == "stop:marketing":
        return {OPTED_OUT: True, OPTED_OUT_OF: "marketing"}
    return {"button": value}
