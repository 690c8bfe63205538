"""Small questions are read at once; the connections that they used are as good as others afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert, select, text

from storage.models import bookmark
from storage.store import Store


async def test_what_is_committed_is_read_at_once(store: Store) -> None:
    row = {"line": "pbx", "key": "seen", "value": "today"}
    store.write_now(lambda unit: unit.connection.execute(insert(bookmark).values(**row)) and None)

    def values(connection: Connection) -> list[str]:
        return list(connection.execute(select(bookmark.c.value)).scalars())

    for _ in range(10):
        assert await store.read_at_once(values) == ["today"]
    with pytest.raises(Exception, match="nonsense"):
        await store.read_at_once(lambda connection: connection.execute(text("SELECT nonsense")).all())
    assert await store.read_at_once(values) == ["today"]

    class Halfway(Exception):
        pass

    def write_and_fail(connection: Connection) -> None:
        connection.execute(insert(bookmark).values(line="pbx", key="other", value="x"))
        raise Halfway

    for _ in range(10):  # whichever connection it is: what fails half way is undone
        with pytest.raises(Halfway):
            await store.read(write_and_fail)
    assert await store.read_at_once(values) == ["today"]
