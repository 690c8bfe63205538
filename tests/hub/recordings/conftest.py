"""An office with two telephone exchanges: one whose recordings lie in a folder, one that gives them by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from channels.touch import Direction, Identity, Kind, Touch
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from tests.hub.api.caller import Caller, open_caller
from tests.hub.api.conftest import office
from tests.hub.office import IVANS_PHONE, Office, Row

__all__ = ["office"]

SOUND = bytes(range(256)) * 40


@dataclass
class WebServer:
    """The web server of a PBX: asks for a password, knows parts unless it is told not to."""

    folder: Path
    address: str = ""
    knows_parts: bool = True
    password: str = "Basic aHViOmdlaGVpbQ=="
    asked: int = 0

    async def give(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        self.asked += 1
        if request.headers.get("Authorization") != self.password:
            raise web.HTTPUnauthorized
        if request.match_info["path"] == "moved.wav":
            raise web.HTTPFound("http://127.0.0.1:1/elsewhere")
        path = self.folder / request.match_info["path"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path) if self.knows_parts else web.Response(body=path.read_bytes())


@dataclass
class Calls:
    """Calls of the office, on either exchange."""

    office: Office
    folder: Path
    server: WebServer

    def log(self, line: str = "pbx", **facts: Any) -> Row:
        """A call that ended a minute ago."""
        number = next(self.office.keys)
        at = self.office.clock() - timedelta(minutes=2)
        call = {"outcome": "answered", "operator": "anna", "ended_at": (at + timedelta(minutes=1)).isoformat(), **facts}
        if facts.get("ended_at", "") is None:
            del call["ended_at"]
        touch = Touch(
            line=line,
            event_key=f"{number}|ended",
            kind=Kind.CALL,
            direction=Direction.INBOUND,
            at=at,
            party=(Identity(IVANS_PHONE.scheme, IVANS_PHONE.value),),
            external_id=f"1795300200.{number}",
            operator=call["operator"],
            phase="ended",
            call=call,
        )
        return self.office.hear(touch)

    def record(self, name: str, data: bytes = SOUND) -> Path:
        """A file of the PBX."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def set_up(folder: Path, server: WebServer, **more: str) -> str:
    extra = "".join(f"{key} = {value}\n" for key, value in more.items())
    common = 'channel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = 1\nusername = "hub"\nsecret = "x"\n'
    return (
        f'[line.pbx]\n{common}recordings = "{folder}"\nvoicemail = "{folder}"\n{extra}'
        f'[line.far]\n{common}recordings = "{server.address}/rec/{{path}}"\nrecordings_user = "hub"\n'
        'recordings_password = "geheim"\n'
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WebServer]:
    found = WebServer(tmp_path / "far")
    found.folder.mkdir()
    app = web.Application()
    app.router.add_get("/rec/{path:.*}", found.give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
def calls(office: Office, server: WebServer, tmp_path: Path) -> Iterator[Calls]:
    folder = tmp_path / "rec"
    folder.mkdir()
    bring(office, set_up(folder, server))
    yield Calls(office, folder, server)


def bring(office: Office, text: str) -> None:
    """Import more of a set-up."""
    office.store.write_now(lambda unit: take(unit, read_setup([("pbx.toml", text)]), "test"))
    office.setup = office.store.read_now(load_setup)


@pytest.fixture
async def caller(calls: Calls, tmp_path: Path) -> AsyncIterator[Caller]:
    async with open_caller(calls.office, tmp_path) as opened:
        yield opened
