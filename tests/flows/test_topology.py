"""The topology of docker-compose.yml as plain processes: two of each role on PostgreSQL and Valkey, real mail peers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar
from redis import Redis

from tests.flows.house import OFFICE, support_line
from tests.flows.letters import letter
from tests.flows.processes import HubProcess, touchline
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.missing import PeerMissing, do_without
from tests.peers.postgres import Postgres
from tests.peers.smtp import SmtpServer
from tests.peers.valkey import Valkey

pytestmark = pytest.mark.timeout(400)
Row = dict[str, Any]


@dataclass(slots=True)
class Topology:
    """Six processes and their servers."""

    home: Path
    url: str
    valkey: Valkey
    box: Mailbox
    imap_port: int
    smtp: SmtpServer
    token: str
    parts: dict[str, list[HubProcess]] = field(default_factory=dict)

    @property
    def one(self) -> HubProcess:
        return self.parts["serve"][0]

    @property
    def two(self) -> HubProcess:
        return self.parts["serve"][1]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the database from outside."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    async def wait_for(self, what: str, seen: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait for something to become true; what it became."""
        deadline = time.monotonic() + seconds
        while not (found := await asyncio.to_thread(seen)):
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {each.role}\n{each.log}" for group in self.parts.values() for each in group)
                raise AssertionError(f"not within {seconds} s: {what}\n{logs}")
            await asyncio.sleep(0.05)
        return found

    def listener(self) -> HubProcess | None:
        """Which process holds the mailbox, if it runs."""
        rows = self.query("SELECT holder FROM line_health WHERE state = 'running' AND held_until > now()")
        pids = {int(holder.split(":")[1]) for (holder,) in rows if holder}
        return next((each for each in self.parts["listen"] if each.alive and each.pid in pids), None)


@contextmanager
def open_topology(home: Path, postgres: Postgres, dovecot: Dovecot, smtp: SmtpServer) -> Iterator[Topology]:
    smtp.reset()
    with ExitStack() as stack:
        try:
            valkey = stack.enter_context(Valkey(durable=True))
        except PeerMissing as problem:
            do_without(problem)
        url, box = postgres.fresh_database(), dovecot.fresh_box()
        found = Topology(home, url, valkey, box, dovecot.imap_port, smtp, "")
        variables = {"database_url": url, "redis_url": valkey.url}
        touchline(home, "import", "-", text=OFFICE + support_line(dovecot, box, smtp.port), **variables)
        found.token = touchline(home, "token", "topology", **variables).strip()
        for role in ("serve", "listen", "work"):
            found.parts[role] = [HubProcess(role, home, **variables) for _ in range(2)]
        every = [each for group in found.parts.values() for each in group]
        with ThreadPoolExecutor(len(every)) as pool:
            for each in every:
                stack.callback(each.kill)
            list(pool.map(HubProcess.start, every))
        yield found


@dataclass(slots=True)
class Stage:
    """The topology that the tests of this file share, until one of them has to be played again."""

    open: Callable[[], AbstractContextManager[Topology]]
    closing: ExitStack = field(default_factory=ExitStack)
    current: Topology | None = None

    def take(self, *, anew: bool) -> Topology:
        if anew:
            self.close()
        if self.current is None:
            self.current = self.closing.enter_context(self.open())
        return self.current

    def close(self) -> None:
        self.current = None
        self.closing.close()


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, dovecot: Dovecot, smtp_for_all: SmtpServer
) -> Iterator[Stage]:
    found = Stage(lambda: open_topology(tmp_path_factory.mktemp("topology"), postgres, dovecot, smtp_for_all))
    yield found
    found.close()


@pytest.fixture
def topology(stage: Stage, request: pytest.FixtureRequest) -> Topology:
    """What a failed test left behind (a dead process, a mail that is there already) spoils no second try."""
    return stage.take(anew=getattr(request.node, "execution_count", 1) > 1)


@asynccontextmanager
async def calling(topology: Topology) -> AsyncIterator[Callable[..., Awaitable[Row]]]:
    """An API client."""
    async with ClientSession(headers={"Authorization": f"Bearer {topology.token}"}, timeout=ClientTimeout(60)) as http:

        async def call(method: str, address: str, body: Any = None) -> Row:
            async with http.request(method, address, json=body) as answer:
                told: Row = await answer.json()
                assert answer.status < 300, told
                return told

        yield call


async def post_form(hub: HubProcess, message: str) -> Row:
    fields = {"name": "Иван", "email": f"{abs(hash(message))}@client.example", "message": message}
    async with ClientSession() as http, http.post(f"{hub.address}/forms/contact", data=fields) as answer:
        told: Row = await answer.json()
        assert answer.status == 201, told
        return told


async def write_and_find(topology: Topology, subject: str) -> Row:
    """A client's mail, once the API shows it."""
    topology.box.deliver(letter("Где мой заказ?", to=topology.box.address, subject=subject))
    async with calling(topology) as call:
        deadline = time.monotonic() + 60
        while True:
            found = await call("GET", f"{topology.two.address}/api/v1/interactions?line=support-mail&limit=50")
            for each in found["items"]:
                if each["subject"] == subject:
                    return dict(each)
            assert time.monotonic() < deadline, f"{subject} is not in the log"
            await asyncio.sleep(0.1)


async def reply(topology: Topology, conversation: int, text: str = "Едет.") -> int:
    async with calling(topology) as call:
        told = await call("POST", f"{topology.one.address}/api/v1/conversations/{conversation}/replies", {"text": text})
        return int(told["delivery"])


async def wait_until_sent(topology: Topology, deliveries: list[int], seconds: float = 60.0) -> None:
    wanted = ", ".join(map(str, deliveries))
    query = f"SELECT count(*) FROM delivery WHERE id IN ({wanted}) AND state = 'sent'"
    await topology.wait_for("sent", lambda: topology.query(query)[0][0] == len(deliveries), seconds)


async def test_a_form_and_a_mail_go_through_and_an_answer_goes_out(topology: Topology) -> None:
    told = await post_form(topology.one, "Заявка через один процесс")
    async with calling(topology) as call:
        seen = await call("GET", f"{topology.two.address}/api/v1/interactions/{told['interaction']}")
        assert seen["text"].endswith("Заявка через один процесс")
        promises = await call("GET", f"{topology.two.address}/api/v1/obligations?state=open&client={seen['client']}")
        assert [each["state"] for each in promises["items"]] == ["running"]
    asked = await write_and_find(topology, "Первый вопрос")
    number = await reply(topology, asked["conversation"])
    await wait_until_sent(topology, [number])
    mail = message_from_bytes(topology.smtp.received[-1].raw, policy=policy.default)
    assert mail["Subject"] == "Re: Первый вопрос"
    await topology.wait_for(
        "the promise is met",
        lambda: topology.query(f"SELECT 1 FROM obligation WHERE started_by = {asked['id']} AND state = 'met'"),
    )


async def test_every_process_answers_its_probes(topology: Topology) -> None:
    async with ClientSession() as http:
        for hub in topology.parts["serve"]:
            for path, word in (("/healthz", "ok"), ("/readyz", "ready")):
                async with http.get(f"{hub.address}{path}") as answer:
                    assert (answer.status, (await answer.json())["status"]) == (200, word)


async def test_what_one_web_process_writes_is_told_live_by_the_other(topology: Topology) -> None:
    async with desk(topology, topology.two) as events:
        told = await post_form(topology.one, "Живое событие")
        await hears(events, "interaction", told["interaction"])


async def test_one_worker_killed_in_the_middle_loses_nothing(topology: Topology) -> None:
    asked = await write_and_find(topology, "Много ответов")
    before = len(topology.smtp.received)
    topology.smtp.delay(0.3)
    numbers = [await reply(topology, asked["conversation"], f"Ответ {each}") for each in range(12)]
    victim, other = topology.parts["work"]
    await topology.wait_for("somebody sends", lambda: len(topology.smtp.received) > before)
    pid = victim.pid
    await asyncio.to_thread(victim.kill)
    topology.smtp.delay(0)
    # The dead worker's claims run out after three minutes; we do not wait so long.
    expired = f"UPDATE job SET claimed_until = now() - interval '1 second' WHERE claimed_by LIKE '%:{pid}:%'"
    await asyncio.to_thread(topology.query, expired)
    wanted = ", ".join(map(str, numbers))
    pending = f"SELECT count(*) FROM delivery WHERE id IN ({wanted}) AND state = 'pending'"
    await topology.wait_for("nothing is pending", lambda: topology.query(pending)[0][0] == 0)
    states = dict(topology.query(f"SELECT id, state FROM delivery WHERE id IN ({wanted})"))
    ids = [str(message_from_bytes(each.raw)["Message-ID"]).strip() for each in topology.smtp.received[before:]]
    assert len(ids) == len(set(ids)), "one mail went out twice"
    assert set(states.values()) <= {"sent", "unknown"}
    assert list(states.values()).count("sent") >= len(numbers) - 8, "a worker has eight jobs at once"
    assert len(ids) >= list(states.values()).count("sent")
    assert other.alive
    await asyncio.to_thread(victim.start)


async def test_redis_away_for_a_while_stops_nothing(topology: Topology) -> None:
    asked = await write_and_find(topology, "До перерыва")
    await asyncio.to_thread(topology.valkey.kill)
    told = await post_form(topology.one, "Без звонка")
    assert told["interaction"]
    number = await reply(topology, asked["conversation"], "Отправлено без Redis")
    await wait_until_sent(topology, [number])
    during = await write_and_find(topology, "Во время перерыва")
    assert during["conversation"]
    await asyncio.sleep(3)
    await asyncio.to_thread(topology.valkey.start)
    assert all(each.alive for group in topology.parts.values() for each in group)
    await asyncio.sleep(3)
    async with desk(topology, topology.two) as events:
        told = await post_form(topology.one, "Снова слышно")
        await hears(events, "interaction", told["interaction"])
    before = _rings_heard(topology)
    number = await reply(topology, asked["conversation"], "Снова со звонком")
    await wait_until_sent(topology, [number])
    await topology.wait_for("a worker heard the bell", lambda: _rings_heard(topology) > before)


async def test_a_mailbox_is_listened_to_by_one_process_and_taken_over(topology: Topology) -> None:
    holder = await topology.wait_for("somebody listens", topology.listener)
    assert isinstance(holder, HubProcess)
    (other,) = [each for each in topology.parts["listen"] if each is not holder]
    assert _connections(topology, holder) > 0
    assert _connections(topology, other) == 0
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        await topology.wait_for("the other has taken over", lambda: topology.listener() is other)
        assert await write_and_find(topology, "Нашёл другой")
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    await topology.wait_for("the one that woke up has let go", lambda: _connections(topology, holder) == 0)
    assert topology.listener() is other
    assert topology.query("SELECT count(*) FROM interaction WHERE subject = 'Нашёл другой'") == [(1,)]
    stopped = other.pid
    await asyncio.to_thread(other.stop)
    held = topology.query("SELECT holder FROM line_health WHERE held_until > now()")
    assert str(stopped) not in [str(each).split(":")[1] for (each,) in held], "a clean stop lets go of the line"
    await topology.wait_for("the first listens again", lambda: topology.listener() is holder)
    assert await write_and_find(topology, "Снова первый")
    await asyncio.to_thread(other.start)


def _rings_heard(topology: Topology) -> int:
    """How many jobs of arq were done (each leaves the queue then)."""
    with Redis.from_url(topology.valkey.url) as redis:
        counted = cast(dict[str, Any], redis.info("commandstats"))
    return int(counted.get("cmdstat_zrem", {}).get("calls", 0))


def _connections(topology: Topology, hub: HubProcess) -> int:
    """Open IMAP connections of a process (its sockets towards the mail server)."""
    inodes = {
        link.split("[")[1].rstrip("]")
        for link in (_read_link(each) for each in Path(f"/proc/{hub.pid}/fd").iterdir())
        if link.startswith("socket:[")
    }
    port = f":{topology.imap_port:04X}"
    found = 0
    for line in Path(f"/proc/{hub.pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[2].endswith(port) and words[3] == "01" and words[9] in inodes:
            found += 1
    return found


def _read_link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


@asynccontextmanager
async def desk(topology: Topology, hub: HubProcess) -> AsyncIterator[asyncio.Queue[Row]]:
    """An open desk of vera's on one of the web processes: the events that its page hears."""
    variables = {"database_url": topology.url, "redis_url": topology.valkey.url, "public_url": hub.address}
    link = (await asyncio.to_thread(lambda: touchline(topology.home, "sign-in", "vera", **variables))).strip()
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(None)) as http:
        async with http.get(link) as page:
            assert page.status == 200, await page.text()
        events: asyncio.Queue[Row] = asyncio.Queue()
        async with http.get(f"{hub.address}/desk/events") as stream:
            assert stream.status == 200

            async def read() -> None:
                async for line in stream.content:
                    if line.startswith(b"data: ["):
                        for event in json.loads(line[5:]):
                            events.put_nowait(event)

            await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 60)
            reading = asyncio.create_task(read())
            try:
                yield events
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def hears(events: asyncio.Queue[Row], subject: str, number: int) -> None:
    async with asyncio.timeout(60):
        while True:
            heard = await events.get()
            if (heard.get("subject"), str(heard.get("id"))) == (subject, str(number)):
                return
