"""Finds a channel by the name of its folder: a new channel is a new folder, not a new line in a list."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import cast

import channels
from channels.contract import ChannelModule


@cache
def names() -> tuple[str, ...]:
    """Names of all channels that this installation has."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(channels.__path__) if found.ispkg))


@cache
def find(name: str) -> ChannelModule:
    """The module of one channel. Raises `KeyError` for a name that no folder has."""
    if name not in names():
        raise KeyError(name)
    return cast(ChannelModule, importlib.import_module(f"channels.{name}"))
