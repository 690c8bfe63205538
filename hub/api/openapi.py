"""Describes the API as OpenAPI 3.1, out of the very operations and types that serve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from hub.api.call import LARGEST_ID, Operation
from hub.api.refusal import RefusalOut

_REFUSALS = {
    400: "The body cannot be read",
    401: "No token, or one that is not known",
    403: "The role of the token does not allow it",
    404: "There is no such thing",
    409: "The thing is in a state that does not allow it, or somebody else was quicker",
    410: "It was there, and is not kept any longer",
    413: "More than the hub takes at once",
    415: "The body is of another media type",
    416: "Nothing of the part that is asked for is there",
    422: "A value cannot be used; `field` names it, `remedy` says what to do",
    503: "The hub is stopping, or what it takes is away just now",
}
_TAGS = {
    "interactions": "The one log: every touch over every channel.",
    "clients": "Persons and companies, their identities, merging.",
    "conversations": "Interactions that answer each other; writing to clients.",
    "obligations": "Promises on a clock.",
    "tasks": "What operators are asked to do.",
    "alerts": "What managers are told.",
    "events": "What other programs report.",
    "deliveries": "How far our own messages came.",
    "attachments": "Files.",
    "calls": "Telephones: calls while they last, operators and queues now, the black list.",
    "figures": "The live board, and figures of an interval: each with its formula, interval and exclusions.",
    "administration": "Journal, lines, set-up.",
}
_ABOUT = (
    "One log of touches, and every promise kept on a clock. Lists are newest first; `next` is the `cursor` of the"
    " following page, null at the end. Instants are UTC ISO 8601 with Z. Operators, teams, lines, forms, regulations"
    " and calendars are named by their keys in the set-up."
)
_PREFIX = "#/components/schemas/{model}"

Json = dict[str, Any]


def describe(operations: Iterable[Operation]) -> Json:
    """The whole document."""
    known = list(operations)
    schemas = _Schemas(known)
    paths: dict[str, Json] = {}
    for one in known:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Touchline",
            "version": version("touchline"),
            "description": _ABOUT,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`touchline token NAME` prints a new token.",
                }
            },
        },
    }


class _Schemas:
    """JSON Schemas of everything that goes in and out, under one set of names."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.definitions: Json = {}
        self._bodies: dict[type[BaseModel], Json] = {}
        bodies = {one.body for one in operations if one.body is not None}
        made, rest = models_json_schema(
            [(body, "validation") for body in sorted(bodies, key=lambda each: each.__name__)], ref_template=_PREFIX
        )
        self._bodies = {model: schema for (model, _), schema in made.items()}  # type: ignore[misc]
        self.definitions |= rest.get("$defs", {})

    def body(self, model: type[BaseModel]) -> Json:
        """A reference to what a call takes."""
        return self._bodies[model]

    def answer(self, kind: Any) -> Json:
        """A reference to what a call gives."""
        schema = TypeAdapter(kind).json_schema(mode="serialization", ref_template=_PREFIX)
        for name, inner in schema.pop("$defs", {}).items():
            self._define(name, inner)
        if "$ref" in schema:
            return schema
        name = schema.get("title", kind.__name__)
        self._define(name, schema)
        return {"$ref": _PREFIX.format(model=name)}

    def _define(self, name: str, schema: Json) -> None:
        """Two types of one name would describe each other wrongly."""
        if self.definitions.setdefault(name, schema) != schema:
            raise ValueError(f"two types of the API are called {name}")


def _operation(one: Operation, schemas: _Schemas) -> Json:
    described: Json = {
        "tags": [one.tag],
        "operationId": one.handler.__name__,
        "summary": one.summary,
        "description": one.description + ("" if one.role == "operator" else f"\n\nNeeds the role {one.role}."),
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": _responses(one, schemas),
    }
    if one.body is not None:
        content = {"application/json": {"schema": schemas.body(one.body)}}
        required = any(field.is_required() for field in one.body.model_fields.values())
        described["requestBody"] = {"required": required, "content": content}
    if one.upload:
        described["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    return described


def _path_parameters(one: Operation) -> list[Json]:
    if "{key}" in one.path:
        text = {"type": "string", "minLength": 1, "maxLength": 100}
        return [{"name": "key", "in": "path", "required": True, "schema": text, "description": "key in the set-up"}]
    if "{id}" not in one.path:
        return []
    schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
    return [{"name": "id", "in": "path", "required": True, "schema": schema, "description": "the row number"}]


def _query_parameters(one: Operation) -> list[Json]:
    schema = one.query.model_json_schema(ref_template=_PREFIX)
    required = set(schema.get("required", ()))
    found = []
    for name, about in schema.get("properties", {}).items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": _without_null(about)}
        if "description" in parameter["schema"]:
            parameter["description"] = parameter["schema"].pop("description")
        found.append(parameter)
    return found


def _without_null(about: Mapping[str, Any]) -> Json:
    """A parameter of an address is there or not; it is never null."""
    schema = {key: value for key, value in about.items() if key not in ("default", "title") or value is not None}
    schema.pop("title", None)
    choices = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        schema = {**choices[0], **schema}
    elif choices:
        schema["anyOf"] = choices
    return schema


def _responses(one: Operation, schemas: _Schemas) -> Json:
    responses: Json = {str(one.status): _success(one, schemas, "Done")}
    for status, text in (one.statuses or {}).items():
        responses[str(status)] = _success(one, schemas, text)
    refusal = {"application/json": {"schema": schemas.answer(RefusalOut)}}
    usual = {401, *([403] if one.role != "operator" or one.method != "GET" else []), 422}
    for status in sorted({*one.refusals, *usual, 503}):
        responses[str(status)] = {"description": _REFUSALS[status], "content": refusal}
    return responses


def _success(one: Operation, schemas: _Schemas, text: str) -> Json:
    if one.answer is None:
        return {"description": "The file", "content": {"*/*": {"schema": {}}}}
    return {"description": text, "content": {"application/json": {"schema": schemas.answer(one.answer)}}}
