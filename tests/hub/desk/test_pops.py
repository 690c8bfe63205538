"""What rings where a desk is open is read before its page is told; everything else when a page asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event as listening

from hub.desk.phone.pop import Pop
from hub.desk.phone.pops import Pops
from storage.events import Event
from tests.hub.desk.calls import GATES, Caller
from tests.hub.desk.office import Office, open_office


@contextmanager
def questions(office: Office) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        asked.append(statement)

    engine = office.store.engines.reader
    listening.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        listening.remove(engine, "before_cursor_execute", note)


async def told(office: Office, caller: Caller, extension: str) -> Event:
    """What pages hear when this telephone rings."""
    async with office.hub.live.listen() as queue, asyncio.timeout(60):
        await caller.ring(extension)
        while True:
            found = await queue.get()
            if found is not None and found.what == "ringing":
                return found


async def shown(pops: Pops, event: Event) -> Pop:
    pop = await pops.read(int(event.id), event)
    assert pop is not None
    return pop


async def test_who_has_a_desk_open_is_shown_what_was_read_already(tmp_path: Path) -> None:
    async with open_office(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}", GATES) as office:
        pops = Pops(office.hub)
        with pops.open_for("anna"):
            event = await told(office, Caller(office, "+79261234567"), "101")
            with questions(office) as asked:
                pop = await shown(pops, event)
            assert (pop.number, dict(pop.parts), asked) == ("+79261234567", {"anna": "ringing"}, [])
            assert pop.card is not None and pop.to_ask == ["source"]

            elsewhere = await told(office, Caller(office, "+79261234568"), "102")
            with questions(office) as asked:
                assert (await shown(pops, elsewhere)).number == "+79261234568"
            assert asked

        later = await told(office, Caller(office, "+79261234569"), "101")
        with questions(office) as asked:
            assert (await shown(pops, later)).number == "+79261234569"
        assert asked
