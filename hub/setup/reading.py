"""Reads set-up files into definitions, and finds every fault in them, not the first alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from math import isfinite
from pathlib import Path
from typing import Any

from hub.setup.definition import Definition
from hub.setup.kinds import COMPANY, READERS, read_body
from hub.setup.locate import Place, line_of, locate
from hub.setup.problem import Problem, SetUpRefused, suggest

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_KEY_RULE = "Use latin letters, digits, - and _, at most 63."
_PLURALS = {f"{kind}s": kind for kind in READERS} | {"companies": COMPANY}
_PEOPLE = frozenset({"owner", "lead", "director", "team-lead", "team_lead", "responsible", "system"})
RESERVED = {"operator": _PEOPLE, "team": _PEOPLE, "line": frozenset({"desk"})}
"""Words that mean a person in a regulation, or a way in that is no line."""


@dataclass(slots=True)
class Reading:
    """What was read: definitions, and where each of their keys stands."""

    definitions: list[Definition] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _places: dict[str, dict[Place, int]] = field(default_factory=dict)

    def place(self, kind: str, key: str, below: Place = ()) -> tuple[str, int]:
        """File and line of a key below a definition; nothing for one that was not read here."""
        for each in reversed(self.definitions):
            if (each.kind, each.key) == (kind, key):
                path = (kind, *below) if kind == COMPANY else (kind, key, *below)
                return each.file, line_of(self._places[each.file], path)[1]
        return "", 0

    def read_text(self, text: str, file: str) -> None:
        """Add one file's text."""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(_tell_syntax(error, text, file))
            return
        lines = self._places[file] = locate(text)
        for kind, content in tables.items():
            for fault, path in self._read_kind(kind, content, file, lines):
                _, line = line_of(lines, path)
                self.problems.append(Problem(fault.key, fault.message, fault.remedy, file, line))

    def _read_kind(
        self, kind: str, content: Any, file: str, lines: dict[Place, int]
    ) -> Iterator[tuple[Problem, Place]]:
        if kind not in READERS:
            remedy = f"Did you mean [{_PLURALS[kind]}.KEY]?" if kind in _PLURALS else suggest(kind, READERS)
            yield Problem(kind, "a set-up has no such table", remedy), (kind,)
        elif not isinstance(content, dict):
            yield (
                Problem(kind, "is a table, not a value", f"Write [{_heading(kind, 'KEY')}] on a line of its own."),
                (kind,),
            )
        elif kind == COMPANY:
            yield from self._read_one(kind, kind, content, file, lines, (kind,))
        else:
            for key, body in content.items():
                yield from self._read_one(kind, key, body, file, lines, (kind, key))

    def _read_one(
        self, kind: str, key: str, body: Any, file: str, lines: dict[Place, int], path: Place
    ) -> Iterator[tuple[Problem, Place]]:
        name = _heading(kind, key)
        if not isinstance(body, dict):
            yield Problem(name, "is a table, not a value", f"Write [{_heading(kind, 'KEY')}] above its keys."), path
            return
        if not KEY.fullmatch(key):
            yield Problem(name, f"{key!r} is no key", _KEY_RULE), path
        elif key in RESERVED.get(kind, ()):
            yield Problem(name, f"{key!r} has a meaning of its own", "Choose another key."), path
        plain = _as_json(body)
        if twin := self._twin(kind, key, plain):
            yield twin, path
        if bad := _unprintable(plain, path):
            yield Problem(".".join(map(str, bad)), "holds a NUL character", "Take it out."), bad
            return
        _, faults = read_body(kind, plain)
        for place, fault in faults:
            yield Problem(f"{name}.{fault.key}" if fault.key else name, fault.message, fault.remedy), (*path, *place)
        if not any((each.kind, each.key) == (kind, key) for each in self.definitions):
            self.definitions.append(Definition(kind, key, plain, file, line_of(lines, path)[1]))

    def _twin(self, kind: str, key: str, body: dict[str, Any]) -> Problem | None:
        """Two files read together may not say two things of one."""
        for each in self.definitions:
            if (each.kind, each.key) == (kind, key) and each.body != body:
                where = f"{each.file}:{each.line}"
                return Problem(each.name, f"is defined otherwise at {where}", "Leave one of them out.")
        return None


def read_setup(sources: Iterable[tuple[str, str]]) -> Reading:
    """Read `(file name, text)` pairs as one set-up. Raises `SetUpRefused` with everything that is wrong in any."""
    reading = Reading()
    for file, text in sources:
        reading.read_text(text, file)
    if reading.problems:
        raise SetUpRefused(sorted(reading.problems, key=lambda problem: (problem.file, problem.line)))
    return reading


def read_files(paths: Iterable[Path]) -> Reading:
    """Read set-up files. Raises `SetUpRefused`."""
    sources, problems = [], []
    for path in paths:
        try:
            sources.append((str(path), path.read_text(encoding="utf-8-sig")))
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            problems.append(Problem("", "is not UTF-8 text", "Save it as UTF-8.", str(path), line))
        except OSError as error:
            problems.append(Problem("", f"cannot be read: {error.strerror}", "", str(path)))
    if problems:
        raise SetUpRefused(problems)
    return read_setup(sources)


def _heading(kind: str, key: str) -> str:
    return kind if kind == COMPANY else f"{kind}.{key}"


def _tell_syntax(error: tomllib.TOMLDecodeError, text: str, file: str) -> Problem:
    message = str(error)
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    line = int(found.group(1)) if found else text.rstrip().count("\n") + 1
    reason = message[: found.start()] if found else message.removesuffix(" (at end of document)")
    column = f", column {found.group(2)}" if found else ""
    words = text.splitlines()[line - 1].partition("=")[0].strip() if text.strip() else ""
    return Problem(words, f"this is not TOML: {reason[:1].lower()}{reason[1:]}{column}", "", file, line)


def _as_json(value: Any) -> Any:
    """Dates, times and infinities as text, so that a body is plain JSON."""
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def _unprintable(value: Any, path: Place) -> Place | None:
    """Where a NUL is: no database keeps one."""
    if isinstance(value, str):
        return path if "\0" in value else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(key, str) and "\0" in key:
            return path
        if found := _unprintable(inner, (*path, key)):
            return found
    return None
