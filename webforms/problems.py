"""What can be wrong with a request to a form: a code, an HTTP status, and words for whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass

_STATUS = {
    "bad_json": 400,
    "bad_body": 400,
    "foreign_origin": 403,
    "unknown_form": 404,
    "timeout": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "required": 422,
    "empty": 422,
    "file_type": 422,
    "file_too_large": 413,
    "throttled": 429,
    "busy": 503,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `field` names the field, `detail` completes the words (a type, a size, seconds)."""

    code: str
    field: str | None = None
    detail: str = ""

    @property
    def status(self) -> int:
        return _STATUS[self.code]


class Refused(Exception):
    """A request that is not accepted. The first problem decides the status."""

    def __init__(self, *problems: Problem, retry_after: float | None = None) -> None:
        super().__init__(", ".join(problem.code for problem in problems))
        self.problems = problems
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        return self.problems[0].status
