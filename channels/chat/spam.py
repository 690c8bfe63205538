"""What looks like a robot's message. Suspicion sends it to quarantine, never to the bin, and never changes the answer.

A greeting sent at once is a human's (or a program's that may); what gives robots away is what they want: links.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

TRAP = "website"
"""A field of the widget's form that people do not see."""
FAST_S = 2.0
REPEATS, WITHIN_S = 3, 600.0
_LONG_ENOUGH = 40
_MOST_TEXTS = 5000

_LINK = re.compile(r"https?://|\bwww\.|\bt\.me/", re.IGNORECASE)
_MARKUP = re.compile(r"<a\s[^>]{0,300}href|\[(?:url|link)\b[=\]]", re.IGNORECASE)


class Spam:
    """What is remembered of one line in this process: which texts were said lately, how often."""

    def __init__(self, most_links: int) -> None:
        self._most_links = most_links
        self._said: OrderedDict[bytes, deque[tuple[float, str]]] = OrderedDict()

    def suspect(self, told: Mapping[str, Any], text: str, age_s: float, now: float) -> str | None:
        """Why a message looks like a robot's, as codes joined by a comma, or None. `age_s`: since the session began."""
        links = len(_LINK.findall(text))
        found = {
            "honeypot": bool(str(told.get(TRAP) or "").strip()),
            "links": bool(_MARKUP.search(text)) or bool(self._most_links and links > self._most_links),
            "too_fast": links > 0 and age_s < FAST_S,
            "repeated": self._is_repeated(text, links, str(told.get("id")), now),
        }
        return ", ".join(code for code, is_so in found.items() if is_so) or None

    def _is_repeated(self, text: str, links: int, message: str, now: float) -> bool:
        """The same words again and again, by whomever; what anybody may say twice is not counted."""
        if len(text) < _LONG_ENOUGH and not links:
            return False
        key = hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=12).digest()
        times = self._said.setdefault(key, deque(maxlen=REPEATS * 4))
        self._said.move_to_end(key)
        if len(self._said) > _MOST_TEXTS:
            self._said.popitem(last=False)
        if message not in {one for _, one in times}:
            times.append((now, message))
        return sum(at > now - WITHIN_S for at, _ in times) > REPEATS
