"""Recordings and voice mail: the PBX's paths become names that outlive it, and names become files again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from channels.asterisk.settings import Settings

_AUDIO = (".wav", ".WAV", ".mp3", ".ogg", ".gsm", ".ulaw", ".sln")


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
    for folder in ("monitor", "voicemail", "recordings", "rec"):
        if folder in pure.parts[:-1]:
            return str(PurePosixPath(*pure.parts[pure.parts.index(folder) + 1 :]))
    return pure.name


def find_file(name: str, settings: Settings) -> Path | str | None:
    """The file or the address behind a name; None while there is none. Nothing outside the folders is ever answered."""
    for kept in (settings.recordings, settings.voicemail):
        if not kept or not name:
            continue
        if "{path}" in kept:
            return kept.replace("{path}", quote(name))
        found = _inside(Path(kept), name)
        if found is not None:
            return found
    return None


def _inside(root: Path, name: str) -> Path | None:
    root = root.resolve()
    path = (root / name.lstrip("/")).resolve()
    if not path.is_relative_to(root):
        return None
    if path.is_file():
        return path
    beside = (path.parent / f"{path.name}{ending}" for ending in _AUDIO)
    return next((file for file in beside if file.is_file()), None)
