"""A new channel from a template: a small one that works and keeps the contract, against a vendor of its own making.

`channel/` becomes `channels/NAME/`, `tests/` becomes `tests/channels/NAME/`. What is the imagined vendor's own stands
beside the comment `vendor:`; the five steps from there to a real one are in channels/README.md.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

_TEMPLATES = Path(__file__).parent
_FOLDERS = {"channel": Path("channels"), "tests": Path("tests", "channels")}
_NAME = re.compile(r"[a-z][a-z0-9]{1,19}", re.ASCII)
_IMPORT = re.compile(r"from (?:channels|tests)\.\S* import ")


def fault_in_name(name: str) -> str | None:
    """Why a channel cannot be called so; None if it can."""
    if not _NAME.fullmatch(name):
        return "a channel's name has 2 to 20 small Latin letters and digits, a letter first"
    if keyword.iskeyword(name):
        return "it is a word of Python's"
    return None


def is_source_tree(root: Path) -> bool:
    """Can a channel be added here?"""
    return (root / "channels" / "contract.py").is_file() and (root / "tests" / "channels" / "kit.py").is_file()


def folders_of(root: Path, name: str) -> list[Path]:
    """Where the files of a channel go."""
    return [root / folder / name for folder in _FOLDERS.values()]


def write_channel(root: Path, name: str) -> list[Path]:
    """Write both folders; the files, as they were written. Raises `FileExistsError`."""
    written = []
    for template, folder in _FOLDERS.items():
        target = root / folder / name
        target.mkdir(parents=True)
        for file in sorted((_TEMPLATES / template).glob("*.txt")):
            path = target / file.name.removesuffix(".txt")
            path.write_text(_fill(file.read_text("utf-8"), name), "utf-8")
            written.append(path)
    return written


def _fill(text: str, name: str) -> str:
    filled = text.replace("{{name}}", name).replace("{{Name}}", name.capitalize())
    return "".join(_with_sorted_imports(filled.splitlines(keepends=True)))


def _with_sorted_imports(lines: list[str]) -> Iterator[str]:
    """Where the new channel's own imports stand among the others depends on its name."""
    for is_import, group in groupby(lines, lambda line: bool(_IMPORT.match(line))):
        found = list(group)
        yield from sorted(found) if is_import else found
