"""Parts of a file, as RFC 9110 has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.recordings.ranges import Part, Unsatisfiable, find_part, is_known, is_unchanged


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, None),
        ("bytes=0-", Part(0, 1000)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=999-", Part(999, 1000)),
        ("Bytes = 10 - 19", Part(10, 20)),
        ("bytes=10-5000", Part(10, 1000)),
        ("bytes=-10", Part(990, 1000)),
        ("bytes=-5000", Part(0, 1000)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("lines=0-5", None),
        ("bytes=٣-", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_a_part(asked: str | None, found: Part | None) -> None:
    assert find_part(asked, 1000) == found


@pytest.mark.parametrize(
    ("asked", "size"), [("bytes=1000-", 1000), ("bytes=5000-6000", 1000), ("bytes=-0", 9), ("bytes=0-", 0)]
)
def test_nothing_of_it_is_there(asked: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        find_part(asked, size)


@given(st.text(max_size=30), st.integers(0, 5000))
def test_a_part_is_always_inside(tail: str, size: int) -> None:
    try:
        part = find_part(f"bytes={tail}", size)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.start < part.stop <= size


def test_conditions() -> None:
    tag, modified = '"a-1"', "Sat, 21 Nov 2026 21:00:00 GMT"
    assert is_unchanged(None, tag, modified)
    assert is_unchanged(tag, tag, modified) and is_unchanged(modified, tag, modified)
    assert not is_unchanged(f"W/{tag}", tag, modified) and not is_unchanged('"b"', tag, modified)
    assert not is_unchanged("Sat, 21 Nov 2026 22:00:00 GMT", tag, modified)
    assert is_known(tag, tag) and is_known(f'"x", W/{tag}', tag) and is_known("*", tag)
    assert not is_known('"x"', tag) and not is_known(None, tag)
