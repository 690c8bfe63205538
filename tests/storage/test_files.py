"""Files outside the database: the same bytes once, whole or not at all, and never outside their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.files import FileStore


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "files")
    first, again, other = files.keep(b"one"), files.keep(b"one"), files.keep(b"two")
    assert first == again != other
    assert files.read(first) == b"one"
    assert sum(path.is_file() for path in (tmp_path / "files").rglob("*")) == 2


def test_a_half_written_file_is_never_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FileStore(tmp_path)

    def fail(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        files.keep(b"one")
    monkeypatch.undo()
    assert files.read(files.keep(b"one")) == b"one"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "aa/../../secret"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        FileStore(tmp_path / "files").locate(name)


def test_what_is_gone_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileStore(tmp_path).read("ab/cd")
