"""What a failed request means: nothing arrived, or nobody can know; never asked twice, never swallowed whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from channels.errors import BadSettings, ChannelError, Rejected, Uncertain, Unreachable
from channels.http import Http
from tests.peers.workshop import free_port


class Site:
    """Answers `/say`, breaks off at `/hang-up`, says too much at `/flood`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        await request.read()
        if request.path == "/hang-up":
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/flood":
            return web.Response(body=b"x" * 5000)
        return web.json_response({"тест": 1}, headers={"Retry-After": "7"})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site, app = Site(), web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


async def test_an_answer_is_read(site: Site) -> None:
    http = Http("the vendor", 5)
    answered = await http.ask("POST", f"{site.url}/say", json={"a": 1})
    await http.close()
    assert (answered.status, answered.data, answered.retry_after) == (200, {"тест": 1}, 7.0)


@pytest.mark.parametrize(
    ("method", "handing_over", "error"),
    [("GET", False, Unreachable), ("GET", True, Uncertain), ("POST", True, Uncertain), ("POST", False, Unreachable)],
)
async def test_a_connection_that_breaks_after_the_request(
    site: Site, method: str, handing_over: bool, error: type[ChannelError]
) -> None:
    http = Http("the vendor", 5)
    with pytest.raises(error, match="broke off"):
        await http.ask(method, f"{site.url}/hang-up", handing_over=handing_over)
    await http.close()
    assert type(error("")) is error and site.asked == [f"{method} /hang-up"]


async def test_nothing_arrived_where_nobody_listens() -> None:
    http = Http("the vendor", 5)
    with pytest.raises(Unreachable, match="the vendor cannot be reached"):
        await http.ask("POST", f"http://127.0.0.1:{free_port()}/", handing_over=True)
    await http.close()


@pytest.mark.parametrize("url", ["not an address", "ftp://127.0.0.1/x", "http://"])
async def test_an_address_that_is_none_needs_a_person(url: str) -> None:
    http = Http("the vendor", 5)
    with pytest.raises(BadSettings):
        await http.ask("GET", url)
    await http.close()


async def test_too_much_is_refused_but_what_was_handed_over_is_out(site: Site) -> None:
    http = Http("the vendor", 5)
    with pytest.raises(Rejected, match="more than"):
        await http.ask("GET", f"{site.url}/flood", most=1000)
    assert (await http.ask("POST", f"{site.url}/flood", most=1000, handing_over=True)).status == 200
    await http.close()
