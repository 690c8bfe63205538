"""The manual (docs/regulations.md) names every key and event there is, and its example is taken as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from hub.setup.reading import read_setup
from routing.assignment import RouteSettings
from routing.assignment.route import STRATEGIES
from routing.calendar import CalendarSettings
from routing.conditions import KINDS, LIVE_EVENTS, REPORTED_EVENTS, Action, After, For
from routing.regulations import broadcast, follow_up, gate, recurring, resolve, respond, update
from routing.settings import Storm
from routing.steps import StepSettings

MANUAL = (Path(__file__).parents[3] / "docs" / "regulations.md").read_text(encoding="utf-8")
CODE = " ".join(re.findall(r"```toml\n(.*?)```", MANUAL, re.S) + re.findall(r"`([^`\n]+)`", MANUAL))
WORDS = frozenset(re.findall(r"[a-z][a-z0-9_.]*", CODE))
MODELS: tuple[type[BaseModel], ...] = (
    *(each.Settings for each in (broadcast, follow_up, gate, recurring, resolve, respond, update)),
    *(CalendarSettings, RouteSettings, StepSettings, Storm, For, After, Action),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_key_is_in_the_manual(model: type[BaseModel]) -> None:
    assert {name.rstrip("_") for name in model.model_fields} - WORDS == set()


def test_every_event_kind_and_strategy_is_in_the_manual() -> None:
    assert {*LIVE_EVENTS, *REPORTED_EVENTS, *KINDS, *STRATEGIES} - WORDS == set()


def test_the_example_is_taken_as_it_stands() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", MANUAL, re.S)
    names = {each.name for each in read_setup([("manual.toml", example)]).definitions}
    assert names == {"calendar.office", "team.service", "regulation.answer"}
