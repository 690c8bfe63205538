"""`[route.K]`: for which touches, to which team, chosen how, and after how long it is passed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from routing.book import RuleBook
from routing.conditions import For, Many, Table, Target, fault, meant
from routing.matching import Selector, compile_for
from routing.settings import BadRegulation

STRATEGIES = ("round_robin", "least_busy", "skills", "capacity", "sticky", "responsible")


def _strategies(value: object) -> object:
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()
    for word in words:
        if word not in STRATEGIES:
            raise fault(f'no strategy is called "{word}"', meant(str(word), STRATEGIES))
    return words


Strategies = Annotated[tuple[str, ...], BeforeValidator(_strategies)]


class RouteSettings(Table):
    """Keys of `[route.K]`. `strategy` may list several: each narrows what the one before left.

    `sticky` prefers who spoke with the client last, `responsible` the client's responsible, `skills` who has all of
    `skills` (and the touch's language), `capacity` who has fewer than `capacity` open conversations.
    """

    when: For = For()
    team: str
    strategy: Strategies = ("round_robin",)
    skills: Many = ()
    capacity: int | None = Field(default=None, ge=1)
    pass_on_after: Target | None = None


class Route:
    """One route, compiled."""

    def __init__(self, key: str, settings: RouteSettings) -> None:
        self.key = key
        self.settings = settings
        self.fits: Selector = compile_for(settings.when)


def compile_route(key: str, table: Mapping[str, Any]) -> Route:
    """Raises BadRegulation, naming the key and what was meant."""
    try:
        return Route(key, RouteSettings.model_validate({**table, "strategy": table.get("strategy") or "round_robin"}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("route", key, *(str(part) for part in first["loc"])))
        context = first.get("ctx", {})
        if "remedy" in context:
            raise BadRegulation(place, context["reason"], context["remedy"]) from None
        word = str(first["loc"][-1]) if first["loc"] else ""
        model = For if "when" in first["loc"] else RouteSettings
        remedy = (
            meant(word, list(model.model_fields)) if first["type"] == "extra_forbidden" else "see docs/regulations.md"
        )
        raise BadRegulation(place, first["msg"], remedy) from None


def compile_routes(book: RuleBook) -> tuple[Route, ...]:
    """The routes in their order; broken ones are left out (the import reports them)."""
    found = []
    for each in book.routes:
        try:
            found.append(compile_route(each.key, each.body))
        except BadRegulation:
            continue
    return tuple(found)
