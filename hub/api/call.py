"""One call of the API: who calls, with which path, query and body, all of it checked before a handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import Connection

from hub.actor import Actor
from hub.composition import Hub
from hub.setup.snapshot import SetUp
from storage.unit import Unit

T = TypeVar("T")
Query = TypeVar("Query", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)

LARGEST_ID = 2**53 - 1


class Nothing(BaseModel):
    """No query, or no body."""

    model_config = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """`path` holds the row numbers of the address."""

    hub: Hub
    actor: Actor
    path: Mapping[str, int]
    query: Query
    body: Body
    request: web.Request

    @property
    def setup(self) -> SetUp:
        """The set-up now in force."""
        return self.hub.setup.current

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Read in a thread."""
        return await self.hub.store.read(query)

    async def act(self, work: Callable[[Unit, SetUp, Actor], T]) -> T:
        """Do something in one transaction, as the caller, under the set-up now in force."""
        setup, actor = self.setup, self.actor
        return await self.hub.store.write(lambda unit: work(unit, setup, actor))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a status of its own."""

    value: Any
    status: int


Handler = Callable[[Call[Any, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call as it is served and as it is documented: both come from here.

    `answer` is a type that pydantic knows, or None for bytes. `statuses` are further good statuses; `refusals` what
    may go wrong beside the usual.
    """

    method: str
    path: str
    tag: str
    summary: str
    handler: Handler
    answer: Any
    status: int = 200
    statuses: Mapping[int, str] | None = None
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    upload: bool = False
    role: str = "operator"
    refusals: tuple[int, ...] = ()
    description: str = ""


_OPERATIONS: list[Operation] = []


def operation(
    method: str, path: str, *, tag: str, summary: str, answer: Any, **rest: Any
) -> Callable[[Handler], Handler]:
    """Declare a handler as a call of the API."""

    def declare(handler: Handler) -> Handler:
        text = (handler.__doc__ or "").strip()
        _OPERATIONS.append(Operation(method, f"/api/v1{path}", tag, summary, handler, answer, description=text, **rest))
        return handler

    return declare


def operations() -> tuple[Operation, ...]:
    """All calls, in the order in which they are documented."""
    return tuple(_OPERATIONS)
