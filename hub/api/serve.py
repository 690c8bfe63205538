"""Serves the operations: who calls, may he, what does he send; then the handler; then JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from hub.access.tokens import Token, find_token, note_use
from hub.actor import Actor
from hub.api.call import LARGEST_ID, Answer, Call, Nothing, Operation
from hub.api.refusal import (
    BadJson,
    BadQuery,
    TooLarge,
    Unauthorized,
    WrongType,
    answer_refused,
    explain_invalid,
    refuse,
)
from hub.composition import HUB, Hub
from hub.errors import BadInput, Forbidden, NotFound, Refused
from storage.lane import LaneClosed
from storage.repositories.paging import BadCursor

log = structlog.get_logger(__name__)

MOST_BYTES = 32 * 1024 * 1024
MOST_JSON = 24 * 1024 * 1024
_TOKEN_KEPT = timedelta(seconds=5)

Step = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(operation: Operation) -> Step:
    """The aiohttp handler of one operation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await _handle(operation, request)
        except Refused as refused:
            return answer_refused(refused)
        except BadCursor:
            return answer_refused(
                BadQuery("this cursor is none of ours", field="cursor", remedy="use next of the page before")
            )
        except LaneClosed:
            return refuse(503, "stopping", "the hub is stopping", remedy="try again", headers={"Retry-After": "5"})

    return handle


async def _handle(operation: Operation, request: web.Request) -> web.StreamResponse:
    hub = request.app[HUB]
    actor = await authenticate(hub, request)
    if not actor.may(operation.role):
        raise Forbidden(f"this needs the role {operation.role}", remedy="use a token with that role")
    call: Call[Any, Any] = Call(
        hub,
        actor,
        _read_path(request),
        _read_query(operation, request),
        await _read_body(operation, request),
        request,
    )
    found = await operation.handler(call)
    if isinstance(found, web.StreamResponse):
        return found
    status = operation.status
    if isinstance(found, Answer):
        found, status = found.value, found.status
    return answer_json(found, status)


def answer_json(value: Any, status: int = 200) -> web.Response:
    """JSON in UTF-8, never stored by anybody on the way."""
    return web.Response(
        body=json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


async def authenticate(hub: Hub, request: web.Request) -> Actor:
    """Who calls, by the bearer token. Raises `Unauthorized`."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret or len(secret) > 200 or not secret.isascii():
        raise Unauthorized("no token", remedy="send Authorization: Bearer TOKEN; make one with: touchline token NAME")
    token = await hub.store.read(lambda connection: find_token(connection, secret))
    if token is None:
        raise Unauthorized("this token is not known", remedy="make one with: touchline token NAME")
    if token.use_is_stale(hub.store.now()):
        await _note_use(hub, token)
    return token.actor


async def _note_use(hub: Hub, token: Token) -> None:
    try:
        await hub.store.write(lambda unit: note_use(unit, token))
    except Exception as error:  # that a token was used is good to know, but no reason to refuse its call
        log.warning("token_use_not_noted", error=repr(error))


def _read_path(request: web.Request) -> dict[str, int]:
    if len(request.match_info.get("key", "")) > 100:
        raise NotFound("there is nothing at this address")
    return {name: _number(value) for name, value in request.match_info.items() if name != "key"}


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit()) or not 1 <= int(written[:17]) <= LARGEST_ID or len(written) > 16:
        raise NotFound("there is nothing at this address")
    return int(written)


def _read_query(operation: Operation, request: web.Request) -> BaseModel:
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise BadQuery(f"{name} is given twice", field=name, remedy="give it once")
        given[name] = value
    try:
        return operation.query.model_validate(given)
    except ValidationError as error:
        raise explain_invalid(error, operation.query.model_fields, BadQuery) from error


async def _read_body(operation: Operation, request: web.Request) -> BaseModel:
    if operation.body is None:
        return Nothing()
    if request.content_type not in ("application/json", "application/octet-stream"):
        raise WrongType(f"{request.content_type} is not read here", remedy="send application/json")
    data = await read_bytes(request, MOST_JSON)
    if not data.strip():
        data = b"{}"
    try:
        data.decode("utf-8")
        return operation.body.model_validate_json(data)
    except UnicodeDecodeError as error:
        raise BadJson("the body is not UTF-8", remedy="send JSON in UTF-8") from error
    except ValidationError as error:
        if any(one["type"] == "json_invalid" for one in error.errors(include_url=False)):
            raise BadJson("the body is not JSON", remedy="send well-formed JSON") from error
        raise explain_invalid(error, operation.body.model_fields, BadInput) from error


async def read_bytes(request: web.Request, most: int) -> bytes:
    """The whole body. Raises `TooLarge`."""
    if (request.content_length or 0) > most:
        raise TooLarge(f"more than {most} bytes", remedy="send less at once")
    pieces: list[bytes] = []
    size = 0
    async for piece in request.content.iter_chunked(64 * 1024):
        size += len(piece)
        if size > most:
            raise TooLarge(f"more than {most} bytes", remedy="send less at once")
        pieces.append(piece)
    return b"".join(pieces)


@web.middleware
async def envelope(request: web.Request, handler: Step) -> web.StreamResponse:
    """Whatever goes wrong under /api, and where programs post, the answer has the same shape."""
    if not request.path.startswith(("/api/", "/forms/", "/hooks/", "/embed/")):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _shape(request, error)
    except ConnectionResetError:
        raise
    except Exception:
        log.exception("call_failed", method=request.method, path=request.path)
        return refuse(500, "broken", "the hub failed; the error is in its log", remedy="tell your administrator")


def _shape(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    if error.status == 405:
        allowed = error.headers.get("Allow", "")
        return refuse(
            405,
            "method_not_allowed",
            f"{request.method} is not possible here",
            None,
            f"use {allowed}",
            {"Allow": allowed},
        )
    if error.status == 404:
        return refuse(404, "not_found", "there is nothing at this address", remedy="see /api/docs")
    return refuse(error.status, "refused", error.reason)
