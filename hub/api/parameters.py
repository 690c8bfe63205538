"""Parameters that several lists share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from hub.api.values import LARGEST_ID, Asked
from storage.repositories.paging import MOST


def _digits(value: Any) -> Any:
    """Only plain digits: what else Python reads as a number is none in an address."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        return None if value == "" else f"{value} is not a number"
    return value


Number = Annotated[int, BeforeValidator(_digits, json_schema_input_type=int), Field(ge=1, le=LARGEST_ID)]
"""A row number in a query."""


class Paging(Asked):
    """`limit` items from `cursor` on, newest first."""

    limit: Annotated[
        int, BeforeValidator(_digits, json_schema_input_type=int), Field(ge=1, le=MOST, description="items per page")
    ] = 50
    cursor: Annotated[str, Field(max_length=300, description="next of the page before")] | None = None
