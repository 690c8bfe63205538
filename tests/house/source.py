"""The house's own source, read as text and as syntax trees for the rules."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "channels", "routing", "storage", "webforms")
HIDDEN = {"__pycache__", "node_modules"}


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root ("hub/clock.py"), its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def dotted(self) -> str:
        """The name it is imported by ("hub.clock"; a package without ``__init__``)."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    def calls(self) -> Iterator[tuple[int, str]]:
        """Every call as (line, dotted words): ``unit.session.commit()`` gives "unit.session.commit"."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, _spell(node.func)

    def attributes(self) -> Iterator[tuple[int, str]]:
        """Every name and attribute that is spelled out."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name):
                yield node.lineno, _spell(node)

    def imports(self) -> Iterator[tuple[int, str]]:
        """Everything imported, with relative imports resolved: "channels.email.parse", or "os.environ" by name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._resolve(node)
                yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)

    def _resolve(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        words = self.dotted.split(".")
        climb = node.level - self.path.endswith("__init__.py")
        parents = words[: len(words) - climb] if climb else words
        return ".".join([*parents, *([node.module] if node.module else [])])


def read_module(path: str, text: str) -> Module:
    """A module out of a text: the rules' own tests write bad ones."""
    return Module(path, text, ast.parse(text))


@functools.cache
def list_modules(*folders: str) -> tuple[Module, ...]:
    """Every Python file under these folders of the house, in order."""
    files = [
        file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")) if not HIDDEN & set(file.parts)
    ]
    return tuple(read_module(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files)


def _spell(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_spell(node.value)}.{node.attr}"
    return "()"
