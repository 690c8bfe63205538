"""A draft regulation over the real log of past weeks, before it is switched on. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from heapq import merge
from operator import attrgetter

from sqlalchemy import Connection

from hub.setup.definition import Definition, Version, newest, read_versions
from hub.setup.snapshot import SetUp, build_setup
from routing.past import Past, count_past
from routing.rehearse import Rehearsal, Report

Told = Callable[[int, int], None]
_SWITCHES = ("enforce_from", "enabled_from", "enabled")
_EVERY = 200


def rehearse(
    connection: Connection,
    draft: Iterable[Definition],
    since: datetime,
    now: datetime,
    told: Told = lambda done, total: None,
) -> Report:
    """What the draft's regulations would have done since an instant, with its calendars and people, if it has any.

    `told` hears how many touches are done, of how many. Raises `ValueError` for a draft without regulations.
    """
    definitions = list(draft)
    keys = {each.key for each in definitions if each.kind == "regulation"}
    if not keys:
        raise ValueError("the draft has no regulation")
    book = with_draft(connection, definitions, now).book
    total, done = count_past(connection, since), 0
    rehearsal = Rehearsal(book, keys)
    past = Past(connection, since)
    for happening in merge(past.happenings(), past.enrolments(rehearsal.book, now), key=attrgetter("at")):
        rehearsal.see(happening)
        done += happening.interaction is not None
        if done % _EVERY == 0:
            told(done, total)
    told(total, total)
    return rehearsal.finish(now)


def with_draft(connection: Connection, draft: Iterable[Definition], now: datetime) -> SetUp:
    """The set-up as it would be with the draft in force; when it would be switched on does not count."""
    versions = read_versions(connection)
    known = newest(versions)
    last = versions[-1].id if versions else 0
    fresh = []
    for number, each in enumerate((_switched_on(one) for one in draft), 1):
        before = known.get((each.kind, each.key))
        version = before.version + 1 if before else 1
        fresh.append(Version(last + number, each.kind, each.key, version, each.body, each.digest, now, "", False))
    return build_setup([*versions, *fresh])


def _switched_on(one: Definition) -> Definition:
    if one.kind != "regulation":
        return one
    return replace(one, body={name: value for name, value in one.body.items() if name not in _SWITCHES})
