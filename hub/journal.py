"""The journal: whoever does something at the desk or through the API leaves a line, in the same transaction."""

from __future__ import annotations

from typing import Any

from hub.actor import Actor
from storage.repositories import journal as rows
from storage.unit import Unit


def note(unit: Unit, actor: Actor, action: str, subject: str, number: int | str, data: dict[str, Any]) -> None:
    """Write who did what. `action` is a past-tense word, `subject` a word of the glossary; `data` holds no secrets."""
    rows.write(unit, str(actor), action, subject, number, data)
