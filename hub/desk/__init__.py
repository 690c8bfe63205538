"""The operators' and managers' web desk, one screen per file."""

from __future__ import annotations

from hub.desk.mount import middlewares, routes, setup_desk

__all__ = ["middlewares", "routes", "setup_desk"]
