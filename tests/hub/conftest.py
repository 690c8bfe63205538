"""An office on both databases, for everything that is tested without a network."""

from tests.hub.actions.conftest import office

__all__ = ["office"]
