"""Every refusal has one shape: `{"error": {"code", "message", "field", "remedy"}}`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from typing_extensions import TypedDict

from hub.errors import Refused
from hub.setup.problem import suggest


class ErrorOut(TypedDict):
    """What went wrong, in which field (null where none), and what to do about it."""

    code: str
    message: str
    field: str | None
    remedy: str | None


class RefusalOut(TypedDict):
    """The body of every answer that is not a success."""

    error: ErrorOut


class BadJson(Refused):
    """The body cannot be read at all."""

    status = 400
    code = "bad_json"


class BadQuery(Refused):
    """A parameter of the address cannot be used."""

    status = 422
    code = "bad_query"


class Unauthorized(Refused):
    """No token, or one that is not known."""

    status = 401
    code = "unauthorized"


class TooLarge(Refused):
    """More than the hub takes at once."""

    status = 413
    code = "too_large"


class WrongType(Refused):
    """The body is of a media type that this call does not read."""

    status = 415
    code = "wrong_media_type"


def refuse(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    remedy: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An answer that says no."""
    error: ErrorOut = {"code": code, "message": message, "field": field, "remedy": remedy}
    return web.Response(
        status=status,
        body=json.dumps({"error": error}, ensure_ascii=False).encode("utf-8", "replace"),
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )


def answer_refused(refused: Refused) -> web.Response:
    """The answer for something that the hub refuses."""
    headers = {"WWW-Authenticate": 'Bearer realm="touchline"'} if refused.status == 401 else None
    return refuse(refused.status, refused.code, refused.message, refused.field, refused.remedy, headers)


def explain_invalid(error: ValidationError, names: Iterable[str], kind: type[Refused]) -> Refused:
    """The first thing that pydantic found wrong, naming the field and, for unknown ones, what was meant."""
    found = error.errors(include_url=False, include_input=False)
    first = min(found, key=lambda one: one["type"] == "missing")
    field = ".".join(str(part) for part in first["loc"]) or None
    if first["type"] == "extra_forbidden":
        return kind(f"there is no {field!r} here", field=field, remedy=suggest(str(first["loc"][-1]), names))
    if first["type"] == "missing":
        return kind(f"{field} is missing", field=field, remedy=f"add {field}")
    message = first["msg"].removeprefix("Value error, ")
    return kind(f"{field}: {message}" if field else message, field=field, remedy=_remedy(first))


def _remedy(fault: Any) -> str | None:
    context = fault.get("ctx") or {}
    if "expected" in context:
        return f"use {context['expected']}"
    return {
        "timezone_aware": "add a zone, for example Z",
        "int_type": "write a whole number without quotes",
        "string_type": "write text in quotes",
        "bool_type": "write true or false",
        "json_invalid": "send well-formed JSON",
    }.get(fault["type"])
