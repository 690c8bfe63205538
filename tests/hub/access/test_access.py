"""Tokens, tickets, sessions and accounts, on both databases: what is revoked, used or old lets nobody in."""

import threading

import pytest
from sqlalchemy import select

from hub.access import accounts, passwords, sessions, tickets, tokens
from hub.access.keys import agrees, sign
from hub.access.sessions import Session
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.hub.access.conftest import Clock


def find(store: Store, clock: Clock, cookie: str) -> Session | None:
    return store.read_now(lambda connection: sessions.find_session(connection, cookie, clock.now()))


def sign_in(store: Store, operator: str = "anna") -> tuple[str, Session]:
    return store.write_now(lambda unit: sessions.start_session(unit, operator, "10.0.0.1", "Browser"))


def test_a_token_is_found_until_it_is_revoked(store: Store, clock: Clock) -> None:
    secret = store.write_now(lambda unit: tokens.make_token(unit, "site", "supervisor"))
    other = store.write_now(lambda unit: tokens.make_token(unit, "site"))
    found = store.read_now(lambda connection: tokens.find_token(connection, secret))
    assert found is not None
    assert (found.name, found.role, str(found.actor)) == ("site", "supervisor", "token:site")
    assert found.use_is_stale(clock.now())
    store.write_now(lambda unit: tokens.note_use(unit, found))
    again = store.read_now(lambda connection: tokens.find_token(connection, secret))
    assert again is not None
    assert not again.use_is_stale(clock.now())
    assert store.read_now(lambda connection: tokens.find_token(connection, secret + "x")) is None
    assert store.write_now(lambda unit: tokens.revoke_tokens(unit, "site")) == 2
    assert store.read_now(lambda connection: tokens.find_token(connection, secret)) is None
    assert store.read_now(lambda connection: tokens.find_token(connection, other)) is None
    assert [each.revoked_at for each in store.read_now(tokens.list_tokens)] == [clock.now()] * 2


def test_no_secret_is_stored(store: Store) -> None:
    secret = store.write_now(lambda unit: tokens.make_token(unit, "site"))
    ticket = store.write_now(lambda unit: tickets.make_ticket(unit, "sign_in", "anna"))
    cookie, _ = sign_in(store)
    for table in (models.token, models.ticket, models.session):
        kept = str(store.read_now(lambda connection, table=table: connection.execute(select(table)).all()))
        assert not any(each in kept for each in (secret, ticket, cookie))


def test_an_unknown_role_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no role is called 'root'"):
        store.write_now(lambda unit: tokens.make_token(unit, "x", "root"))


def test_a_ticket_is_good_once(store: Store, clock: Clock) -> None:
    secret = store.write_now(lambda unit: tickets.make_ticket(unit, "sign_in", "anna"))
    look = store.read_now(lambda connection: tickets.look_at_ticket(connection, "sign_in", secret, clock.now()))
    assert look == "anna"
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "invitation", secret)) is None
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "sign_in", secret)) == "anna"
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "sign_in", secret)) is None
    assert store.read_now(lambda c: tickets.look_at_ticket(c, "sign_in", secret, clock.now())) is None


def test_a_ticket_grows_old(store: Store, clock: Clock) -> None:
    secret = store.write_now(lambda unit: tickets.make_ticket(unit, "sign_in", "anna"))
    clock.pass_by(minutes=60)
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "sign_in", secret)) is None
    clock.pass_by(minutes=1)
    assert store.write_now(tickets.forget_tickets) == 1


def test_of_many_at_once_one_gets_the_ticket(store: Store) -> None:
    secret = store.write_now(lambda unit: tickets.make_ticket(unit, "sign_in", "anna"))
    got: list[str | None] = []

    def use() -> None:
        got.append(store.write_now(lambda unit: tickets.use_ticket(unit, "sign_in", secret)))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(filter(None, got)) == ["anna"]


def test_a_proof_is_spent_once(store: Store, clock: Clock) -> None:
    def spend(unit: Unit) -> bool:
        return tickets.spend_proof(unit, "proof", "contact", clock.now())

    assert [store.write_now(spend), store.write_now(spend)] == [True, False]


def test_sessions_idle_out_and_end(store: Store, clock: Clock) -> None:
    cookie, made = sign_in(store)
    assert find(store, clock, cookie) == made
    assert made.brings(made.csrf)
    assert not made.brings("ы")
    assert not made.brings(None)
    clock.pass_by(hours=11)
    assert made.seen_is_stale(clock.now())
    store.write_now(lambda unit: sessions.note_seen(unit, made))
    clock.pass_by(hours=11)
    assert find(store, clock, cookie) is not None
    clock.pass_by(hours=1)
    assert find(store, clock, cookie) is None
    assert store.write_now(sessions.forget_sessions) == 0
    clock.pass_by(minutes=1)
    assert store.write_now(sessions.forget_sessions) == 1


def test_a_session_ends_even_when_it_is_used_all_the_time(store: Store, clock: Clock) -> None:
    cookie, made = sign_in(store)
    for _ in range(28):
        clock.pass_by(hours=11.99)
        store.write_now(lambda unit: sessions.note_seen(unit, made))
    assert find(store, clock, cookie) is not None
    clock.pass_by(hours=1)
    assert find(store, clock, cookie) is None


def test_signing_out_here_and_everywhere(store: Store, clock: Clock) -> None:
    (here, mine), (there, _), (third, _) = sign_in(store), sign_in(store), sign_in(store)
    boris, _ = sign_in(store, "boris")
    store.write_now(lambda unit: sessions.end_session(unit, third))
    assert len(store.read_now(lambda connection: sessions.list_sessions(connection, "anna"))) == 2
    assert store.write_now(lambda unit: sessions.end_sessions(unit, "anna", but=mine)) == 1
    assert find(store, clock, here) is not None
    assert find(store, clock, there) is None
    assert find(store, clock, boris) is not None


def test_a_disabled_operator_is_out_at_once(store: Store, clock: Clock) -> None:
    cookie, _ = sign_in(store)
    link = store.write_now(lambda unit: tickets.make_ticket(unit, "password_reset", "anna"))
    store.write_now(lambda unit: accounts.disable(unit, "anna", "operator:vera"))
    assert find(store, clock, cookie) is None
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "password_reset", link)) is None
    assert store.read_now(accounts.disabled_operators) == {"anna"}
    late, _ = sign_in(store)
    assert find(store, clock, late) is None
    store.write_now(lambda unit: accounts.enable(unit, "anna"))
    assert find(store, clock, late) is not None


async def test_a_new_password_ends_everything_but_here(store: Store, clock: Clock) -> None:
    (here, mine), (there, _) = sign_in(store), sign_in(store)
    link = store.write_now(lambda unit: tickets.make_ticket(unit, "sign_in", "anna"))
    kept = await passwords.hash_password("правильный пароль")
    store.write_now(lambda unit: accounts.set_password(unit, "anna", kept, here=mine))
    assert find(store, clock, here) is not None
    assert find(store, clock, there) is None
    assert store.write_now(lambda unit: tickets.use_ticket(unit, "sign_in", link)) is None
    account = store.read_now(lambda connection: accounts.read_account(connection, "anna"))
    assert account.password_hash == kept
    assert kept not in repr(account)
    assert await passwords.password_fits("правильный пароль", account.password_hash)
    assert not await passwords.password_fits("Правильный пароль", account.password_hash)


async def test_nobody_has_no_password() -> None:
    assert not await passwords.password_fits("nobody has this password", None)


def test_what_belongs_to_an_operator_is_kept(store: Store, clock: Clock) -> None:
    def change(unit: Unit) -> None:
        accounts.set_signature(unit, "anna", "С уважением")
        accounts.set_preferences(unit, "anna", {"sound": False})
        accounts.note_sign_in(unit, "anna")

    store.write_now(change)
    account = store.read_now(lambda connection: accounts.read_account(connection, "anna"))
    assert (account.signature, account.preferences, account.seen_at) == ("С уважением", {"sound": False}, clock.now())
    assert store.read_now(lambda connection: accounts.read_account(connection, "boris")) == accounts.Account("boris")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 2000, "anna@example.org"])
def test_weak_passwords_are_told_why(password: str) -> None:
    assert passwords.judge_password(password, "Anna@example.org")


def test_a_good_password_is_taken() -> None:
    assert passwords.judge_password("четыре слова подряд") is None


def test_signatures_are_for_one_purpose() -> None:
    signature = sign(b"k", "mail", "text")
    assert signature == signature.lower()
    assert agrees(b"k", "mail", "text", signature.upper())
    assert not agrees(b"k", "form", "text", signature)
    assert not agrees(b"k", "mail", "text", "подпись")
    assert not agrees(b"other", "mail", "text", signature)
