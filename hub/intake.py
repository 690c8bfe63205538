"""Takes touches in: what has queued up, one or a hundred, becomes rows of the log in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from channels.contract import Accepted
from channels.touch import Touch
from hub import fold
from hub.arrival import Arrival
from hub.batch import Batch
from hub.kept_files import write_raws
from hub.setup.snapshot import SetUp
from storage import models
from storage.events import Event
from storage.lane import LaneClosed
from storage.repositories import intake as rows
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

_LARGE = 32 * 1024
_SHORT = 400
_LONGEST_TYPE = 200
_LONGEST_KEY = 300
_SQLITE_OUTAGES = frozenset({5, 6, 7, 8, 10, 13, 14, 15})
"""BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL."""
_OUTAGE_CLASSES = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""PostgreSQL: connection, transaction state, rollback, resources, not in state, operator intervention, system error."""
_MOST_REMEMBERED = 1000


class Intake:
    """The only road into the log for what channels and forms hear."""

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup
        self.answer_by: OrderedDict[int, datetime] = OrderedDict()

    async def deliver(self, touch: Touch) -> Accepted:
        """Returns after the touch is committed; coming again is harmless.

        A touch that cannot be taken in is set aside with its raw bytes and counts as accepted. Raises what the
        database raises when it is down: then nothing was committed and the source must keep the touch.
        """
        arrival = await self._prepare(touch)
        try:
            accepted = await self._store.lane.hand_in(self._take_in, arrival)
        except LaneClosed:
            raise
        except Exception as error:
            if is_outage(error):
                raise
            return await self._set_aside(arrival, error)

        self._remember(accepted)
        return accepted

    def _remember(self, accepted: Accepted) -> None:
        """The latest promises, so that whoever just wrote is told his without another look."""
        if accepted.interaction is not None and accepted.answer_by is not None:
            self.answer_by[accepted.interaction] = accepted.answer_by
            if len(self.answer_by) > _MOST_REMEMBERED:
                self.answer_by.popitem(last=False)

    async def _prepare(self, touch: Touch) -> Arrival:
        arrival = Arrival(touch)
        raw = touch.raw
        if touch.attachments or (raw is not None and len(raw.data) > _LARGE):
            await asyncio.to_thread(self._keep_files, arrival)
        elif raw is not None:
            arrival.raw = _raw_row(raw.media_type, len(raw.data), _pack(raw.data), None)
        return arrival

    def _keep_files(self, arrival: Arrival) -> None:
        raw = arrival.touch.raw
        if raw is not None:
            packed = _pack(raw.data)
            path = self._store.files.keep(packed) if len(packed) > _LARGE else None
            arrival.raw = _raw_row(raw.media_type, len(raw.data), None if path else packed, path)
        for one in arrival.touch.attachments:
            arrival.files.append(
                {
                    "name": one.name,
                    "media_type": one.media_type,
                    "size": len(one.data),
                    "content_id": one.content_id,
                    "path": self._store.files.keep(one.data),
                }
            )

    def _take_in(self, unit: Unit, arrivals: Sequence[Arrival]) -> list[Accepted]:
        batch = Batch(unit, self._setup(), arrivals)
        batch.skip_what_was_seen()
        batch.find_what_it_belongs_to()
        batch.find_whose_it_is()
        batch.place_in_conversations()
        batch.judge()
        batch.write()
        return batch.answers()

    async def _set_aside(self, arrival: Arrival, error: Exception) -> Accepted:
        log.error("touch_set_aside", line=arrival.touch.line, event_key=arrival.touch.event_key, error=repr(error))

        def write(unit: Unit) -> None:
            touch = arrival.touch
            event_key = _fitting_key(touch.event_key)
            if rows.find_set_aside(unit, touch.line, event_key):
                return
            body = {**fold.describe(touch), "text": touch.text, "at": touch.at, "phase": touch.phase}
            kept = {
                "line": touch.line,
                "event_key": event_key,
                "at": unit.now,
                "error": _plain(repr(error)[:4000]),
                "touch": _plain(body),
                "raw_id": write_raws(unit, [arrival])[0],
            }
            rows.write_rows(unit, models.set_aside, [kept])
            unit.emit(Event("line", touch.line, "set_aside"))

        await self._store.write(write)
        return Accepted(None)


def _pack(data: bytes) -> bytes:
    """As a zlib stream. A few bytes hardly shrink, and to set the packer up costs more than all else that is done to
    them: they become a stream with one stored block (RFC 1950; RFC 1951, 3.2.4), which any zlib reads."""
    if len(data) > _SHORT:
        return zlib.compress(data, 1, wbits=max(9, min(len(data).bit_length(), zlib.MAX_WBITS)))
    length = len(data).to_bytes(2, "little")
    against = (len(data) ^ 0xFFFF).to_bytes(2, "little")
    return b"\x78\x01\x01" + length + against + data + zlib.adler32(data).to_bytes(4, "big")


def _raw_row(media_type: str, size: int, data: bytes | None, path: str | None) -> dict[str, Any]:
    return {"media_type": media_type[:_LONGEST_TYPE], "size": size, "data": data, "path": path}


def is_outage(error: Exception) -> bool:
    """Is the database itself in trouble (locked, full, unreachable), rather than this touch?"""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUTAGES
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError | InterfaceError) and (state is None or state[:2] in _OUTAGE_CLASSES)


def _fitting_key(event_key: str) -> str:
    """An event key that any database takes, always the same for the same touch."""
    plain = str(_plain(event_key))
    if plain == event_key and len(plain) <= _LONGEST_KEY:
        return plain
    digest = hashlib.sha256(event_key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain[: _LONGEST_KEY - 65]}#{digest}"


def _plain(value: Any) -> Any:
    """A value that any database takes, whatever it is: what cannot be written is written about."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return _plain(value.isoformat() if isinstance(value, datetime) else repr(value))
