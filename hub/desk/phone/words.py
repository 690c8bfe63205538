"""What may come of a call, and what may be answered to a gate, in one language."""

from __future__ import annotations

from hub.desk.language import NAMES, Speech
from hub.desk.vocabulary import CATEGORIES, Vocabulary
from hub.setup.snapshot import SetUp
from hub.setup.titles import say


def dispositions(setup: SetUp, speech: Speech) -> list[tuple[str, str]]:
    """Those of the set-up, else the usual ones: (key, text)."""
    own = setup.company.dispositions
    if own:
        return [(key, say(title, speech.code, key)) for key, title in own.items()]
    return Vocabulary(speech).choices("disposition")


def field_choices(setup: SetUp, speech: Speech, name: str) -> list[tuple[str, str]]:
    """What can be chosen for a field of the client; nothing = anything may be written."""
    if name == "category":
        return [(key, key) for key in CATEGORIES]
    if name == "lifecycle":
        return Vocabulary(speech).choices("lifecycle")
    if name == "responsible":
        return sorted((key, one.name) for key, one in setup.operators.items())
    return sorted(NAMES.items()) if name == "language" else []
