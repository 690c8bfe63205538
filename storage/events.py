"""What open desks are told after a commit: hints of what changed, never the content itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Event:
    """`subject` is a word of the glossary: interaction, conversation, obligation, task, alert, client, line, setup.

    `phones` of a call: the operators whose telephone it rings or talks on now, with commas; "" = nobody's any more.
    `row` of a call: its interaction as this commit leaves it. It stays inside the process, so that who shows the call
    need not read what was just written.
    """

    subject: str
    id: int | str
    what: str = "changed"
    client: int | None = None
    conversation: int | None = None
    operator: str | None = None
    team: str | None = None
    phones: str | None = None
    row: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    _json: str = field(default="", init=False, repr=False, compare=False)

    def as_json(self) -> str:
        """Compact JSON without empty fields. A hundred pages are told the same: it is written once."""
        if not self._json:
            told = ((name, getattr(self, name)) for name in _NAMES)
            written = orjson.dumps({name: value for name, value in told if value is not None})
            object.__setattr__(self, "_json", written.decode())
        return self._json

    @classmethod
    def from_json(cls, text: str) -> Event:
        """Raises `ValueError` or `TypeError` for what `as_json` did not write."""
        return cls(**json.loads(text))


_NAMES = tuple(each.name for each in fields(Event) if each.init and each.name != "row")
