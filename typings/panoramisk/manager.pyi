import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

class Manager:
    def __init__(
        self,
        *,
        host: str = ...,
        port: int = ...,
        username: str = ...,
        secret: str = ...,
        loop: asyncio.AbstractEventLoop | None = ...,
    ) -> None: ...
    def register_event(self, pattern: str, callback: Callable[[Any, Any], None]) -> None: ...
    def connect(self, run_forever: bool = ...) -> Awaitable[Any]: ...
    def close(self) -> None: ...
