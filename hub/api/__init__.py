"""The API: one resource per file, and one document made from the same types that serve it."""

from __future__ import annotations

from hub.api.routes import middlewares, routes

__all__ = ["middlewares", "routes"]
