"""What people and programs did wrong, in words: which field, and what to do about it.

Texts are written as `"there is no line %(line)s"` with the values beside them, so that the desk can translate them
first and fill them in afterwards; programs read them filled in, in English.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """The base of everything that the hub refuses; `status` is the HTTP status that says the same."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, field: str | None = None, remedy: str | None = None, **values: object) -> None:
        super().__init__(fill(message, values))
        self.texts = (message, remedy)
        self.values = values
        self.message = fill(message, values)
        self.field = field
        self.remedy = fill(remedy, values) if remedy else remedy


def fill(text: str, values: Mapping[str, object]) -> str:
    """A text with its blanks filled in."""
    return text % values if "%(" in text else text


class BadInput(Refused):
    """A value cannot be used as it is."""

    status = 422
    code = "bad_input"


class NotFound(Refused):
    """There is no such thing, or it is not this actor's to see."""

    status = 404
    code = "not_found"


class Gone(Refused):
    """It was there, and the house does not keep it any longer."""

    status = 410
    code = "gone"


class Forbidden(Refused):
    """The actor's role does not allow it."""

    status = 403
    code = "forbidden"


class Conflict(Refused):
    """Somebody else was quicker, or the thing is in a state that does not allow it."""

    status = 409
    code = "conflict"


class NotWanted(Conflict):
    """The client does not want to hear from us this way, or has not agreed to it."""

    code = "not_wanted"


class Unavailable(Refused):
    """What it takes is away just now; nothing will be done later by itself."""

    status = 503
    code = "unavailable"
