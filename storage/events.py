"""What open desks are told after a commit: hints of what changed, never the content itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """`subject` is a word of the glossary: interaction, conversation, obligation, task, alert, client, line, setup.

    `phones` of a call: the operators whose telephone it rings or talks on now, with commas; "" = nobody's any more.
    """

    subject: str
    id: int | str
    what: str = "changed"
    client: int | None = None
    conversation: int | None = None
    operator: str | None = None
    team: str | None = None
    phones: str | None = None

    def as_json(self) -> str:
        """Compact JSON without empty fields."""
        return json.dumps({key: value for key, value in asdict(self).items() if value is not None}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Event:
        """Raises `ValueError` or `TypeError` for what `as_json` did not write."""
        return cls(**json.loads(text))
