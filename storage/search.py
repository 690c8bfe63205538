"""Full text that forgives: case, diacritics, ё/е, і/ї/и/й, look-alike letters of two alphabets, phone fragments.

Both databases index the same folded words, so both find the same things. A query is the AND of its words, each a
prefix; digits that are written apart (`325 83 51`) are also sought as one fragment of a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice

import orjson
from sqlalchemy import BigInteger, ColumnElement, Connection, Text, bindparam, column, select, table, text, true
from sqlalchemy.sql.expression import TextualSelect

from storage.bulk import insert_values
from storage.trailing import trail
from storage.unit import Unit

_MOST_WORDS = 2000
_LONGEST = 40
_MOST_QUERY_WORDS = 12
_MOST_PHONES_IN_TEXT = 8
_MOST_REMEMBERED = 20_000

# Letters that look alike (in either case) are one letter, whichever alphabet they were typed in: СRМ finds CRM.
_ALIKE = dict(zip("аеорсхукмтнвіјѕ", "aeopcxykmthbijs", strict=True))
# Letters that people of these languages write for each other, or that no decomposition takes apart.
_KINDRED = {
    **dict.fromkeys("иїй", "i"),
    **dict.fromkeys("ёє", "e"),
    "ґ": "г",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "ø": "o",
    "ı": "i",
    "ħ": "h",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
}
_LETTERS = {**_ALIKE, **_KINDRED}
_NO_LETTERS_TO_SQLITE = frozenset(map(chr, range(0x19B0, 0x19CA)))
_SILENT = frozenset("'’‘ʼʹ`´′＇\u00ad\u200b\u200c\u200d\u2060\ufeff")


class _Folds(dict[int, str]):
    """What each character becomes; learned once per character."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < _MOST_REMEMBERED:
            self[code] = folded
        return folded


def _fold_character(letter: str) -> str:
    if letter in _SILENT:
        return ""
    parts = unicodedata.normalize("NFKD", letter.casefold()).lower()
    return "".join(_fold_part(part) for part in parts)


def _fold_part(part: str) -> str:
    if unicodedata.category(part)[0] == "M":
        return ""
    if part.isdecimal():
        return str(unicodedata.decimal(part))
    return _LETTERS.get(part, part) if part.isalpha() and part not in _NO_LETTERS_TO_SQLITE else " "


_FOLDS = _Folds()
_FOLD_ASCII = str.maketrans(
    {code: chr(code).lower() if chr(code).isalnum() else "" if chr(code) in "'`" else " " for code in range(128)}
)
# PostgreSQL would read 3e4 as a number of its own and tear it out of its word.
_EXPONENT = re.compile(r"e(?<=\de)(?=\d)")
# A number as people write it: digits with spaces, dots, dashes and brackets between them.
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d\s().\-‐‑–—/]{1,30}\d(?!\w)")
_LONG_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d\s().\-‐‑–—]{5,24}\d(?!\w)")
_NOT_DIGITS = re.compile(r"\D+")


def fold(written: str) -> str:
    """Folded words with single spaces between them: equal for what a person would call the same words."""
    return " ".join(_split(written))


def _split(written: str) -> list[str]:
    folded = written.translate(_FOLD_ASCII if written.isascii() else _FOLDS)
    return _EXPONENT.sub("e ", folded).split()


def words_of(*texts: str | None, phones: Iterable[str] = ()) -> str:
    """The words to index for some texts: each once, the first 2,000. `phones` are found by any fragment of 3 digits.

    Numbers that are written inside a text are found by fragments too, the first few of them.
    """
    found: dict[str, None] = {}
    for phone in phones:
        found.update(dict.fromkeys(_endings(phone)))
    for written in texts:
        if not written:
            continue
        for word in _split(written):
            found[word[:_LONGEST]] = None
        if len(found) > _MOST_WORDS:
            break
        found.update(dict.fromkeys(_numbers_inside(written)))
    return " ".join(islice(found, _MOST_WORDS) if len(found) > _MOST_WORDS else found)


def _numbers_inside(written: str) -> Iterable[str]:
    numbers = islice(_LONG_NUMBER.finditer(written), _MOST_PHONES_IN_TEXT)
    return chain.from_iterable(_endings(number[0]) for number in numbers)


@lru_cache(maxsize=512)
def _endings(written: str) -> tuple[str, ...]:
    """All endings of a number, so that the search for a beginning finds any fragment.

    Remembered, because the words of a client and of what he wrote hold the same number several times.
    """
    digits = _NOT_DIGITS.sub("", written)
    plain = digits[-20:] if digits.isascii() else fold(digits[-20:])
    return tuple([plain[start:] for start in range(max(len(plain) - 2, 0))])


def query(dialect: str, written: str) -> str | None:
    """A safe expression of the database's own full-text language; None when there is no word to look for."""
    words: list[str] = []
    number = _NUMBER.search(written)
    if number is not None and (alternatives := _read_number(number[0], dialect)):
        words.append(alternatives)
        written = f"{written[: number.start()]} {written[number.end() :]}"
    words += [_begins(word, dialect) for word in dict.fromkeys(_split(written)[:_MOST_QUERY_WORDS])]
    return (" & " if dialect == "postgresql" else " AND ").join(words) or None


def _read_number(written: str, dialect: str) -> str | None:
    """`8 (812) 325-83-51`: as one fragment, with and without the digits one dials first, or as its words apart."""
    pieces = _split(written)
    joined = "".join(pieces)
    if len(pieces) < 2 and len(joined) < 8:
        return None
    whole = dict.fromkeys(
        [joined, *([joined.lstrip("0"), joined[1:]] if joined[0] in "08" and len(joined) > 7 else [])]
    )
    both, either = (" & ", " | ") if dialect == "postgresql" else (" AND ", " OR ")
    apart = both.join(_begins(piece, dialect) for piece in pieces)
    choices = [_begins(digits, dialect) for digits in whole if digits]
    return f"({either.join([*choices, f'({apart})'] if len(pieces) > 1 else choices)})"


def _begins(word: str, dialect: str) -> str:
    """One word as a prefix; one or two letters only as themselves, for half the log begins with them.

    Folded words hold letters and digits only: nothing needs to be escaped.
    """
    word = word[:_LONGEST]
    if dialect == "postgresql":
        return f"'{word}':*" if len(word) > 2 else f"'{word}'"
    return f'"{word}"*' if len(word) > 2 else f'"{word}"'


def matching(
    connection: Connection, subject: str, written: str, number: ColumnElement[int], most: int
) -> ColumnElement[bool] | None:
    """The condition that a row of `subject` matches, for a list whose rows have `number`; None if nothing can.

    Only the newest `most` matches are looked at. Words that many rows hold are looked for row by row, as the list is
    walked anyway and soon full; PostgreSQL would else fold the whole log again to find them all.
    """
    found = hits(connection.dialect.name, subject, written, most)
    if found is None:
        return None
    if connection.dialect.name == "postgresql" and _is_common(connection, subject, written):
        words = table(f"{subject}_words", column("id", BigInteger), column("words", Text))
        # A scalar subquery is asked row by row; an EXISTS would be turned into a join with all that match.
        holds = select(text(_HOLDS[subject]).bindparams(expression=query("postgresql", written)))
        return holds.select_from(words).where(words.c.id == number).scalar_subquery().is_(true())
    return number.in_(select(found.subquery("hits").c.id))


def _is_common(connection: Connection, subject: str, written: str) -> bool:
    """Whether one of forty of the newest rows matches."""
    expression = query("postgresql", written)
    sample = connection.execute(text(_SAMPLES[subject]), {"expression": expression, "most": _SAMPLE}).scalar_one()
    return bool(sample * 40 >= _SAMPLE)


_SAMPLE = 1000
_HOLDS = {
    subject: f"to_tsvector('simple', {subject}_words.words) @@ CAST(:expression AS tsquery)"
    for subject in ("interaction", "client")
}
_SAMPLES = {
    subject: f"SELECT count(*) FROM (SELECT words FROM {subject}_words ORDER BY id DESC LIMIT :most) {subject}_words "  # noqa: S608
    f"WHERE {holds}"
    for subject, holds in _HOLDS.items()
}


def hits(dialect: str, subject: str, written: str, most: int) -> TextualSelect | None:
    """The ids of the newest `most` rows of `subject` (`interaction`, `client`) that match; None if nothing can."""
    expression = query(dialect, written)
    if expression is None:
        return None
    return (
        text(_HITS[dialect, subject])
        .bindparams(bindparam("expression", expression, Text), bindparam("most", most))
        .columns(column("id", BigInteger))
    )


_HITS = {
    ("sqlite", subject): f"SELECT rowid AS id FROM {subject}_words WHERE {subject}_words MATCH :expression "  # noqa: S608
    "ORDER BY rowid DESC LIMIT :most"
    for subject in ("interaction", "client")
} | {
    # The match first: left to itself the planner walks the newest rows and folds each of them again.
    ("postgresql", subject): f"SELECT id FROM (SELECT id FROM {subject}_words "  # noqa: S608
    "WHERE to_tsvector('simple', words) @@ CAST(:expression AS tsquery) OFFSET 0) found ORDER BY id DESC LIMIT :most"
    for subject in ("interaction", "client")
}


def index_interactions(unit: Unit, rows: Sequence[tuple[int, str]], *, fresh: bool = False) -> None:
    """Make interactions findable by `(id, words)`; what was indexed for an id before is replaced.

    `fresh` promises that the ids are new, which saves looking for them.
    """
    _index(unit, "interaction_words", rows, fresh)


def index_clients(unit: Unit, rows: Sequence[tuple[int, str]], *, fresh: bool = False) -> None:
    """The same for clients."""
    _index(unit, "client_words", rows, fresh)


def _index(unit: Unit, name: str, rows: Sequence[tuple[int, str]], fresh: bool) -> None:
    if not rows:
        return
    if unit.dialect == "postgresql":
        trail(
            unit.connection,
            f"INSERT INTO {name} (id, words) "  # noqa: S608
            f"SELECT id, words FROM json_populate_recordset(CAST(NULL AS {name}), CAST(%s AS json)) "
            "ON CONFLICT (id) DO UPDATE SET words = excluded.words",
            (orjson.dumps([{"id": number, "words": words} for number, words in rows]).decode(),),
        )
        return
    if not fresh:
        unit.connection.exec_driver_sql(
            f"DELETE FROM {name} WHERE rowid = ?",  # noqa: S608
            [(row[0],) for row in rows],
        )
    insert_values(unit.connection, f"{name} (rowid, words)", rows)
