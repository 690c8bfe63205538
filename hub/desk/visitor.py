"""Who sits at the desk: what the session says, with his language and his zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from aiohttp import web

from hub.actor import Actor
from hub.errors import Forbidden
from hub.setup.snapshot import SetUp


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in operator. `session` is the digest of his cookie, never the cookie itself."""

    actor: Actor
    language: str
    zone: tzinfo
    csrf: str
    session: str

    @property
    def key(self) -> str:
        """The operator's key."""
        return self.actor.key

    @property
    def teams(self) -> tuple[str, ...]:
        """His teams."""
        return self.actor.teams


WHO: web.RequestKey[Visitor] = web.RequestKey("visitor")


def who(request: web.Request) -> Visitor:
    """The visitor; the gate has let nobody else through."""
    return request[WHO]


def require(request: web.Request, role: str) -> Visitor:
    """The visitor, if his role is `role` or higher. Raises `Forbidden`."""
    visitor = request[WHO]
    if not visitor.actor.may(role):
        raise Forbidden("Your role does not allow this.")
    return visitor


def describe(setup: SetUp, operator: str, csrf: str, session: str, language: str | None = None) -> Visitor | None:
    """The visitor of a session; None when the set-up no longer knows the operator."""
    known = setup.operators.get(operator)
    if known is None:
        return None
    return Visitor(
        actor=Actor("operator", operator, known.role, tuple(known.teams)),
        language=language or setup.language_of(operator),
        zone=setup.zone_of(operator),
        csrf=csrf,
        session=session,
    )
