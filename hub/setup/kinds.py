"""The kinds of table a set-up has, and who judges each: the hub its own, routing, web forms and channels theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError

from channels import registry
from hub.setup import regulations
from hub.setup.company import Company
from hub.setup.lines import COMMON, PLANNED, find_channel, own_faults, read_line
from hub.setup.locate import Place
from hub.setup.people import Operator, Team
from hub.setup.problem import Problem, suggest
from hub.setup.regulations import read_regulation
from hub.setup.routes import Route
from hub.setup.templates import Template
from routing.calendar import BadCalendar, Calendar, CalendarSettings
from routing.regulations import kinds as routing_kinds
from routing.settings import Common
from webforms.settings import FormSettings

Fault: TypeAlias = tuple[Place, Problem]
"""A problem, and its place below the table."""

COMPANY = "company"
"""The only kind without keys; its one row is kept under this name."""

READERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    COMPANY: Company.model_validate,
    "team": Team.model_validate,
    "operator": Operator.model_validate,
    "calendar": CalendarSettings.model_validate,
    "form": FormSettings.model_validate,
    "line": read_line,
    "route": Route.model_validate,
    "regulation": read_regulation,
    "template": Template.model_validate,
}
"""Kind -> a function that makes the settings object out of a table, or raises `ValidationError`."""

_MODELS: dict[str, type[BaseModel]] = {
    COMPANY: Company,
    "team": Team,
    "operator": Operator,
    "calendar": CalendarSettings,
    "form": FormSettings,
    "route": Route,
    "template": Template,
}


def read_body(kind: str, body: Mapping[str, Any]) -> tuple[Any, list[Fault]]:
    """The settings object, or None and every fault with its place below the table."""
    if fault := _judge_choice(kind, body):
        return None, [fault]
    unknown = list(_unknown_keys(kind, body))
    found, errors = _read(kind, body)
    faults = _distinct(unknown, [_fault(kind, body, each) for each in errors])
    if not faults and isinstance(found, Common) and (whole := regulations.judge_regulation(body)):
        place, reason, remedy = whole
        faults = [(place, Problem(".".join(place), reason, _sentence(remedy)))]
    if not faults and isinstance(found, CalendarSettings):
        faults = _judge_calendar(found)
    return (None, faults) if faults else (found, [])


def _judge_calendar(found: CalendarSettings) -> list[Fault]:
    """What only the whole shows: a calendar that never opens would leave every promise without a due."""
    try:
        Calendar.build("k", 1, found)
    except BadCalendar as error:
        place = tuple(error.key.split(".")[2:])
        return [(place, Problem(".".join(place), error.reason, _sentence(error.remedy)))]
    return []


def _distinct(unknown: list[Fault], faults: list[Fault]) -> list[Fault]:
    """One fault per place; what only follows from another (a key that is missing because it is misspelt) goes."""
    told: dict[Place, Problem] = dict(unknown)
    meant = {problem.remedy for problem in told.values()}
    for place, problem in faults:
        if f"Did you mean {problem.key}?" in meant or (unknown and not place):
            continue
        told.setdefault(place, problem)
    return [(place, problem) for place, problem in told.items() if not _follows(place, problem, told)]


def _follows(place: Place, problem: Problem, told: Mapping[Place, Problem]) -> bool:
    """Of a list whose items are wrong, pydantic also says that it is too short."""
    return "at least" in problem.message and any(
        len(other) > len(place) and other[: len(place)] == place for other in told
    )


def _read(kind: str, body: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    more = own_faults(body) if kind == "line" else []
    try:
        return READERS[kind](body), more
    except ValidationError as error:
        return None, [*error.errors(), *more]


def _judge_choice(kind: str, body: Mapping[str, Any]) -> Fault | None:
    """A line without its channel, or a regulation without its kind, cannot be judged any further."""
    if kind not in {"line", "regulation"}:
        return None
    key, known = (
        ("channel", PLANNED.union(registry.names()))
        if kind == "line"
        else ("kind", regulations.PLANNED.union(routing_kinds()))
    )
    chosen = body.get(key)
    if chosen is None:
        return (), Problem(key, "is missing", f"Say which: {', '.join(sorted(known))}.")
    if chosen not in known:
        return (key,), Problem(key, f"there is no {key} {chosen!r}", suggest(str(chosen), known))
    return None


def _unknown_keys(kind: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    model = model_of(kind, body)
    if model is None:
        return
    known = field_names(model, ()) | (COMMON if kind == "line" else set())
    for key in body:
        if key not in known:
            yield (key,), Problem(key, "no such key", suggest(key, known))


def model_of(kind: str, body: Mapping[str, Any]) -> type[BaseModel] | None:
    """The pydantic model of a table's keys, as its channel or kind has it. None where there is none."""
    if kind == "regulation":
        return regulations.model_of_kind(body.get("kind"))
    if kind != "line":
        return _MODELS.get(kind)
    module = find_channel(str(body.get("channel")))
    return module.Settings if module else None


def _fault(kind: str, body: Mapping[str, Any], error: Any) -> Fault:
    place = _place(error, body)
    context = error.get("ctx") or {}
    key = ".".join(map(str, place))
    model = model_of(kind, body)
    if error["type"] == "extra_forbidden":
        known = field_names(model, place[:-1]) if model else set()
        return place, Problem(key, "no such key", suggest(str(place[-1]), known))
    if error["type"] == "missing":
        return place, Problem(key, "is missing", "")
    if error["type"] in {"literal_error", "enum"}:
        choice = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
        return place, Problem(
            key, f"{error['input']!r} is not one of the choices", suggest(str(error["input"]), choice)
        )
    if "reason" in context:
        return place, Problem(key, str(context["reason"]), _sentence(str(context.get("remedy", ""))))
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return place, Problem(key, message)


def _place(error: Any, body: Mapping[str, Any]) -> Place:
    """Where the file has it: pydantic's own words for the branches of a choice are not in the file."""
    place: Place = ()
    value: Any = body
    parts = [part for part in error["loc"] if part != "[key]"]
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return (*place, part) if error["type"] == "missing" and part == parts[-1] else place
        place = (*place, part)
    return place


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".?!" else ".")


def field_names(model: type[BaseModel], place: tuple[str | int, ...]) -> set[str]:
    """The keys that may stand at a place below a model, as the file spells them."""
    models = {found for found in annotations_at(model, place) if issubclass(found, BaseModel)}
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def annotations_at(model: type[BaseModel], place: tuple[str | int, ...]) -> set[type[Any]]:
    """The types that a model expects at a place below it."""
    found: set[type[Any]] = {model}
    for part in place:
        if isinstance(part, str):
            found = {
                inner
                for each in found
                if issubclass(each, BaseModel)
                for name, field in each.model_fields.items()
                if part in {name, field.alias}
                for inner in _types_in(field.annotation)
            }
    return found


def _types_in(annotation: Any) -> set[type[Any]]:
    arguments = get_args(annotation)
    if not arguments:
        return {annotation} if isinstance(annotation, type) else set()
    return {found for inner in arguments for found in _types_in(inner)}
