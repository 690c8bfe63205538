"""A program that calls the API of a small office."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from yarl import URL

from hub import api
from hub.access.tokens import make_token
from hub.composition import HUB, Hub
from hub.intake import Intake
from hub.listeners import Listeners
from hub.live import Live
from hub.settings import Settings
from hub.setup.live import LiveSetUp
from tests.hub.office import Office

Json = dict[str, Any]


@dataclass(slots=True)
class Answer:
    """Status, body and headers."""

    status: int
    body: Any
    headers: Any

    @property
    def error(self) -> Json:
        assert set(self.body) == {"error"}
        assert set(self.body["error"]) == {"code", "message", "field", "remedy"}
        found: Json = self.body["error"]
        return found


@dataclass(slots=True)
class Caller:
    """`token` is sent along; change it to call as somebody else."""

    office: Office
    address: str
    http: ClientSession
    token: str | None

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One call; `more` goes to aiohttp."""
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        url = URL(self.address + path, encoded=True) if "params" not in more else URL(self.address + path)
        async with self.http.request(method, url, headers=headers, **more) as answer:
            data = await answer.read()
            is_json = answer.content_type == "application/json"
            return Answer(answer.status, json.loads(data) if is_json else data, answer.headers)

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a successful GET."""
        answer = await self.call("GET", f"/api/v1{path}", params={key: str(value) for key, value in params.items()})
        assert answer.status == 200, answer.body
        return answer.body

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        """The body of a successful POST."""
        answer = await self.call("POST", f"/api/v1{path}", body)
        assert answer.status == status, answer.body
        return answer.body

    async def patch(self, path: str, body: Any) -> Any:
        """The body of a successful PATCH."""
        answer = await self.call("PATCH", f"/api/v1{path}", body)
        assert answer.status == 200, answer.body
        return answer.body

    def become(self, role: str) -> None:
        """Call with a token of another role."""
        self.token = self.office.store.write_now(lambda unit: make_token(unit, f"test-{role}", role))


def build_app(office: Office, home: Path) -> web.Application:
    """The API alone over an office's store."""
    settings = Settings(home=home)
    setup = LiveSetUp.open(office.store)
    intake = Intake(office.store, lambda: setup.current)
    listeners = Listeners(settings, office.store, setup, intake.deliver)
    app = web.Application(middlewares=api.middlewares(), client_max_size=32 * 1024 * 1024)
    app[HUB] = Hub(settings, office.store, setup, Live(), intake, listeners)
    app.add_routes(api.routes())
    return app


@asynccontextmanager
async def open_caller(office: Office, home: Path) -> AsyncIterator[Caller]:
    """Serve and call."""
    if not office.store.lane.alive:
        office.store.lane.start()
    limits = {"max_line_size": 256 * 1024, "max_field_size": 256 * 1024}
    runner = web.AppRunner(build_app(office, home), access_log=None, shutdown_timeout=0.5, **limits)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with ClientSession() as http:
        caller = Caller(office, f"http://127.0.0.1:{port}", http, None)
        caller.become("admin")
        yield caller
    await runner.cleanup()
    await asyncio.to_thread(office.store.lane.close)
