"""The hub's store of files as channels see it, and what of a touch is kept outside its row: raw bytes and files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hub.arrival import Arrival
from storage import models
from storage.files import FileStore
from storage.repositories import intake as rows
from storage.repositories.interactions import find_paths
from storage.unit import Unit


class KeptFiles:
    """See `channels.contract.Files`: off the event loop, for files are fsynced."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    async def keep(self, data: bytes) -> str:
        """The name under which these bytes can be read again; the same bytes have the same name."""
        return await asyncio.to_thread(self._store.keep, data)

    async def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError` or `ValueError` for a name that nothing was kept under."""
        return await asyncio.to_thread(self._store.read, name)


def write_raws(unit: Unit, arrivals: Sequence[Arrival]) -> list[int | None]:
    """Write the raw bytes of touches that have any; one number or None for each."""
    with_raw = [one for one in arrivals if one.raw is not None]
    ids = iter(unit.take_ids(models.raw, len(with_raw)))
    numbers = [next(ids) if one.raw is not None else None for one in arrivals]
    rows.write_rows(
        unit,
        models.raw,
        [{"id": number, **one.raw} for one, number in zip(arrivals, numbers, strict=True) if one.raw is not None],
    )
    return numbers


def write_files(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """Join files to their interactions. What an edited message still has is there already and not joined again."""
    grown = {one.row["id"] for one in arrivals if one.grows and one.touch.phase and one.files}
    known = find_paths(unit.connection, grown) if grown else set()
    files = []
    for arrival in arrivals:
        number = arrival.row["id"]
        for file in arrival.files if not arrival.grows or arrival.touch.phase else ():
            if not arrival.grows or (number, file["path"]) not in known:
                files.append({**file, "interaction_id": number})
                known.add((number, file["path"]))
    rows.write_rows(unit, models.attachment, files)
