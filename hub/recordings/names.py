"""What a call's row says of its recordings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def names_of(call: Mapping[str, Any] | None) -> list[str]:
    """Its recordings as the channel calls them, in the order in which they began."""
    if not call:
        return []
    several = [str(name) for name in call.get("recordings") or () if name]
    return several or ([str(call["recording"])] if call.get("recording") else [])
