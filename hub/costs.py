"""What a text costs where texts are paid for by the part, as the line's channel counts it."""

from __future__ import annotations

from collections.abc import Callable

from channels.contract import Cost
from hub.setup.lines import trait_of
from hub.setup.snapshot import SetUp


def is_paid(setup: SetUp, line: str) -> bool:
    """Are texts paid for by the part on this line?"""
    known = setup.lines.get(line)
    return known is not None and trait_of(known.channel, "measure", None) is not None


def measure(setup: SetUp, line: str, text: str) -> Cost | None:
    """The cost of a text; None where it costs nothing."""
    known = setup.lines.get(line)
    count: Callable[[str], Cost] | None = trait_of(known.channel, "measure", None) if known else None
    return count(text) if count is not None else None
