"""Files outside the database: named by their bytes, kept once, never outside their folder."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.files import FileStore


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def test_the_same_bytes_are_kept_once(files: FileStore, tmp_path: Path) -> None:
    first, again, other = files.keep(b"hello"), files.keep(b"hello"), files.keep(b"world")
    digest = hashlib.sha256(b"hello").hexdigest()
    assert first == again == f"{digest[:2]}/{digest[2:]}" != other
    assert (files.read(first), files.read(other)) == (b"hello", b"world")
    assert sorted(one.is_file() for one in (tmp_path / "files").rglob("*")) == [False, False, True, True]


def test_nothing_half_written_is_left_when_many_keep_the_same(files: FileStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: files.keep(b"x" * 100_000), range(32)))
    assert len(names) == 1
    found = [one for one in (tmp_path / "files").rglob("*") if one.is_file()]
    assert len(found) == 1 and found[0].stat().st_size == 100_000


@pytest.mark.parametrize("name", ["../secret.key", "/etc/passwd", "aa/../../x"])
def test_a_name_that_points_outside_is_refused(files: FileStore, name: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        files.read(name)


def test_what_is_not_there(files: FileStore) -> None:
    with pytest.raises(FileNotFoundError):
        files.read("ab/cdef")
