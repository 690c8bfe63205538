"""What is answered to the widget: JSON, and refusals in the shape of all our errors."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import orjson

from channels.touch import WebhookAnswer

JSON = "application/json"


class Refusal(Exception):
    """Something is not taken. `code` is what the widget knows it by, `wait_s` when it may be tried again."""

    def __init__(
        self, status: int, code: str, message: str, remedy: str = "", *, field: str | None = None, wait_s: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy
        self.field, self.wait_s = field, wait_s

    def answer(self) -> WebhookAnswer:
        """As it goes out."""
        error = {"code": self.code, "message": self.message, "field": self.field, "remedy": self.remedy or None}
        headers = {"Retry-After": str(ceil(self.wait_s))} if self.wait_s else {}
        return WebhookAnswer(self.status, orjson.dumps({"error": error}), JSON, headers)


def tell(value: Mapping[str, Any], status: int = 200) -> WebhookAnswer:
    """A value as JSON, never kept by anybody on the way."""
    return WebhookAnswer(status, orjson.dumps(value), JSON, {"Cache-Control": "no-store"})
