"""Answers the dialplan in time, whatever happens: a caller hears silence while it waits."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import Connection

from channels.contract import Question
from channels.exchange import ExchangeSettings
from hub.setup.live import LiveSetUp
from hub.setup.snapshot import SetUp
from hub.telephony.deciding import Way, decide, find_queue, read_caller, read_known
from hub.telephony.exchanges import is_exchange, rules_of
from storage.store import Store

log = structlog.get_logger(__name__)

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.@+*#:")


async def answer(store: Store, setup: LiveSetUp, line: str, question: Question) -> str:
    """`op/101`, a queue, `closed`, `blocked`; the queue of the line's team when in doubt; "" when none is known. With
    `question.priority`, a comma and the caller's priority follow."""
    way = await _find_way(store, setup, line, question)
    return f"{way.answer},{way.priority}" if way.answer and question.priority else way.answer


async def _find_way(store: Store, setup: LiveSetUp, line: str, question: Question) -> Way:
    current, now = setup.current, store.now()
    found = current.lines.get(line)
    if found is None or not is_exchange(found):
        return Way("", "no such line")
    rules = rules_of(found)
    default = find_queue(found, rules, found.team)
    try:
        async with asyncio.timeout(rules.route_timeout_s):
            way = await store.read_at_once(lambda connection: _decide(connection, current, line, rules, question, now))
    except Exception as error:  # the database is away, or slow: the call goes on
        log.warning("call_not_routed", line=line, did=question.did, error=repr(error), answer=default)
        return Way(default, "in doubt")
    if not set(way.answer) <= _PLAIN:
        log.warning("call_not_routed", line=line, error=f"{way.answer!r} cannot be told to a dialplan")
        return Way(default if set(default) <= _PLAIN else "", "in doubt")
    log.info("call_routed", line=line, did=question.did, uid=question.uid, answer=way.answer, why=way.why)
    return way


def _decide(
    connection: Connection, setup: SetUp, line: str, rules: ExchangeSettings, question: Question, now: datetime
) -> Way:
    known = read_known(connection, setup, rules, read_caller(rules, question), now)
    return decide(setup, line, rules, question, known, now)
