"""A touch that could not be taken in is read again and taken in, once."""

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from hub.cli.home import open_store
from hub.settings import Settings
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.hub.cli.conftest import LINES, OFFICE, Touchline

MAIL = (
    b"From: Client <client@shop.example>\r\nTo: support@example.org\r\nSubject: Question\r\n"
    b"Message-ID: <1@shop.example>\r\nDate: Fri, 20 Nov 2026 12:00:00 +0300\r\n\r\nWhere is my parcel?\r\n"
)
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def set_aside(unit: Unit) -> None:
    number = unit.take_ids(models.raw, 1)[0]
    kept = {"id": number, "media_type": "message/rfc822", "size": len(MAIL), "data": zlib.compress(MAIL)}
    unit.connection.execute(insert(models.raw).values(**kept))
    row = {"line": "support-mail", "event_key": "1:1", "at": AT, "error": "a fault", "touch": {}, "raw_id": number}
    unit.connection.execute(insert(models.set_aside).values(**row))


def logged(store: Store) -> int:
    return store.read_now(lambda c: c.execute(select(func.count()).select_from(models.interaction)).scalar_one())


def test_what_was_set_aside_is_taken_in(touchline: Touchline, home: Path) -> None:
    touchline("import", OFFICE, LINES)
    store = open_store(Settings(home=home))
    store.write_now(set_aside)
    told = json.loads(touchline("replay", "--json").out)
    assert [(each["line"], each["set_aside"], each["error"]) for each in told["touches"]] == [
        ("support-mail", True, None)
    ]
    assert logged(store) == 0
    ran = touchline("replay", "support-mail", "--apply")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "mended 1, still unreadable 0")
    assert logged(store) == 1
    assert json.loads(touchline("replay", "--json").out)["touches"] == []
    assert logged(store) == 1
    store.engines.dispose()
