"""FastAGI: the dialplan asks where a call goes, and is answered in time whatever happens, for AGI blocks the caller.

same => n,AGI(agi://hub:4573/route)        sets ROUTE to `op/101` or to a queue; leaves it alone when in doubt

and QUEUE_PRIO to the caller's priority, which Queue() obeys, where he has one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

import structlog

from channels.contract import Question

log = structlog.get_logger(__name__)

Route = Callable[[Question], Awaitable[str]]
_PATIENCE_S = 3.0
_MOST_HEADERS = 100
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.@+*#:")


class AgiServer:
    """Listens while the line does. `route` is asked with a time limit; its failure is no failure of the call."""

    def __init__(self, route: Route, told: Callable[[str, str], None], limit_s: float) -> None:
        self._route = route
        self._told = told
        self._limit_s = limit_s
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> None:
        """Raises `OSError` when the port cannot be had."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=8192)

    async def close(self) -> None:
        """Stop listening; questions being answered are dropped (the dialplan goes on at once)."""
        if self._server is not None:
            self._server.close()
            for talk in list(self._talks):
                talk.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is not None:
            self._talks.add(talk)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._talk(reader, writer)
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            pass  # the caller hung up, or it was no Asterisk
        finally:
            self._talks.discard(talk) if talk is not None else None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = _question(await _read_headers(reader))
        answer, _, priority = (await self._ask(question)).partition(",")
        if not set(answer) <= _PLAIN:
            return
        if answer and priority.isdecimal() and int(priority):
            await _set("QUEUE_PRIO", priority, reader, writer)
        if answer:
            self._told(question.linkedid, answer)
            await _set("ROUTE", answer, reader, writer)

    async def _ask(self, question: Question) -> str:
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._route(question)
        except Exception as error:
            log.warning("route_not_answered", caller=question.caller, did=question.did, error=repr(error))
            return ""


async def _set(name: str, value: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One variable of the channel. Asterisk answers each command with a line."""
    writer.write(f'SET VARIABLE {name} "{value}"\n'.encode())
    await writer.drain()
    await reader.readline()


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            break
        key, _, value = line.partition(": ")
        headers[key] = value
    return headers


def _question(headers: dict[str, str]) -> Question:
    """Arguments of the request (`agi://host/route?linkedid=…`, or AGI(agi://host/route,${CHANNEL(linkedid)})) help."""
    asked = dict(parse_qsl(urlsplit(headers.get("agi_request", "")).query))
    uid = headers.get("agi_uniqueid", "")
    caller = asked.get("caller") or headers.get("agi_callerid", "")
    did = asked.get("did") or headers.get("agi_extension", "")
    linkedid = asked.get("linkedid") or headers.get("agi_arg_1") or uid
    return Question("" if caller == "unknown" else caller, did, asked.get("uid") or uid, linkedid, priority=True)
