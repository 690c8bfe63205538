"""Recordings and voice mail: the PBX's paths become names that outlive it, and names become sounds again.

Nothing outside the folders is ever answered, whatever a name or a symbolic link says.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from channels.asterisk.settings import Settings
from channels.contract import OpenCall, Sound

MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".opus": "audio/ogg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".webm": "audio/webm",
}
"""What browsers play, best first; a `.wav` may hold PCM, A-law or mu-law. Everything else is offered as bytes."""

WAV49 = "audio/vnd.wave; codec=31"
"""GSM in a WAV (RFC 2361), as Asterisk's format `wav49` writes it into `.WAV`: no browser plays it."""
_UNPLAYED = "application/octet-stream"
_OTHERS = (".WAV", ".wav49", ".gsm", ".g722", ".g729", ".ulaw", ".alaw", ".sln", ".sln16")
_SOUNDS = frozenset(one.lower() for one in (*MEDIA_TYPES, *_OTHERS))
_GSM_IN_WAV = 0x31
_FOLDERS = ("monitor", "voicemail", "recordings", "rec")
_SLACK = timedelta(seconds=90)
_MOST = 4096


def shorten(call: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The facts with paths as names relative to where the files are kept."""
    shown = dict(call)
    if shown.get("recordings"):
        shown["recordings"] = [name_of(path, settings.recordings) for path in shown["recordings"]]
    if shown.get("recording"):
        shown["recording"] = name_of(shown["recording"], settings.recordings)
    if shown.get("voicemail"):
        shown["voicemail"] = name_of(shown["voicemail"], settings.voicemail)
    return shown


@lru_cache(maxsize=1024)
def name_of(path: str, kept: str | None) -> str:
    """`/var/spool/asterisk/monitor/2026/a.wav` -> `2026/a.wav`, also where the folder is mounted elsewhere."""
    pure = PurePosixPath(path)
    if not pure.is_absolute():
        return path
    if kept and "{path}" not in kept:
        root = PurePosixPath(kept)
        if pure.is_relative_to(root):
            return str(pure.relative_to(root))
        if root.name in pure.parts:  # the same folder under another mount
            at = len(pure.parts) - 1 - pure.parts[::-1].index(root.name)
            return str(PurePosixPath(*pure.parts[at + 1 :]))
    for folder in _FOLDERS:
        if folder in pure.parts[:-1]:
            return str(PurePosixPath(*pure.parts[pure.parts.index(folder) + 1 :]))
    return pure.name


def names_in(call: Mapping[str, Any]) -> list[str]:
    """The names of a call's recordings."""
    several = [str(name) for name in call.get("recordings") or () if name]
    return several or ([str(call["recording"])] if call.get("recording") else [])


def find_recording(name: str, call: OpenCall, settings: Settings) -> Sound | None:
    """The sound behind a name; also where only its last part is known, in the folder of the call's day."""
    kept = settings.recordings
    if not kept or not name:
        return None
    if "{path}" in kept:
        return _on_the_web(kept, name, settings)
    root = Path(kept)
    for candidate in (name, *(f"{folder}/{name}" for folder in days_of(call.at))):
        found = _inside(root, candidate)
        if found is not None:
            return sound_of(found, name)
    return None


def search_recording(call: OpenCall, settings: Settings) -> list[str]:
    """Names below the folder that have the call's id in them: for a PBX that tells no names. Only the call's day."""
    if not settings.recordings or "{path}" in settings.recordings:
        return []
    root = Path(settings.recordings)
    wanted = call.external_id.rpartition("-")[2]
    if len(wanted) < 8:
        return []
    return sorted(
        f"{folder}/{entry.name}".lstrip("/")
        for folder in ("", *days_of(call.at))
        for entry in _listed(root / folder)
        if wanted in entry.name and Path(entry.name).suffix.lower() in _SOUNDS
    )


def tells_absent(settings: Settings) -> bool:
    """Whether we see the folder itself, so that what is not there was never written."""
    return bool(settings.recordings) and "{path}" not in (settings.recordings or "")


def without_absent(call: OpenCall, settings: Settings) -> dict[str, Any]:
    """The facts of a call that nobody took, without recordings that were begun and never written: MixMonitor may wait
    for two people to talk. Where that cannot be known they stay. Blocks."""
    facts = dict(call.call)
    if tells_absent(settings):
        there = [name for name in names_in(facts) if find_recording(name, call, settings) is not None]
        facts |= {"recordings": there, "recording": there[0] if there else None}
    return facts


def days_of(at: datetime) -> list[str]:
    """`2026/11/21`, also of the neighbouring days: nobody knows the PBX's zone."""
    days = (at, at - timedelta(hours=14), at + timedelta(hours=14))
    return list(dict.fromkeys(day.strftime("%Y/%m/%d") for day in days))


def find_voicemail(call: OpenCall, settings: Settings) -> Sound | None:
    """The message of this very call. Numbers of messages are used again, and messages are moved between folders: what
    lies beside each of them says when and by whom it was left."""
    name, kept = str(call.call.get("voicemail") or ""), settings.voicemail
    if not name or not kept:
        return None
    if "{path}" in kept:
        return (
            _on_the_web(kept, name if PurePosixPath(name).suffix else f"{name}.wav", settings) if "/" in name else None
        )
    root = Path(kept)
    for described in _messages(root, name):
        if _is_of(described, call):
            found = _inside(root, str(described.with_suffix("").relative_to(root)))
            if found is not None:
                return sound_of(found, name)
    return None


def _messages(root: Path, name: str) -> Iterator[Path]:
    """What lies beside all messages of a mailbox (`100@default`, or by one: `default/100/INBOX/msg0000`)."""
    mailbox, _, context = name.partition("@")
    parts = PurePosixPath(name).parts
    if ".." in parts or "\0" in name or PurePosixPath(name).is_absolute() or (len(parts) < 3 and "/" in name):
        return
    named = root / f"{name}.txt"
    if "/" in name and named.is_file():
        yield named
    folder = root.joinpath(*parts[:2]) if len(parts) >= 3 else root / (context or "default") / mailbox
    for box in sorted(entry.path for entry in _listed(folder) if entry.is_dir(follow_symlinks=False)):
        for entry in sorted(_listed(Path(box)), key=lambda one: one.name):
            if entry.name.endswith(".txt"):
                yield Path(entry.path)


def _is_of(described: Path, call: OpenCall) -> bool:
    """`origtime` is the end of the greeting, in seconds of the epoch."""
    try:
        with described.open(encoding="utf-8", errors="replace") as file:
            facts = dict(line.strip().partition("=")[::2] for line in file.read(_MOST).splitlines())
        left = datetime.fromtimestamp(int(facts.get("origtime", "")), UTC)
    except (OSError, ValueError, OverflowError):
        return False
    ended = call.call.get("ended_at")
    until = datetime.fromisoformat(str(ended)) if ended else call.at + timedelta(days=1)
    if not call.at - _SLACK <= left <= until + _SLACK:
        return False
    number = "".join(sign for sign in str(call.call.get("from") or "") if sign.isdigit())
    theirs = "".join(sign for sign in facts.get("callerid", "").rpartition("<")[2] if sign.isdigit())
    return not number or not theirs or theirs[-7:] == number[-7:]


def erase(sound: Sound, settings: Settings) -> bool:
    """Delete a file of ours and its description."""
    if sound.path is None:
        return False
    roots = [Path(kept).resolve() for kept in (settings.recordings, settings.voicemail) if kept]
    try:
        path = sound.path.resolve()
    except (OSError, RuntimeError):
        return False
    if not any(path.is_relative_to(root) for root in roots):
        return False
    try:
        path.unlink(missing_ok=True)
        if path.name.startswith("msg"):
            path.with_suffix(".txt").unlink(missing_ok=True)
    except OSError:
        return False
    return True


def sound_of(path: Path, name: str) -> Sound:
    """A file as a sound."""
    return Sound(name, media_type_of(path), path=path)


def media_type_of(path: Path) -> str:
    """By its ending, and of a WAV by what it says is in it. Blocks."""
    if path.suffix.lower() == ".wav" and _holds_gsm(path):
        return WAV49
    return MEDIA_TYPES.get(path.suffix.lower(), _UNPLAYED)


def is_sound(path: Path) -> bool:
    """Whether it is a recording, of whatever format."""
    return path.suffix.lower() in _SOUNDS


def is_played(path: Path) -> bool:
    """Whether browsers play it, or the same recording beside it. Blocks."""
    beside = (path.with_suffix(ending) for ending in MEDIA_TYPES)
    return any(media_type_of(one) in MEDIA_TYPES.values() for one in (path, *beside) if one == path or one.is_file())


def _holds_gsm(path: Path) -> bool:
    """The format tag of a RIFF file stands at 20, where Asterisk writes it."""
    try:
        with path.open("rb") as file:
            head = file.read(22)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:16] == b"WAVEfmt " and int.from_bytes(head[20:22], "little") == _GSM_IN_WAV


def _on_the_web(kept: str, name: str, settings: Settings) -> Sound | None:
    parts = PurePosixPath(name).parts
    if ".." in parts or any("\\" in part or not part.isprintable() for part in parts):
        return None
    headers = {}
    if settings.recordings_user:
        secret = settings.recordings_password.get_secret_value() if settings.recordings_password else ""
        headers["Authorization"] = f"Basic {b64encode(f'{settings.recordings_user}:{secret}'.encode()).decode()}"
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), _UNPLAYED)
    return Sound(name, media_type, address=kept.replace("{path}", quote(name.lstrip("/"))), headers=headers)


def _inside(root: Path, name: str) -> Path | None:
    """A regular file below the folder; the same name with another ending will do (a recording that was converted), and
    does better where browsers do not play the one that was named."""
    if "\0" in name:
        return None
    root = root.resolve()
    wanted = root / name.lstrip("/")
    stem = wanted.with_suffix("") if wanted.suffix.lower() in _SOUNDS else wanted
    beside = [stem.parent / f"{stem.name}{ending}" for ending in (*MEDIA_TYPES, *_OTHERS)]
    found = [path for candidate in (wanted, *beside) if (path := _file_below(root, candidate)) is not None]
    return next((path for path in found if media_type_of(path) in MEDIA_TYPES.values()), next(iter(found), None))


def _file_below(root: Path, candidate: Path) -> Path | None:
    try:
        path = candidate.resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, RuntimeError):  # too long a name, a loop of links
        return None


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
