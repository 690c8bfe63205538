"""The peers as pytest fixtures; README.md in this folder says how to use each.

A session-scoped server starts when the first test asks for it. ``own_…`` fixtures start a server for one test only,
for tests that stop, freeze or kill it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.async_api import Browser, Page

from tests.peers.asterisk import Asterisk
from tests.peers.certificates import Certificate, make_certificate
from tests.peers.chromium import DESKTOP, PHONE, open_browser, open_page
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.mariadb import MariaDb
from tests.peers.missing import PeerMissing, do_without
from tests.peers.postfix import Postfix
from tests.peers.postgres import Postgres
from tests.peers.smtp import SmtpServer
from tests.peers.valkey import Valkey

Server = TypeVar("Server", bound=AbstractContextManager[object])


def _serve(start: Callable[[], Server]) -> Iterator[Server]:
    try:
        server = start()
    except PeerMissing as problem:
        do_without(problem)
    with server:
        yield server


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """The self-signed certificate of the mail peers: trust ``certificate.chain``."""
    try:
        return make_certificate()
    except PeerMissing as problem:
        do_without(problem)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for the whole run, quick rather than durable."""
    yield from _serve(Postgres)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """PostgreSQL for one test, with fsync on: kill it at will."""
    yield from _serve(lambda: Postgres(durable=True))


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh empty PostgreSQL database for one test."""
    url = postgres.fresh_database()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh empty database for one test; the test runs once per kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'touchline.db'}"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """MariaDB for the whole run."""
    yield from _serve(MariaDb)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """Valkey for the whole run."""
    yield from _serve(Valkey)


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """Valkey for one test, with an append-only file: kill it at will."""
    yield from _serve(lambda: Valkey(durable=True))


@pytest.fixture
def valkey_url(valkey: Valkey) -> str:
    """The address of an empty Valkey."""
    valkey.empty()
    return valkey.url


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """Dovecot for the whole run; take a mailbox of your own with ``fresh_box()`` or the fixture `box`."""
    yield from _serve(Dovecot)


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    """Dovecot for one test: stop, freeze or kill it at will."""
    yield from _serve(Dovecot)


@pytest.fixture
def box(dovecot: Dovecot) -> Mailbox:
    """A mailbox that no other test uses."""
    return dovecot.fresh_box()


@pytest.fixture(scope="session")
def smtp_for_all() -> Iterator[SmtpServer]:
    """The scripted SMTP server of the run; ask for `smtp` instead."""
    yield from _serve(SmtpServer)


@pytest.fixture
def smtp(smtp_for_all: SmtpServer) -> Iterator[SmtpServer]:
    """A scripted SMTP server with nothing received and nothing refused."""
    smtp_for_all.reset()
    yield smtp_for_all
    smtp_for_all.reset()


@pytest.fixture(scope="session")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    """Postfix for the whole run, delivering into `dovecot`."""
    yield from _serve(lambda: Postfix(dovecot))


@pytest.fixture(scope="session")
def asterisk() -> Iterator[Asterisk]:
    """An Asterisk for the whole run: take a desk of it that no other test takes."""
    yield from _serve(Asterisk)


@pytest.fixture
def own_asterisk() -> Iterator[Asterisk]:
    """An Asterisk for one test: stop, freeze or kill it at will."""
    yield from _serve(Asterisk)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for one test."""
    opened = open_browser()
    try:
        running = await opened.__aenter__()
    except PeerMissing as problem:
        do_without(problem)
    yield running
    await opened.__aexit__(None, None, None)


@pytest.fixture
async def page(browser: Browser) -> Page:
    """A page as wide as a desk's screen (1280x800)."""
    return await open_page(browser, DESKTOP)


@pytest.fixture
async def phone(browser: Browser) -> Page:
    """A page as wide as a phone (390x844), with touch."""
    return await open_page(browser, PHONE)
