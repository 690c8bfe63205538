"""The routes of the API, of its document, and of the probes that watch over a hub."""

from __future__ import annotations

import json
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Middleware

# What is imported here is served: each of these modules declares its operations.
from hub.api import (
    administration,
    alerts,
    blocked,
    board,
    broadcasts,
    calls,
    clients,
    consents,
    conversations,
    deadlines,
    deliveries,
    docs,
    events,
    files,
    interactions,
    metrics,
    obligations,
    operators,
    phones,
    probes,
    recordings,
    tasks,
    templates,
    ways,
)
from hub.api.call import operations
from hub.api.openapi import describe
from hub.api.serve import envelope, serve

RESOURCES = (
    interactions,
    recordings,
    clients,
    consents,
    conversations,
    ways,
    templates,
    obligations,
    deadlines,
    broadcasts,
    tasks,
    alerts,
    events,
    deliveries,
    files,
    operators,
    calls,
    phones,
    blocked,
    board,
    metrics,
    administration,
)


def routes() -> list[web.RouteDef]:
    """Everything under /api, and /healthz, /readyz, /metrics."""
    calls = [web.route(one.method, one.path, serve(one)) for one in operations()]
    return [
        *calls,
        web.get("/api/openapi.json", get_document),
        web.get("/api/docs", docs.get_page),
        *probes.routes(),
    ]


def middlewares() -> list[Middleware]:
    """What has to stand around the whole application for the API's sake."""
    return [envelope]


@cache
def document() -> str:
    """The OpenAPI document, made once."""
    return json.dumps(describe(operations()), ensure_ascii=False)


async def get_document(request: web.Request) -> web.Response:
    """Open to everybody: it tells how to ask, not what is there."""
    return web.Response(text=document(), content_type="application/json", headers={"Cache-Control": "no-cache"})
