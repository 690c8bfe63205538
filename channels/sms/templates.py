"""The templates that come with Touchline, one TOML file each in `gateways/`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from channels.sms.template import Template

_FOLDER = Path(__file__).parent / "gateways"


@cache
def names() -> tuple[str, ...]:
    """What may stand in `template`."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


@cache
def find_template(name: str) -> Template:
    """One of them. Raises `KeyError`."""
    if name not in names():
        raise KeyError(name)
    return Template.model_validate(tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))
