"""HTTP as channels ask their vendors: one request, one answer, and what a failure means for whoever sent something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from channels.errors import BadSettings, Rejected, Uncertain, Unreachable
from channels.untrusted import load

MOST_ANSWER = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """What the other side said. Header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode(errors="replace")

    @property
    def data(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return load(self.body)
        except ValueError:
            return None

    @property
    def retry_after(self) -> float | None:
        """How many seconds of patience the header asks for, within an hour."""
        try:
            return min(max(float(self.headers.get("retry-after", "")), 1.0), 3600.0)
        except ValueError:
            return None


class Http:
    """Connections of one line. `who` is how errors name the other side.

    Every request has its own connection: one that was kept may be dead already, and nobody could tell what became of
    what was sent over it. Nothing is ever asked twice by itself.
    """

    def __init__(self, who: str, timeout_s: float) -> None:
        self._who, self._timeout_s = who, timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, url: str, *, handing_over: bool = False, most: int = MOST_ANSWER, **more: Any
    ) -> Answered:
        """One request and its answer, whatever its status; `more` as aiohttp takes it (`params json data headers`).

        Raises `Unreachable` when nothing arrived; after that `Uncertain` if something was handed over, for it may have
        been taken; `BadSettings` for an address that cannot be asked; `Rejected` when the answer is larger than `most`.
        """
        more.setdefault("allow_redirects", method == "GET")
        try:
            async with self._connected().request(method, url, **more) as response:
                body = await self._read(response, most, handing_over)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise BadSettings(
                f"the address of {self._who} is none that can be asked", remedy="Correct the address in the line."
            ) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"{self._who} cannot be reached ({type(error).__name__})") from error
        except (aiohttp.ClientError, _BrokeOff, TimeoutError, OSError) as error:
            reason = f"{self._who} broke off before it answered ({type(error).__name__})"
            raise (Uncertain if handing_over else Unreachable)(reason) from error
        return Answered(response.status, body, {name.lower(): value for name, value in response.headers.items()})

    async def _read(self, response: aiohttp.ClientResponse, most: int, handing_over: bool) -> bytes:
        """What was handed over is out, however much is answered: then the beginning will do."""
        body = bytearray()
        async for piece in response.content.iter_chunked(_PIECE):
            body += piece
            if len(body) > most and handing_over:
                break
            if len(body) > most:
                raise Rejected(f"{self._who} answers with more than {most / 1048576:.0f} MB")
        return bytes(body)

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _connected(self) -> aiohttp.ClientSession:
        """Made when first needed: connections belong to the loop that uses them."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=min(self._timeout_s, 10.0))
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_ask_once,),
                connector=aiohttp.TCPConnector(force_close=True),
            )
        return self._session


class _BrokeOff(Exception):
    """The connection broke after the request had begun to go out."""


async def _ask_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The library sends a GET again by itself when its connection breaks; here a GET may be a message."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokeOff(type(error).__name__) from error
