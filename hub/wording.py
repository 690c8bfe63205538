"""By which words clients and interactions are found."""

from __future__ import annotations

from typing import Any

from storage.search import words_of

Row = dict[str, Any]

WORDED = frozenset({"subject", "text", "fields"})
"""What later phases may change of that by which an interaction is found."""
_BETWEEN = " | "
"""Keeps the last digits of one text from running into the first of the next."""


def client_words(row: Row, known: str = "") -> str:
    """What a client is found by, as far as one interaction tells: names and identities."""
    identities = [one["identity"].partition(":") for one in row["party"]]
    names = [one.get("name") or "" for one in row["party"]]
    texts = dict.fromkeys((known, *names, *(value for _, _, value in identities)))
    return words_of(_BETWEEN.join(texts), phones=[value for scheme, _, value in identities if scheme == "phone"])


def interaction_words(row: Row) -> str:
    """What an interaction is found by."""
    identities = [one["identity"].partition(":") for one in row["party"]]
    texts = dict.fromkeys(value for value in row["fields"].values() if isinstance(value, str))
    texts |= dict.fromkeys((row["subject"] or "", row["text"]))
    texts |= dict.fromkeys(value for _, _, value in identities)
    texts |= dict.fromkeys(one.get("name") or "" for one in row["party"])
    return words_of(_BETWEEN.join(texts), phones=[value for scheme, _, value in identities if scheme == "phone"])
