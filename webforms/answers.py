"""What goes back to whoever sent a form: JSON for programs, a thanks page for browsers, CORS for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

from aiohttp import web

from webforms.problems import Problem, Refused
from webforms.words import describe


def in_utc(at: datetime | None) -> str | None:
    """ISO 8601 with Z, to the second."""
    return None if at is None else f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def accepted(interaction: int | None, again: bool, answer_by: datetime | None, headers: dict[str, str]) -> web.Response:
    """201 `{"interaction", "again", "answer_by"}`."""
    number = "null" if interaction is None else interaction
    by = "null" if answer_by is None else f'"{in_utc(answer_by)}"'
    body = f'{{"interaction": {number}, "again": {"true" if again else "false"}, "answer_by": {by}}}'
    return web.Response(status=201, body=body.encode(), content_type="application/json", headers=headers)


def refused(refusal: Refused, language: str, headers: dict[str, str]) -> web.Response:
    """`{"error": {"code", "message", "field", "remedy", "fields"}}`; `fields` lists every field that is wrong."""
    first = refusal.problems[0]
    message, remedy = describe(first, language)
    fields = [
        {"field": problem.field, "code": problem.code, "message": describe(problem, language)[0]}
        for problem in refusal.problems
        if problem.field is not None
    ]
    error = {"code": first.code, "message": message, "field": first.field, "remedy": remedy, "fields": fields}
    return web.Response(
        status=refusal.status,
        body=json.dumps({"error": error}, ensure_ascii=False).encode(),
        content_type="application/json",
        headers=headers | retry_after(refusal),
    )


def retry_after(refusal: Refused) -> dict[str, str]:
    """The header that says when to come again (RFC 9110, 10.2.3)."""
    return {} if refusal.retry_after is None else {"Retry-After": str(max(1, ceil(refusal.retry_after)))}


def throttled(wait: float) -> Refused:
    """Too often: 429, and in how many seconds not any more."""
    return Refused(Problem("throttled", detail=str(max(1, ceil(wait)))), retry_after=wait)


def cors(origin: str | None) -> dict[str, str]:
    """What lets the script of an allowed page read the answer (Fetch standard, 3.2)."""
    if not origin:
        return {"Cache-Control": "no-store"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
        "Cache-Control": "no-store",
        "Vary": "Origin",
    }


def preflight(origin: str, methods: Sequence[str]) -> web.Response:
    """The answer to a browser that asks first."""
    allowed = {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=cors(origin) | allowed)
