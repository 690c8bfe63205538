"""Are the PBX's files, tables and web pages where the set-up says, and can they be read? For the doctor."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from channels.asterisk.files import find_recording, is_played, is_sound
from channels.asterisk.settings import Settings
from channels.asterisk.tables import Away, Table, is_address
from channels.contract import OpenCall

_RECENT = 20
_MOST_FILES = 5_000
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_PATIENCE = ClientTimeout(total=5)
_NEEDED = {
    "cdr": {"uniqueid"},
    "cel": {"uniqueid", "eventtype", "eventtime"},
    "queue_log": {"callid", "event", "data1"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. A grave one keeps calls out of the log."""

    reason: str
    remedy: str
    grave: bool = False


async def judge_places(settings: Settings) -> list[Finding]:
    """Everything but the PBX itself."""
    found = await asyncio.to_thread(_judge_files, settings)
    for kind, source in settings.records().items():
        if is_address(source):
            found += await asyncio.to_thread(_judge_table, kind, source)
    if settings.recordings is None:
        remedy = "Set recordings to the folder where they are mounted, or to the address of the PBX's web server."
        found.append(Finding("no path of the recordings is set: none can be played", remedy))
    elif "{path}" in settings.recordings:
        found += await _judge_web(settings)
    return found


def _judge_files(settings: Settings) -> list[Finding]:
    found = []
    for name, value in (("recordings", settings.recordings), ("voicemail", settings.voicemail)):
        if value and "{path}" not in value and not (Path(value).is_dir() and os.access(value, os.R_OK | os.X_OK)):
            found.append(Finding(f"the folder {value} ({name}) cannot be read", f"Mount it, or correct {name}."))
        elif value and "{path}" not in value:
            found += _judge_formats(name, Path(value))
    kept = settings.recordings if settings.keep_recordings is not None else None
    if kept and "{path}" not in kept and not os.access(kept, os.W_OK):
        remedy = "Mount it writable, or recordings are only hidden when their time is over."
        found.append(Finding(f"recordings in {kept} cannot be deleted", remedy))
    for name, source in settings.records().items():
        if not is_address(source):
            found += _judge_record(name, Path(source))
    return found


def _judge_formats(name: str, folder: Path) -> list[Finding]:
    """Whether browsers play what was recorded last."""
    recent = heapq.nlargest(_RECENT, _sounds_in(folder))
    mute = [path for _, path in recent if not is_played(path)]
    if not mute:
        return []
    endings = ", ".join(sorted({path.suffix for path in mute}))
    if name == "voicemail":
        remedy = "Let voicemail.conf say `format = wav` (wav49 and gsm are only played by telephones)."
    else:
        remedy = "Give MixMonitor a name that ends in .wav (FreePBX: call recording format wav, not wav49 or gsm)."
    return [
        Finding(f"browsers do not play {len(mute)} of the last {len(recent)} in {folder} ({name}): {endings}", remedy)
    ]


def _sounds_in(folder: Path) -> Iterator[tuple[float, Path]]:
    """By age; not all of a large house."""
    looked = 0
    for place, folders, names in os.walk(folder):
        folders.sort(reverse=True)  # the newest days first
        for one in names:
            looked += 1
            path = Path(place, one)
            with contextlib.suppress(OSError):
                if is_sound(path):
                    yield path.stat().st_mtime, path
        if looked > _MOST_FILES:
            return


def _judge_record(name: str, path: Path) -> list[Finding]:
    if not (path.is_file() and os.access(path, os.R_OK)):
        return [Finding(f"the file {path} ({name}) cannot be read", f"Let the hub's user read it, or correct {name}.")]
    if name == "cdr" and not _tells_calls_apart(path):
        remedy = "Set loguniqueid=yes, loguserfield=yes and newcdrcolumns=yes in the [csv] section of cdr.conf."
        return [Finding(f"the rows of {path} cannot be told apart", remedy)]
    return []


def _tells_calls_apart(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = file.read().splitlines()
    return not lines or lines[-1].count(b",") >= 17


def _judge_table(kind: str, source: str) -> list[Finding]:
    try:
        missing = _NEEDED[kind].difference(Table(source, kind).columns())
    except Away as away:
        return [Finding(f"the database of {kind} cannot be read: {away}", f"Correct {kind} of the line, or start it.")]
    if missing:
        return [
            Finding(f"the table of {kind} has no column {', '.join(sorted(missing))}", f"Add it, or correct {kind}.")
        ]
    return []


async def _judge_web(settings: Settings) -> list[Finding]:
    """Whether the web server lets us in; what is not there is no fault of anybody."""
    sound = find_recording("touchline-check.wav", OpenCall("", _NEVER, "", {}), settings)
    if sound is None or sound.address is None:
        return []
    try:
        async with (
            ClientSession(timeout=_PATIENCE) as http,
            http.get(sound.address, headers=sound.headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (ClientError, TimeoutError, ValueError) as error:
        return [Finding(f"the web server of the recordings does not answer ({type(error).__name__})", "Is it up?")]
    if status in (200, 206, 404, 410):
        return []
    remedy = "Correct recordings_user and recordings_password, and the address in recordings."
    return [Finding(f"the web server of the recordings answers {status}", remedy)]
