"""Every look-up of intake goes by an index, on a database that nobody has analysed: what is slow with a million rows
shows in the plan, not on the clock of a test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import event

from tests.flows.crash_child import touches
from tests.flows.house import open_house


async def test_no_look_up_of_intake_walks_a_table(tmp_path: Path) -> None:
    async with open_house(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}", roles=("web",)) as house:
        await asyncio.gather(*(house.hub.intake.deliver(touch) for number in range(40) for touch in touches(number)))
        asked: dict[str, Any] = {}

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
            if statement.startswith(("SELECT", "UPDATE")) and not many:
                asked[statement] = parameters

        event.listen(house.store.engines.writer, "before_cursor_execute", note)
        again = [touch for touch in touches(41) if touch.event_key.endswith("lead")]
        for touch in (*touches(41), *again):  # one by one: how many come together decides what is asked
            await house.hub.intake.deliver(touch)
        event.remove(house.store.engines.writer, "before_cursor_execute", note)
        assert len(asked) > 10, list(asked)
        plans = await house.store.read(lambda connection: {one: _plan(connection, one, asked[one]) for one in asked})
    walked = {statement: plan for statement, plan in plans.items() if any(_walks(step) for step in plan)}
    assert not walked, walked


def _plan(connection: Any, statement: str, parameters: Any) -> list[str]:
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def _walks(step: str) -> bool:
    """`SCAN` reads everything; so does the search for what is *not* quarantined in an index of what is."""
    scans = step.startswith("SCAN ") and "CONSTANT ROW" not in step and "VIRTUAL TABLE" not in step
    return scans or "(quarantined_at=?)" in step
