"""Writes definitions as TOML that `touchline import` takes as it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hub.setup.definition import Definition
from hub.setup.kinds import COMPANY, READERS, model_of
from hub.setup.secrets import hide_secrets
from routing.calendar.settings import WEEKDAYS

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100
_FIRST = ("title", "name", "channel", "kind", "team")


def write_toml(definitions: Iterable[Definition]) -> str:
    """Everything, by kind and key. Secrets leave as `{ env = "…" }`; the head names the variables to set."""
    order = list(READERS)
    parts, variables = [], []
    for each in sorted(definitions, key=lambda one: (order.index(one.kind), one.key)):
        body = _in_order(each.kind, each.body)
        if each.kind == "line":
            body, named = hide_secrets(each.key, body)
            variables += named
        parts.append(_write_table(each, body))
    head = ["# The set-up of Touchline, as `touchline import` takes it."]
    if variables:
        head.append("# Secrets stay in the house: a hub that has them keeps them, another one needs these variables:")
        head += [f"#   {name}" for name in variables]
    return "\n\n".join(["\n".join(head), *parts]) + "\n"


def _in_order(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """PostgreSQL forgets the order of keys: names first, then as the model has them, weeks from Monday."""
    model = model_of(kind, body)
    fields = model.model_fields.items() if model else ()
    known = [*_FIRST, *(field.alias or name for name, field in fields)]
    ordered = {key: body[key] for key in known if key in body}
    week = ordered.get("week")
    if isinstance(week, dict):
        ordered["week"] = {day: week[day] for day in WEEKDAYS if day in week}
    return {**ordered, **{key: value for key, value in body.items() if key not in ordered}}


def _write_table(each: Definition, body: Mapping[str, Any]) -> str:
    heading = each.kind if each.kind == COMPANY else f"{each.kind}.{_key(each.key)}"
    lines = [f"[{heading}]"]
    tables = []
    for key, value in body.items():
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            lines.append(f"{_key(key)} = [")
            lines += [f"  {_value(item)}," for item in value]
            lines.append("]")
        elif isinstance(value, Mapping) and len(_value(value)) > _WIDTH:
            tables += [
                "",
                f"[{heading}.{_key(key)}]",
                *(f"{_key(name)} = {_value(item)}" for name, item in value.items()),
            ]
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    return "\n".join([*lines, *tables])


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return repr(value)
