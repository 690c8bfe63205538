"""Commands, which are meant for the hub rather than for a person. Pure.

They are Latin by Telegram's rules, but people type what is on their keyboard. Bare words are read as everywhere
(`channels.optout`).
"""

from __future__ import annotations

import re
from typing import Any

from channels.optout import OPTED_OUT

STOP = frozenset(
    {
        *("stop", "unsubscribe", "стоп", "отписаться", "отпишите", "отписка"),
        *("відписатися", "відпишіть", "відписка", "wypisz", "wypisz mnie", "rezygnuję", "rezygnuje"),
    }
)
START = frozenset({"start", "старт", "подписаться", "підписатися", "zapisz", "subscribe"})


_COMMAND = re.compile(r"/([^\W_]\w{0,63})(?:@(\w+))?(?:\s+(\S{1,512}))?\s*")


def read_command(text: str, username: str) -> dict[str, Any] | None:
    """The fields of `/stop`, `/start CODE` and their like; None for any other text, or another bot's command."""
    found = _COMMAND.fullmatch(text) if text.startswith("/") else None
    if found is None or (found[2] and username and found[2].casefold() != username.casefold()):
        return None
    word = found[1].casefold()
    if word in STOP:
        return {OPTED_OUT: True}
    if word in START:
        return {OPTED_OUT: False, **({"start": found[3]} if found[3] else {})}
    return None
