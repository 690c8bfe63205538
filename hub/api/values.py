"""How the API writes and reads single values: instants, row numbers, keys, and lists of them."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

LARGEST_ID = 2**53 - 1
MOST_TEXT = 200_000
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def show(instant: datetime | None) -> str | None:
    """UTC ISO 8601 with Z; fractions only where there are any."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _in_range(value: datetime) -> datetime:
    if not _EARLIEST <= value <= _LATEST:
        raise PydanticCustomError("instant_range", "an instant between 1900 and 2200 is expected")
    return value.astimezone(UTC)


def _from_text(value: Any) -> Any:
    """Only RFC 3339 text: a bare number is not an instant."""
    if not isinstance(value, str) or "T" not in value.upper().strip()[8:12]:
        raise PydanticCustomError("instant", "write an instant such as 2026-11-21T09:30:00Z")
    return value


def without_nulls(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("null_character", "a null character is not text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise PydanticCustomError("surrogate", "half a character is not text")
    return value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_from_text, json_schema_input_type=str),
    AfterValidator(_in_range),
    Field(strict=False, json_schema_extra={"format": "date-time", "examples": ["2026-11-21T09:30:00Z"]}),
]
"""An instant that comes in: RFC 3339 with a zone."""

Shown = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:30:00Z"])]
"""An instant as it is written out."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Text = Annotated[str, AfterValidator(without_nulls)]
Short = Annotated[str, Field(max_length=300), AfterValidator(without_nulls)]
Long = Annotated[str, Field(max_length=MOST_TEXT), AfterValidator(without_nulls)]
Key = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(without_nulls)]
Written = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(without_nulls)]
"""An identity as somebody writes it."""


def _deep(value: Any, depth: int = 0) -> None:
    if depth > 8:
        raise PydanticCustomError("too_deep", "fields nest at most 8 deep")
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    for inner in inside:
        _deep(inner, depth + 1)
    if isinstance(value, str):
        without_nulls(value)
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise PydanticCustomError("no_number", "NaN and infinity are no numbers")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise PydanticCustomError("too_large", "whole numbers have at most 64 bits; write larger ones as text")


def _check_fields(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > 200:
        raise PydanticCustomError("too_many", "at most 200 fields")
    _deep(value)
    return value


Fields = Annotated[dict[str, Any], AfterValidator(_check_fields)]
"""Free fields: name -> any JSON value."""


class In(BaseModel):
    """What comes in: unknown names are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """A query: everything is text there."""

    model_config = ConfigDict(extra="forbid")


class InlineFile(In):
    """A file inside a JSON body."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(without_nulls)]
    media_type: Annotated[str, Field(max_length=200, pattern=r"^[\w.+-]+/[\w.+-]+$")] = "application/octet-stream"
    data: Annotated[str, Field(description="base64", json_schema_extra={"contentEncoding": "base64"})]

    def decode(self) -> bytes:
        """The bytes. Raises `ValueError`."""
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
