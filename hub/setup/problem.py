"""What is wrong with a set-up, said so that a person can mend it: file, line, key, reason, remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`key` is dotted as in the file (`operator.anna.role`); `line` counts from 1, 0 = not from a file."""

    key: str
    message: str
    remedy: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        name = f"{self.key}: " if self.key else ""
        return f"{place}{name}{self.message}{f'. {self.remedy}' if self.remedy else ''}"

    def as_json(self) -> dict[str, str | int]:
        """For `--json` and the API."""
        return asdict(self)


class SetUpRefused(Exception):
    """The set-up was not taken; `problems` holds every fault found, not the first alone."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def suggest(word: str, known: Iterable[str]) -> str:
    """`Did you mean …?`, or the whole choice when nothing is near."""
    names = sorted(set(known))
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {folded[near[0]]}?"
    return f"Known: {', '.join(names)}." if names else ""
