"""The dialplan asks over HTTP: who may, what it is told, and that nothing else is ever in the body."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from sqlalchemy import Connection

from channels.exchange import ExchangeSettings
from hub import api
from hub.composition import HUB, Hub
from hub.intake import Intake
from hub.listeners import Listeners
from hub.live import Live
from hub.settings import Settings
from hub.setup.crosscheck import crosscheck
from hub.setup.live import LiveSetUp
from hub.telephony.door import RouteDoor
from tests.hub.office import Office
from tests.hub.telephony.exchange import make_client, phone, show, with_exchange

CALLER = "+79161234567"
Ask = Callable[..., Any]


@pytest.fixture
def office(plain_office: Office) -> Office:
    """One kind of database will do: nothing here asks it anything of its own."""
    return plain_office


@asynccontextmanager
async def asking(office: Office, home: Path, **settings: Any) -> AsyncIterator[Ask]:
    """`ask(caller=…, did=…)` of the line `pbx`; answers status and body."""
    setup = LiveSetUp.open(office.store)
    intake = Intake(office.store, lambda: setup.current)
    own = Settings(home=home, **settings)
    listeners = Listeners(own, office.store, setup, intake.deliver)
    app = web.Application(middlewares=api.middlewares())
    app[HUB] = Hub(own, office.store, setup, Live(), intake, listeners)
    app.add_routes(RouteDoor().routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ClientSession() as http:

        async def ask(
            path: str = "/route/pbx", method: str = "GET", headers: dict[str, str] | None = None, **query: str
        ) -> tuple[int, str]:
            async with http.request(method, address + path, params=query, headers=headers) as answer:
                assert answer.content_type == "text/plain"
                return answer.status, await answer.text()

        try:
            yield ask
        finally:
            await runner.cleanup()


async def test_it_is_told_a_person_a_queue_or_nothing(office: Office, tmp_path: Path) -> None:
    with_exchange(office)
    make_client(office, CALLER, responsible="anna")
    show(office, phone("101"))
    async with asking(office, tmp_path) as ask:
        assert await ask(caller=CALLER, did="84951112233", uid="1.1", linkedid="1.1") == (200, "op/101")
        assert await ask("/route/pbx?caller=+79161234567") == (200, "op/101"), "a bare plus is a space there"
        assert await ask(caller="84957654321") == (200, "support")
        assert await ask() == (200, "support")
        assert await ask(caller="x" * 2_000) == (200, "support")
        assert await ask("/route/pbx?with=priority&caller=84957654321") == (200, "support,0")
        assert await ask("/route/nothing?with=priority") == await ask("/route/nothing") == (404, "")
        assert await ask("/route/support-mail") == (404, "")
        assert await ask("/route/pbx/more") == (404, "")
        assert await ask("/route") == (404, "")
        assert await ask(method="POST") == (404, "")


async def test_a_slow_database_is_not_waited_for(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_exchange(office, "route_timeout_s = 0.1")
    make_client(office, CALLER, responsible="anna")
    show(office, phone("101"))
    read, again = office.store.read_now, threading.Event()

    def slowly(query: Callable[[Connection], Any]) -> Any:
        again.wait()
        return read(query)

    async with asking(office, tmp_path) as ask:
        monkeypatch.setattr(office.store, "read_now", slowly)
        assert await ask(caller=CALLER) == (200, "support"), "the queue of the line's team"
        again.set()
        monkeypatch.setattr(office.store, "read_now", lambda query: 1 / 0)
        assert await ask(caller=CALLER) == (200, "support")
        monkeypatch.undo()
        assert await ask(caller=CALLER) == (200, "op/101")


async def test_strangers_are_told_nothing(office: Office, tmp_path: Path) -> None:
    with_exchange(office, 'route_from = ["192.0.2.0/24"]')
    async with asking(office, tmp_path) as ask:
        assert await ask(caller=CALLER) == (403, "")
    async with asking(office, tmp_path, trusted_proxies=("127.0.0.0/8",)) as ask:
        assert await ask(headers={"X-Forwarded-For": "192.0.2.7"}) == (200, "support")
        assert await ask(headers={"X-Forwarded-For": "192.0.2.7, 198.51.100.1"}) == (403, "")
    with_exchange(office)
    async with asking(office, tmp_path) as ask:
        assert await ask(headers={"X-Forwarded-For": "127.0.0.1"}) == (403, ""), "through a proxy that nobody trusts"
    async with asking(office, tmp_path, trusted_proxies=("127.0.0.0/8",)) as ask:
        assert await ask(headers={"X-Forwarded-For": "198.51.100.1"}) == (403, "")
        assert await ask() == (200, "support")


async def test_the_pbxs_own_host_may_ask(office: Office, tmp_path: Path) -> None:
    with_exchange(office, "")
    with_exchange(office, '[line.far]\nchannel = "asterisk"\nhost = "198.51.100.9"\nusername = "a"\nsecret = "b"')
    async with asking(office, tmp_path, trusted_proxies=("127.0.0.0/8",)) as ask:
        assert await ask("/route/far", headers={"X-Forwarded-For": "198.51.100.9"}) == (200, "")
        assert await ask("/route/pbx", headers={"X-Forwarded-For": "198.51.100.9"}) == (403, "")


async def test_a_token_opens_from_anywhere_and_nothing_else_does(office: Office, tmp_path: Path) -> None:
    with_exchange(office, 'route_token = "so-secret"')
    async with asking(office, tmp_path) as ask:
        assert await ask() == (403, "")
        assert await ask(token="wrong") == (403, "")
        assert await ask(token="so-secret") == (200, "support")
        assert await ask(headers={"Authorization": "Bearer so-secret"}) == (200, "support")


async def test_it_can_be_switched_off(office: Office, tmp_path: Path) -> None:
    with_exchange(office, "route_http = false")
    async with asking(office, tmp_path) as ask:
        assert await ask() == (404, "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("wrap_up", "soon"), ("wrap_up", "2 hours"), ("wrap_up", -1), ("wrap_up", "90 min")),
        *(("route_from", ["pbx"]), ("sticky_days", -1), ("route_timeout_s", 60)),
    ],
)
def test_what_cannot_be_meant_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        ExchangeSettings.model_validate({key: value})


def test_lengths_are_written_as_people_do() -> None:
    for written, seconds in (("30 s", 30), ("2 min", 120), ("1.5 min", 90), (45, 45), ("10 sec", 10)):
        assert ExchangeSettings.model_validate({"wrap_up": written}).wrap_up == seconds


def test_teams_that_are_not_there_are_told(plain_office: Office) -> None:
    with_exchange(plain_office, 'dids = { "100" = "nigth" }', 'areas = { "+7812" = "west" }')
    places = {notice.below for notice in crosscheck(plain_office.setup) if notice.kind == "line"}
    assert {("dids", "100"), ("areas", "+7812")} <= places
