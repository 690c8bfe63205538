"""The command line: `touchline …`, also `python -m hub …`. One file per command; slow imports are late."""

from __future__ import annotations

from hub.cli.app import main

__all__ = ["main"]
