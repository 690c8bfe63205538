"""Who does something: an operator at the desk, a program with a token, or the hub itself."""

from __future__ import annotations

from dataclasses import dataclass

RANKS = {"operator": 1, "supervisor": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is operator, token or system; `key` the operator's key or the token's name."""

    kind: str
    key: str
    role: str
    teams: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    def may(self, role: str) -> bool:
        """Is this role, or a higher one, his?"""
        return RANKS[self.role] >= RANKS[role]

    @property
    def operator(self) -> str | None:
        """The operator's key when a person acts."""
        return self.key if self.kind == "operator" else None


SYSTEM = Actor("system", "touchline", "admin")
