"""token and sign-in: the secret alone on stdout, once, and good."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import clock
from hub.access.accounts import disable
from hub.access.tickets import use_ticket
from hub.access.tokens import find_token
from hub.cli.home import open_store
from hub.settings import Settings
from storage.store import Store
from tests.hub.cli.conftest import OFFICE, Touchline


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = open_store(Settings(home=home))
    yield opened
    opened.engines.dispose()


def test_a_token_stands_alone_on_stdout(touchline: Touchline, store: Store) -> None:
    ran = touchline("token", "website")
    assert ran.code == 0
    assert ran.out == ran.out.strip() + "\n"
    found = store.read_now(lambda connection: find_token(connection, ran.out.strip()))
    assert found is not None
    assert (found.name, found.role) == ("website", "admin")
    other = touchline("token", "desk", "--role", "operator").out.strip()
    found = store.read_now(lambda connection: find_token(connection, other))
    assert found is not None
    assert found.role == "operator"


def test_tokens_are_revoked_by_name(touchline: Touchline, store: Store) -> None:
    secret = touchline("token", "website").out.strip()
    assert touchline("token", "website", "--revoke").out == ""
    assert store.read_now(lambda connection: find_token(connection, secret)) is None
    assert touchline("token", "website", "--revoke").code == 1


def test_a_role_nobody_has(touchline: Touchline) -> None:
    ran = touchline("token", "x", "--role", "root")
    assert (ran.code, ran.out) == (2, "")
    assert "supervisor" in ran.err


def test_sign_in_prints_an_address_that_is_good_once(
    touchline: Touchline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    touchline("import", OFFICE)
    address = touchline("sign-in", "anna").out
    head, _, secret = address.strip().rpartition("/")
    assert head == "http://127.0.0.1:8080/sign-in/once"
    assert store.write_now(lambda unit: use_ticket(unit, "sign_in", secret)) == "anna"
    assert store.write_now(lambda unit: use_ticket(unit, "sign_in", secret)) is None
    monkeypatch.setenv("TOUCHLINE_PUBLIC_URL", "https://desk.example/")
    assert touchline("sign-in", "anna").out.startswith("https://desk.example/sign-in/once/")


def test_who_cannot_sign_in(touchline: Touchline, store: Store) -> None:
    assert "run --sample" in touchline("sign-in", "anna").err
    touchline("import", OFFICE)
    ran = touchline("sign-in", "ana")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "touchline: there is no operator 'ana'. Did you mean anna?\n"
    store.write_now(lambda unit: disable(unit, "anna", "test"))
    ran = touchline("sign-in", "anna")
    assert (ran.code, ran.out) == (1, "")
    assert "is disabled" in ran.err


def test_the_clock_is_in_utc() -> None:
    assert clock.now().utcoffset() is not None
