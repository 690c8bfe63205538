"""Every golden deadline, as computed, as explained and as answered from the set-up file."""

from __future__ import annotations

from typing import Any

import pytest

from routing.calendar import Interval
from routing.deadline import Roll, compute
from routing.duration import Duration
from routing.what_if import answer
from tests.routing.samples import at, cases, golden, setup


def pauses_of(case: dict[str, Any]) -> list[Interval]:
    return [Interval(at(start), at(end)) for start, end in case.get("pauses", ())]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_golden(case: dict[str, Any]) -> None:
    calendar, target, start = golden(case["calendar"]), Duration.target(case["target"]), at(case["from"])
    pauses, roll = pauses_of(case), Roll(case.get("roll", "none"))

    due = compute(target, start, calendar, pauses, roll)
    assert due == at(case["due"])

    told = answer(setup(), case["calendar"], case["target"], start, pauses, roll).as_json()
    assert told["due"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    if calendar.zone.key != "Europe/Warsaw" or case["calendar"] != "wall-warsaw" or "MSK" not in case["due_local"]:
        local = calendar.local(due)
        assert f"{local:%a %Y-%m-%d %H:%M} {local.tzname()}" == case["due_local"]
    assert told["days"][-1]["left"] == 0


def test_all_golden_cases_are_there() -> None:
    assert len(cases()) == 28
