"""Going to the desk without a browser: what a person without scripts can do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar, FormData

from tests.hub.desk.office import Office

_TOKEN = re.compile(r'name="csrf" (?:value|content)="([^"]*)"')


@dataclass(slots=True)
class Answer:
    """What came back; redirects are not followed."""

    status: int
    text: str
    headers: Any

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


@dataclass(slots=True)
class Visit:
    """One browser's cookies. `token` is what its forms bring along."""

    office: Office
    http: ClientSession
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        """A page."""
        url = path if path.startswith("http") else self.office.address + path
        async with self.http.get(url, allow_redirects=False, headers={**self.headers, **headers}) as response:
            answer = await _read(response)
        found = _TOKEN.search(answer.text)
        if found:
            self.token = found[1]
        return answer

    async def post(self, path: str, fields: Any = None, *, token: str | None = None, **headers: str) -> Answer:
        """A form of ours, with its token."""
        url = path if path.startswith("http") else self.office.address + path
        brought = self.token if token is None else token
        if isinstance(fields, FormData):
            headers["X-CSRF-Token"] = brought
            data: Any = fields
        else:
            data = [("csrf", brought), *(fields.items() if isinstance(fields, dict) else fields or ())]
        async with self.http.post(
            url, data=data, allow_redirects=False, headers={**self.headers, **headers}
        ) as response:
            return await _read(response)

    async def sign_in(self, operator: str) -> None:
        """By a one-time link."""
        link = await self.office.link(operator)
        assert (await self.get(link)).status == 303
        assert (await self.get("/desk")).status == 200


async def _read(response: ClientResponse) -> Answer:
    return Answer(response.status, (await response.read()).decode("utf-8", "replace"), response.headers)


@asynccontextmanager
async def visit(office: Office, operator: str | None = None, **headers: str) -> AsyncIterator[Visit]:
    """Somebody comes; signed in when `operator` is given."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        visitor = Visit(office, http, headers={name.replace("_", "-"): value for name, value in headers.items()})
        if operator is not None:
            await visitor.sign_in(operator)
        yield visitor
