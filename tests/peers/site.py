"""A vendor's web server in the test's own loop, as our emulators of messengers are: up, gone, and back on its port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, web

_AGAIN_S = 0.05


class Site:
    """`async with` it. Whoever inherits says in `_open` which addresses it has."""

    port: int = 0
    most_body: int = 64 * 1024 * 1024
    _runner: web.AppRunner | None = None
    _errands: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _open(self, app: web.Application) -> None:
        """Its addresses."""
        raise NotImplementedError

    def address(self, path: str) -> str:
        """Where something of it is."""
        return f"http://127.0.0.1:{self.port}/{path}"

    async def start(self) -> None:
        """Up, on the same port as before."""
        app = web.Application(client_max_size=self.most_body)
        self._open(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Gone; what it knows it keeps."""
        for task in self._errands:
            task.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        self._errands = ()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def insist(self, call: Callable[[], Awaitable[bool]]) -> None:
        """Call, and call again, until it is heard: as vendors push."""

        async def until_heard() -> None:
            while not await call():
                await asyncio.sleep(_AGAIN_S)

        self._errands = (*self._errands, asyncio.create_task(until_heard()))


async def call(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """One call of a webhook: status and answer; 0 when nobody answered."""
    with contextlib.suppress(ClientError, TimeoutError):
        async with (
            ClientSession(timeout=ClientTimeout(total=20)) as http,
            http.post(url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.read()
    return 0, b""


def hang_up(request: web.Request) -> None:
    """The connection breaks in the midst of an answer."""
    assert request.transport is not None
    request.transport.abort()
