"""A real aiohttp server on a free port with a hub in memory behind it."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, web

from tests.webforms.fake_hub import FakeHub
from webforms import FormSettings

CONTACT = {
    "title": {"ru": "Напишите нам", "uk": "Напишіть нам", "pl": "Napisz do nas", "en": "Write to us"},
    "origins": ["https://shop.example", "https://*.shop.example"],
    "fields": [
        {"name": "name", "kind": "text", "required": True},
        {"name": "phone", "kind": "phone"},
        {"name": "email", "kind": "email"},
        {"name": "message", "kind": "textarea", "required": True},
        {"name": "consent", "kind": "consent", "text": "Согласен", "version": "2026-11"},
    ],
    "limits": {"per_address": 0, "per_form": 0},
}


def form(**changes: object) -> FormSettings:
    """The contact form with other settings."""
    return FormSettings.model_validate(CONTACT | changes)


def golden(key: str) -> FormSettings:
    """A form of the sample set-up."""
    text = (Path(__file__).parents[1] / "golden" / "office.toml").read_text("utf-8")
    return FormSettings.model_validate(tomllib.loads(text)["form"][key])


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub(forms={"contact": form()})


@pytest.fixture
async def url(hub: FakeHub) -> AsyncIterator[str]:
    async for address in serve(hub.app()):
        yield address


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port."""
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
