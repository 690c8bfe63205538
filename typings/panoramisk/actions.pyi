import asyncio
from collections.abc import Mapping

class Action:
    future: asyncio.Future[None]
    def __init__(self, data: Mapping[str, object], *, as_list: bool | None = ...) -> None: ...
    @property
    def id(self) -> str: ...
