"""Which values of a line are secret, and what stands for them when a set-up leaves the house."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from hub.settings import LINE_SECRETS, is_reference
from hub.setup.kinds import annotations_at, model_of
from hub.setup.locate import Place

_SECRET_NAME = re.compile(r"(?i)(^|_)(password|passphrase|pass|secret|token|api_?key|access_?key|private_?key)$")
_SECRET_VALUE = re.compile(r"(?i)://[^/@\s]*:[^/@\s]+@|(?:password|passwd|pass|pwd|secret|token|key)=[^&\s{]")


def secret_places(body: Mapping[str, Any]) -> Iterator[Place]:
    """Where secrets are written out in the body of a line; places that only point to one are not among them."""
    model = model_of("line", body)
    yield from (place for place, value in _leaves(body, ()) if _is_secret(model, place, value))


def variable_for(line: str, place: Place) -> str:
    """The environment variable that an export proposes for a secret."""
    words = "_".join((line, *map(str, place)))
    return LINE_SECRETS + re.sub(r"[^A-Za-z0-9]", "_", words).upper()


def hide_secrets(line: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The body with references in place of secrets, and the variables that they name."""
    hidden: Any = dict(body)
    variables = []
    for place in secret_places(body):
        variables.append(variable_for(line, place))
        hidden = put(hidden, place, {"env": variables[-1]})
    return hidden, variables


def keep_secrets(
    line: str, body: Mapping[str, Any], stored: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, Any]:
    """Undo `hide_secrets` where the store has the secret and no variable gives another.

    Without this, importing what was exported would cut every line off from its server.
    """
    kept: Any = dict(body)
    for place in secret_places(stored):
        name = variable_for(line, place)
        if look_up(body, place) == {"env": name} and name not in known:
            kept = put(kept, place, look_up(stored, place))
    return kept  # type: ignore[no-any-return]


def look_up(value: Any, place: Place) -> Any:
    """What stands at a place, or None."""
    for part in place:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(value: Any, place: Place, leaf: Any) -> Any:
    """A copy with another leaf at a place."""
    if not place:
        return leaf
    if isinstance(value, list):
        return [put(inner, place[1:], leaf) if index == place[0] else inner for index, inner in enumerate(value)]
    return {key: put(inner, place[1:], leaf) if key == place[0] else inner for key, inner in value.items()}


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if is_reference(value):
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*place, index))
    else:
        yield place, value


def _is_secret(model: type[BaseModel] | None, place: Place, value: Any) -> bool:
    if value in ("", None) or isinstance(value, bool):
        return False
    name = next((part for part in reversed(place) if isinstance(part, str)), "")
    if _SECRET_NAME.search(name) or (isinstance(value, str) and _SECRET_VALUE.search(value)):
        return True
    return model is not None and bool({SecretStr, SecretBytes} & annotations_at(model, place))
