"""The kinds of regulations, one file each: `Settings` (what a manager writes) and `Regulation` (what it does).

A kind is found by its file name: there is no list to edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from routing.conditions import meant
from routing.rule import Rule
from routing.settings import BadRegulation, Common


@cache
def kinds() -> tuple[str, ...]:
    """Every kind there is."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.py") if not file.stem.startswith("_")))


def read_settings(key: str, table: Mapping[str, Any]) -> Common:
    """Check one table `[regulation.K]`; BadRegulation names the first wrong key and what was meant."""
    kind = table.get("kind")
    if kind not in kinds():
        reason = "it has no kind" if kind is None else f'there is no kind "{kind}"'
        raise BadRegulation(f"regulation.{key}.kind", reason, meant(str(kind or ""), kinds()))
    model: type[Common] = import_module(f"{__name__}.{kind}").Settings
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        raise _explained(key, model, error) from None


def compile_rule(key: str, version: int, table: Mapping[str, Any], order: int = 0) -> Rule:
    """One version of a regulation, ready to decide. Raises BadRegulation."""
    settings = read_settings(key, table)
    rule: type[Rule] = import_module(f"{__name__}.{settings.kind}").Regulation
    try:
        return rule(key, version, settings, order)
    except ValueError as error:
        raise BadRegulation(f"regulation.{key}", str(error), "see docs/regulations.md") from None


def _explained(key: str, model: type[BaseModel], error: ValidationError) -> BadRegulation:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part != "[key]" and not str(part).startswith("function-")]
    where = ".".join(("regulation", key, *place))
    context = first.get("ctx", {})
    if "remedy" in context:
        return BadRegulation(where, context["reason"], context["remedy"])
    if first["type"] == "extra_forbidden":
        return BadRegulation(where, f'there is no key "{place[-1]}"', meant(place[-1], _known_keys(model, place[:-1])))
    if first["type"] == "missing":
        return BadRegulation(where, f'"{place[-1]}" is missing', f"a regulation of this kind needs {place[-1]}")
    return BadRegulation(where, first["msg"], "see docs/regulations.md")


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields and (inner := _model_in(fields[part].annotation)) is not None:
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple):
        return next((found for each in get_args(annotation) if (found := _model_in(each))), None)
    return None
