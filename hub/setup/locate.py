"""Finds the line of every key of a TOML text, because the parser of the standard library tells none.

The text has passed `tomllib` already, so the scanner checks nothing; it only follows the structure.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]

_BLANK = " \t\r\n"
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_CODED = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def locate(text: str) -> dict[Place, int]:
    """Line numbers, from 1, by path: `("operator", "anna", "away", 0, "from")`."""
    scanner = _Scanner(text)
    with suppress(IndexError):  # the text ended where the scanner did not expect it: what it has found is still right
        scanner.read_document()
    return scanner.lines


def line_of(lines: dict[Place, int], path: Place) -> tuple[Place, int]:
    """The longest part of `path` that is in the text, and its line."""
    for length in range(len(path), 0, -1):
        if (found := lines.get(path[:length])) is not None:
            return path[:length], found
    return (), 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Place, int] = {}
        self._starts = [0, *(index + 1 for index, letter in enumerate(text) if letter == "\n")]
        self._counts: dict[Place, int] = {}

    def read_document(self) -> None:
        table: Place = ()
        while self._skip():
            table = self._read_header() if self.text[self.at] == "[" else self._read_pair(table)

    def _note(self, path: Place) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, self.at))

    def _skip(self) -> bool:
        """Past blanks and comments; False at the end of the text."""
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif letter in _BLANK:
                self.at += 1
            else:
                return True
        return False

    def _read_header(self) -> Place:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        parts = self._read_key()
        path: Place = ()
        for number, part in enumerate(parts):
            path = (*path, part)
            self._note(path)
            if many and number == len(parts) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self._note(path)
        self._skip()
        self.at += 2 if many else 1
        return path

    def _read_pair(self, table: Place) -> Place:
        self._skip()
        start = self.at
        parts = self._read_key()
        end, self.at = self.at, start
        path = table
        for part in parts:
            path = (*path, part)
            self._note(path)
        self.at = end + 1  # past the equals sign
        self._read_value(path)
        return table

    def _read_key(self) -> list[str]:
        parts = []
        while True:
            self._skip()
            if self.text[self.at] in "\"'":
                parts.append(self._read_string())
            else:
                start = self.at
                while self.text[self.at] in _BARE:
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._skip()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _read_value(self, path: Place) -> None:
        self._skip()
        self._note(path)
        letter = self.text[self.at]
        if letter == "{":
            self._read_group(path, "}")
        elif letter == "[":
            self._read_group(path, "]")
        elif letter in "\"'":
            self._read_string()
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _read_group(self, path: Place, closing: str) -> None:
        self.at += 1
        index = 0
        while self._skip() and self.text[self.at] != closing:
            if self.text[self.at] == ",":
                self.at += 1
            elif closing == "}":
                self._read_pair(path)
            else:
                self._read_value((*path, index))
                index += 1
        self.at += 1

    def _read_string(self) -> str:
        quote = self.text[self.at]
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        found = []
        while not self.text.startswith(mark, self.at):
            if quote == '"' and self.text[self.at] == "\\":
                found.append(self._read_escape())
            else:
                found.append(self.text[self.at])
                self.at += 1
        self.at += len(mark)
        while len(mark) == 3 and self.text.startswith(quote, self.at):  # one or two quotes may precede the last three
            self.at += 1
        return "".join(found)

    def _read_escape(self) -> str:
        letter = self.text[self.at + 1]
        self.at += 2
        if letter not in _CODED:
            return _ESCAPES.get(letter, letter)
        self.at += _CODED[letter]
        return chr(int(self.text[self.at - _CODED[letter] : self.at], 16))
