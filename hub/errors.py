"""What people and programs did wrong, in words: which field, and what to do about it."""

from __future__ import annotations


class Refused(Exception):
    """The base of everything that the hub refuses; `status` is the HTTP status that says the same."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy


class BadInput(Refused):
    """A value cannot be used as it is."""

    status = 422
    code = "bad_input"


class NotFound(Refused):
    """There is no such thing, or it is not this actor's to see."""

    status = 404
    code = "not_found"


class Forbidden(Refused):
    """The actor's role does not allow it."""

    status = 403
    code = "forbidden"


class Conflict(Refused):
    """Somebody else was quicker, or the thing is in a state that does not allow it."""

    status = 409
    code = "conflict"
