"""The bare skeleton that form leads are measured against: bare aiohttp, and the same four rows by raw sqlite3.

One writer thread commits what has queued up, as ours does, so that the comparison is of what is done per lead and not
of how often the disk is asked. `python -m tests.bench.skeleton PATH PORT`.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import sys
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

_TABLES = """
CREATE TABLE touch (id INTEGER PRIMARY KEY, line TEXT, event_key TEXT, at TEXT, body TEXT, UNIQUE (line, event_key));
CREATE TABLE client (id INTEGER PRIMARY KEY, name TEXT, created_at TEXT);
CREATE TABLE identity (id INTEGER PRIMARY KEY, client_id INTEGER, scheme TEXT, value TEXT, UNIQUE (scheme, value));
CREATE TABLE interaction (id INTEGER PRIMARY KEY, client_id INTEGER, at TEXT, text TEXT, fields TEXT);
"""
Piece = tuple[dict[str, str], asyncio.Future[int], asyncio.AbstractEventLoop]


class Writer(threading.Thread):
    """Writes four rows per lead; what waits is committed together."""

    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()

    def run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
        number = 0
        while True:
            pieces = [self.pieces.get()]
            while len(pieces) < 128 and not self.pieces.empty():
                pieces.append(self.pieces.get())
            connection.execute("BEGIN IMMEDIATE")
            for fields, _, _ in pieces:
                number += 1
                self._write(connection, number, fields)
            connection.execute("COMMIT")
            loop = pieces[0][2]
            loop.call_soon_threadsafe(_settle, pieces, number)

    def _write(self, connection: sqlite3.Connection, number: int, fields: dict[str, str]) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps(fields)
        connection.execute("INSERT INTO touch VALUES (?, 'form', ?, ?, ?)", (number, str(number), at, body))
        connection.execute("INSERT INTO client VALUES (?, ?, ?)", (number, fields["name"], at))
        connection.execute("INSERT INTO identity VALUES (?, ?, 'phone', ?)", (number, number, fields["phone"]))
        row = (number, number, at, fields["message"], body)
        connection.execute("INSERT INTO interaction VALUES (?, ?, ?, ?, ?)", row)


def _settle(pieces: list[Piece], number: int) -> None:
    for _, future, _ in pieces:
        future.set_result(number)


def build(path: str) -> web.Application:
    """The bare application."""
    writer = Writer(path)
    writer.start()

    async def post(request: web.Request) -> web.Response:
        fields = dict(parse_qsl((await request.read()).decode()))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        writer.pieces.put((fields, future, loop))
        return web.json_response({"interaction": await future}, status=201)

    app = web.Application()
    app.router.add_post("/forms/contact", post)
    return app


if __name__ == "__main__":
    web.run_app(build(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
