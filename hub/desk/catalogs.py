"""The catalogs of the desk's texts: `python -m hub.desk.catalogs` brings locale/*/desk.po up to date with the source.

Texts are marked by `_()` and `{% trans %}` in templates; in Python by `_()`, `say()`, `count()` and by being the
message or the remedy of a refusal, so that what an act refuses is told in the operator's language too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub.desk.language import LANGUAGES

_HUB = Path(__file__).resolve().parent.parent
_DESK = _HUB / "desk"
_SOURCES = (
    "desk",
    "actions",
    "access",
    "recordings",
    "telephony",
    "consents.py",
    "reckoning.py",
    "ways.py",
    "errors.py",
)
_WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""One day for all, so that a catalog changes only when a text does."""
_MARKS = frozenset({"_", "say"})
_REFUSALS = frozenset(
    {"BadInput", "NotFound", "Forbidden", "Conflict", "Gone", "Unavailable", "NotWanted", "TooLarge", "TooOften"}
)


def extract() -> Catalog:
    """Every text of the source, without translations."""
    found = Catalog(
        domain="desk",
        header_comment="# Texts of the desk; `python -m hub.desk.catalogs` keeps them up to date.",
        project="Touchline",
        version="1",
        charset="utf-8",
        creation_date=_WRITTEN,
        revision_date=_WRITTEN,
        last_translator="Touchline",
        language_team="Touchline",
        msgid_bugs_address="-",
        fuzzy=False,
    )
    templates = [("**.html", "jinja2")]
    keywords = dict(DEFAULT_KEYWORDS)
    for name, _line, message, _comments, _context in extract_from_dir(
        _DESK / "templates", templates, keywords=keywords
    ):
        found.add(message, locations=[(f"hub/desk/templates/{name}", 0)])
    for folder in _SOURCES:
        inside = _HUB / folder
        for path in [inside] if inside.is_file() else sorted(inside.rglob("*.py")):
            for said in _texts(ast.parse(path.read_text(encoding="utf-8"))):
                found.add(said, locations=[(path.relative_to(_HUB.parent).as_posix(), 0)])
    return found


def _texts(tree: ast.Module) -> Iterator[str | tuple[str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        given = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name == "count" and len(given) >= 2:
            yield (given[0], given[1])
        elif name in _MARKS | _REFUSALS and given:
            yield given[0]
        if name in _REFUSALS:
            yield from _remedies(node)


def _remedies(node: ast.Call) -> Iterator[str]:
    for each in node.keywords:
        if each.arg == "remedy" and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
            yield each.value.value


def update(folder: Path = _DESK / "locale") -> None:
    """Write all catalogs; translations are kept, texts that are gone go."""
    for code in LANGUAGES:
        path = folder / code / "LC_MESSAGES" / "desk.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        known = _read(path, code)
        fresh = extract()
        fresh.locale = code
        for message in fresh:
            old = known.get(message.id) if message.id else None
            if old is not None and old.string:
                message.string = old.string
            elif code == "en" and message.id:
                message.string = message.id
        with path.open("wb") as file:
            write_po(file, fresh, width=110, no_location=True, sort_output=True)


def _read(path: Path, code: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=code, domain="desk")
    with path.open("rb") as file:
        return read_po(file, locale=code, domain="desk")


if __name__ == "__main__":
    update()
