"""Every key of a set-up file is found on its line."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.setup.definition import Definition
from hub.setup.locate import Place, line_of, locate
from hub.setup.writing import write_toml
from tests.hub.setup.conftest import golden

TEXT = '''\
title = "a # b"
[operator.anna]          # 2
name = """
two
lines"""
teams = [
  "support",             # 7
  "sales",
]
imap.host = "h"          # 10
imap = { port = 1, "odd key" = [1, 2], deep = { er = true } } # would not be TOML, but is skipped over
[[operator.anna.away]]
from = 2026-12-01        # 13
[[operator.anna.away]]
from = 2026-12-24        # 15
[operator.anna.away.more]
note = 'C:\\'            # 17
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("operator",), 2),
        (("operator", "anna"), 2),
        (("operator", "anna", "name"), 3),
        (("operator", "anna", "teams", 0), 7),
        (("operator", "anna", "teams", 1), 8),
        (("operator", "anna", "imap", "host"), 10),
        (("operator", "anna", "imap", "odd key", 1), 11),
        (("operator", "anna", "imap", "deep", "er"), 11),
        (("operator", "anna", "away", 0, "from"), 13),
        (("operator", "anna", "away", 1, "from"), 15),
        (("operator", "anna", "away", 1, "more", "note"), 17),
    ],
)
def test_keys_are_found(path: Place, line: int) -> None:
    assert locate(TEXT)[path] == line


def test_what_is_missing_is_looked_for_in_its_table() -> None:
    assert line_of(locate(TEXT), ("operator", "anna", "email")) == (("operator", "anna"), 2)
    assert line_of(locate(TEXT), ("team",)) == ((), 1)


@pytest.mark.parametrize("source", golden("office", "calendars", "lines"), ids=lambda source: source[0])
def test_golden_files_are_located_whole(source: tuple[str, str]) -> None:
    assert set(locate(source[1])) == set(_paths(tomllib.loads(source[1]), ()))


values = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.integers(-99, 99) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), values, max_size=4))
def test_whatever_is_written_is_read_back_and_located(body: dict[str, Any]) -> None:
    text = write_toml([Definition("team", "k", body)])
    read = tomllib.loads(text)
    assert read["team"]["k"] == body
    assert set(locate(text)) == set(_paths(read, ()))


def _paths(value: Any, path: Place) -> Iterator[Place]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _paths(inner, (*path, key))
