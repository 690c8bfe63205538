"""`[route.K]`: judged by routing; here is only its name."""

from __future__ import annotations

from routing.assignment import RouteSettings as Route

__all__ = ["Route"]
