"""The documentation page: plain HTML made from the OpenAPI document, without a single script."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import Any

from aiohttp import web

from hub.api.call import operations
from hub.api.openapi import describe

Json = dict[str, Any]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:#f4f6f8;padding:.8rem;overflow:auto;border-radius:6px}
h2{margin-top:2.5rem;border-bottom:1px solid #dde3ea}details{border:1px solid #dde3ea;border-radius:6px;margin:.5rem 0}
summary{padding:.5rem .8rem;cursor:pointer}details>div{padding:0 .8rem .8rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-top:1px solid #eef1f4}
b.m{display:inline-block;min-width:4rem}small{color:#5b6776}
@media(prefers-color-scheme:dark){body{background:#14181d;color:#dfe5ec}pre{background:#1d232b}
h2,details,td,th{border-color:#2b333d}small{color:#98a4b3}}
"""


async def get_page(request: web.Request) -> web.Response:
    """How to call, readable without any script."""
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return web.Response(text=_page(), content_type="text/html", headers={"Content-Security-Policy": policy})


@cache
def _page() -> str:
    document = describe(operations())
    body = "".join(_sections(document))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Touchline API</title><style>{_STYLE}</style>"
        f"<h1>Touchline API</h1><p>{_text(document['info']['description'])}</p>"
        "<p>The same as a machine reads it: <a href=/api/openapi.json>/api/openapi.json</a>.</p>"
        "<pre>curl -H 'Authorization: Bearer TOKEN' http://127.0.0.1:8080/api/v1/interactions?limit=5</pre>"
        f"{body}</html>"
    )


def _sections(document: Json) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{_text(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            for method, one in methods.items():
                if tag["name"] in one["tags"]:
                    yield _call(method, path, one, schemas)


def _call(method: str, path: str, one: Json, schemas: Json) -> str:
    parts = [f"<p>{_text(one['description'])}</p>", _parameters(one["parameters"])]
    if "requestBody" in one:
        (media_type, content), *_ = one["requestBody"]["content"].items()
        parts.append(f"<h4>Body <small>{media_type}</small></h4>{_fields(content['schema'], schemas)}")
    for status, answer in one["responses"].items():
        if status.startswith("2"):
            (_, content), *_ = answer["content"].items()
            parts.append(f"<h4>{status} <small>{_text(answer['description'])}</small></h4>")
            parts.append(_fields(content["schema"], schemas))
    refusals = (
        f"{status} {escape(answer['description'])}"
        for status, answer in one["responses"].items()
        if not status.startswith("2")
    )
    parts.append(f"<p><small>{'; '.join(refusals)}.</small></p>")
    head = f"<b class=m>{method.upper()}</b> <code>{escape(path)}</code> {escape(one['summary'])}"
    return f"<details id={one['operationId']}><summary>{head}</summary><div>{''.join(parts)}</div></details>"


def _parameters(parameters: Iterable[Json]) -> str:
    rows = [_row(one["name"], one["schema"], one["required"], one.get("description", "")) for one in parameters]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _fields(schema: Json, schemas: Json) -> str:
    found = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    about = f"<p>{_text(found['description'])}</p>" if "description" in found else ""
    required = found.get("required", ())
    rows = [
        _row(name, one, name in required, one.get("description", ""))
        for name, one in found.get("properties", {}).items()
    ]
    return about + (f"<table>{''.join(rows)}</table>" if rows else "")


def _row(name: str, schema: Json, required: bool, text: str) -> str:
    example = schema.get("examples", [None])[0]
    shown = f" e.g. <code>{escape(json.dumps(example, ensure_ascii=False))}</code>" if example is not None else ""
    star = "" if required else " <small>optional</small>"
    kind = escape(_kind(schema))
    return f"<tr><td><code>{escape(name)}</code>{star}<td><small>{kind}</small><td>{_text(text)}{shown}"


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("const") or schema.get("type", "any"))


def _text(written: str) -> str:
    pieces = escape(" ".join(written.split())).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))
