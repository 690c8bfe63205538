"""Tasks made by hand that close themselves when the log shows that they were done. Pure.

The tasks of promises follow their promise; here are those with a condition of their own (`met_by`, written like the
action of a regulation: {"any": ["call"], "direction": "outbound"}).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from routing.conditions import Action
from routing.decisions import CloseTask, Decision, ReopenTask
from routing.facts import Facts, TaskFacts
from routing.matching import Matcher, compile_action, contact_at


def check_condition(table: Mapping[str, Any]) -> None:
    """Raises ValidationError for a condition nobody can meet."""
    Action.model_validate(dict(table))


def follow_tasks(facts: Facts, out: list[Decision]) -> None:
    """Close what was done now; open again what proved not to be."""
    touch = facts.interaction
    assert touch is not None
    for task in facts.tasks:
        if task.obligation is not None or task.met_by is None:
            continue
        done = _matches(task, facts)
        if task.state == "open" and done:
            out.append(CloseTask(contact_at(touch), f"interaction:{touch.id}", task=task.id))
        elif task.state == "done" and task.closed_by == f"interaction:{touch.id}" and not done:
            out.append(ReopenTask(facts.at, "bounced" if touch.delivery == "failed" else "corrected", task=task.id))


def _matches(task: TaskFacts, facts: Facts) -> bool:
    touch = facts.interaction
    matches = _compiled(json.dumps(task.met_by, sort_keys=True))
    if touch is None or matches is None or (task.made_at is not None and contact_at(touch) <= task.made_at):
        return False
    return matches(touch, facts)


@lru_cache(maxsize=512)
def _compiled(text: str) -> Matcher | None:
    try:
        return compile_action(Action.model_validate(json.loads(text)))
    except ValidationError:
        return None
