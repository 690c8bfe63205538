"""`[regulation.K]`: judged by routing; here is only what the set-up must know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from routing import regulations
from routing.settings import BadRegulation, Common

PLANNED = frozenset({"respond", "update", "resolve", "follow_up", "recurring", "gate", "broadcast"})
"""Kinds of the set-up format. One that this version has not is kept, and reported as not in force."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A regulation of a kind that this version has not yet."""

    kind: str


def model_of_kind(kind: Any) -> type[Common] | None:
    """The settings of one kind of regulation."""
    if kind not in regulations.kinds():
        return None
    model: type[Common] = import_module(f"routing.regulations.{kind}").Settings
    return model


def read_regulation(body: Mapping[str, Any]) -> Common | Waiting:
    """Raises `ValidationError`."""
    model = model_of_kind(body["kind"])
    return model.model_validate(dict(body)) if model else Waiting(body["kind"])


def judge_regulation(body: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str] | None:
    """What routing finds when it puts the whole together: place, reason, remedy."""
    try:
        regulations.compile_rule("k", 1, body)
    except BadRegulation as error:
        return tuple(error.key.split(".")[2:]), error.reason, error.remedy
    return None
