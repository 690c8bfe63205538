"""Counts over an interval of the log, made by the database: calls, promises, first replies, rows.

Every query is bounded by an interval that an index finds (0004_figures): [since, until). Groups come back as the
database has them: quarters of an hour and local days, counted since 1970. The zone's offsets come with the interval.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    Connection,
    Float,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.sql.elements import ColumnElement

from storage.models import conversation, interaction, obligation, phone_time

QUARTER_S, DAY_S = 900, 86_400

By: TypeAlias = Literal["none", "quarter", "day", "operator", "team", "queue", "line", "channel"]
Key: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class Span:
    """What to count: an interval, and what it is narrowed by. None = any; `teams` = one of these.

    `offsets` are the seconds by which local time is ahead of UTC, each until an instant: ((until, seconds), …).
    """

    since: datetime
    until: datetime
    team: str | None = None
    operator: str | None = None
    queue: str | None = None
    line: str | None = None
    channel: str | None = None
    teams: tuple[str, ...] | None = None
    offsets: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that hold for a team, else `usual`."""

    usual: float
    of_team: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallRow:
    """So many calls alike. `tenths` is their wait in tenths of a second."""

    key: Key
    direction: str
    outcome: str
    reason: str | None
    in_time: bool
    short: bool
    tenths: int
    calls: int
    waited_s: float
    talk_s: float
    hold_s: float
    wrap_s: float


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """So many promises alike."""

    key: Key
    kept: int
    breached: int
    excused: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class TouchRow:
    """So many rows of the log."""

    key: Key
    direction: str
    rows: int


@dataclass(frozen=True, slots=True)
class TimeRow:
    """So many seconds of telephones in one kind of use: talk, wrap_up, ready, pause."""

    key: Key
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A conversation that a client began in writing; `replied_at` is None while it waits."""

    key: Key
    team: str | None
    first_at: datetime
    replied_at: datetime | None


def count_calls(connection: Connection, span: Span, by: By, within: Limits, short_under: Limits) -> Iterator[CallRow]:
    """Calls in and out that have ended."""
    call, row = interaction.c.call, interaction.c
    outcome, wait = call["outcome"].as_string(), func.coalesce(call["wait_s"].as_float(), 0.0)
    ended = or_(outcome == "missed", and_(outcome == "answered", or_(row.ended_at.is_not(None), _has(call, "talk_s"))))
    each = (
        select(
            _key(connection, span, by, row.at, _OF_LOG).label("key"),
            row.direction,
            outcome.label("outcome"),
            call["reason"].as_string().label("reason"),
            case((wait <= _limit(within), 1), else_=0).label("in_time"),
            case((wait < _limit(short_under), 1), else_=0).label("short"),
            cast(func.round(wait * 10), Integer).label("tenths"),
            wait.label("wait"),
            *(func.coalesce(call[name].as_float(), 0.0).label(name) for name in ("talk_s", "hold_s", "wrap_s")),
        )
        .where(row.kind == "call", row.at >= span.since, row.at < span.until)
        .where(row.direction != "internal", ended, *_narrowed(span, _OF_LOG))
        .subquery()
    )
    alike = [each.c[name] for name in ("key", "direction", "outcome", "reason", "in_time", "short", "tenths")]
    sums = [func.sum(each.c[name]) for name in ("wait", "talk_s", "hold_s", "wrap_s")]
    for found in connection.execute(select(*alike, func.count(), *sums).group_by(*alike)):
        key, direction, outcome_, reason, in_time, short, tenths, calls, *seconds = found
        yield CallRow(key, direction, outcome_, reason, bool(in_time), bool(short), tenths, calls, *map(float, seconds))


def count_promises(connection: Connection, span: Span, by: By) -> Iterator[PromiseRow]:
    """Promises whose due lies in the interval; line, channel and queue are those of what started them."""
    row = obligation.c
    late, closed = row.breached_at.is_not(None), row.state.in_(("met", "breached"))
    each = (
        select(
            _key(connection, span, by, row.due, _OF_CLOCK).label("key"),
            case((and_(row.state == "met", row.breached_at.is_(None)), 1), else_=0).label("kept"),
            case((and_(closed, late), 1), else_=0).label("breached"),
            case((and_(closed, late, row.excuse.is_not(None)), 1), else_=0).label("excused"),
            case((row.state == "cancelled", 1), else_=0).label("cancelled"),
        )
        .where(row.state.in_(("met", "breached", "cancelled")), row.due >= span.since, row.due < span.until)
        .where(*_narrowed(span, _OF_CLOCK))
    )
    if by in ("line", "channel", "queue") or span.line or span.channel or span.queue:
        each = each.outerjoin_from(obligation, interaction, interaction.c.id == row.started_by)
    inner = each.subquery()
    sums = [func.sum(inner.c[name]) for name in ("kept", "breached", "excused", "cancelled")]
    for key, *counts in connection.execute(select(inner.c.key, *sums).group_by(inner.c.key)):
        yield PromiseRow(key, *map(int, counts))


def count_touches(connection: Connection, span: Span, by: By) -> Iterator[TouchRow]:
    """Rows of the log, in and out; internal ones, notes and quarantine are left out."""
    row = interaction.c
    each = (
        select(_key(connection, span, by, row.at, _OF_LOG).label("key"), row.direction)
        .where(row.at >= span.since, row.at < span.until, row.direction != "internal")
        .where(row.kind != "note", row.quarantined_at.is_(None), *_narrowed(span, _OF_LOG))
        .subquery()
    )
    query = select(each.c.key, each.c.direction, func.count()).group_by(each.c.key, each.c.direction)
    for key, direction, rows in connection.execute(query):
        yield TouchRow(key, direction, rows)


def count_time(connection: Connection, span: Span, by: By, operators: Collection[str] | None) -> Iterator[TimeRow]:
    """What telephones were used for, by quarters of an hour; those of some operators (None: of all).

    Parts are quarters, days, operators, teams (their operators) or lines: time has no queue and no channel.
    """
    row = phone_time.c
    places: Places = {"operator": row.operator, "team": row.operator, "line": row.line}
    wanted = [row.line == span.line] if span.line is not None else []
    wanted += [row.operator == span.operator] if span.operator is not None else []
    wanted += [row.operator.in_(sorted(operators))] if operators is not None else []
    key = _key(connection, span, by, row.since, places)
    each = (
        select(key.label("key"), row.kind, row.seconds)
        .where(row.since >= span.since, row.since < span.until, *wanted)
        .subquery()
    )
    query = select(each.c.key, each.c.kind, func.sum(each.c.seconds)).group_by(each.c.key, each.c.kind)
    for found, kind, seconds in connection.execute(query):
        yield TimeRow(found, kind, float(seconds))


def read_replies(connection: Connection, span: Span, by: By) -> Iterator[ReplyRow]:
    """What clients began in writing, and when somebody first answered: one row for each conversation."""
    talk = conversation.c
    first, reply, joined = _beside() if connection.dialect.name == "postgresql" else _by_number()
    places = {"team": talk.team, "operator": reply.operator, "line": first.line, "channel": first.channel}
    query: Select[Any] = (
        select(_key(connection, span, by, first.at, places), talk.team, first.at, reply.at)
        .select_from(joined)
        .where(talk.opened_at >= span.since, talk.opened_at < span.until, talk.state != "junk")
        .where(*_narrowed(span, places))
    )
    for key, team, first_at, replied_at in connection.execute(query):
        yield ReplyRow(key, team, first_at, replied_at)


def _by_number() -> tuple[Any, Any, FromClause]:
    """The first message and its answer, looked up by their numbers."""
    first, reply = interaction.alias("first"), interaction.alias("reply")
    written, answer = interaction.alias("written"), interaction.alias("answer")
    of_first = _first_written(written, written.c.id).correlate(conversation).scalar_subquery()
    of_reply = _first_answer(answer, first.c.at, answer.c.id).correlate(conversation, first).scalar_subquery()
    joined = conversation.join(first, first.c.id == of_first).outerjoin(reply, reply.c.id == of_reply)
    return first.c, reply.c, joined


def _beside() -> tuple[Any, Any, FromClause]:
    """The same side by side: PostgreSQL reads the whole log twice to look numbers up. SQLite knows no LATERAL."""
    written, answer = interaction.alias("written"), interaction.alias("answer")
    told = (written.c.at, written.c.line, written.c.channel)
    first = _first_written(written, *told).correlate(conversation).lateral("first")
    reply = _first_answer(answer, first.c.at, answer.c.at, answer.c.operator).correlate(conversation, first)
    beside = reply.lateral("reply")
    return first.c, beside.c, conversation.join(first, true()).outerjoin(beside, true())


def _first_written(one: FromClause, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .where(one.c.conversation_id == conversation.c.id, one.c.direction == "inbound")
        .where(one.c.kind.in_(("message", "form", "letter", "fax")))
        .where(one.c.automatic.is_(None), one.c.quarantined_at.is_(None))
        .order_by(one.c.at, one.c.id)
        .limit(1)
    )


def _first_answer(one: FromClause, since: ColumnElement[Any], *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .where(one.c.conversation_id == conversation.c.id, one.c.direction == "outbound", one.c.at >= since)
        .where(one.c.automatic.is_(None), or_(one.c.kind != "call", one.c.call["outcome"].as_string() == "answered"))
        .order_by(one.c.at, one.c.id)
        .limit(1)
    )


Places: TypeAlias = Mapping[str, ColumnElement[Any]]

_OF_LOG: Places = {
    "team": interaction.c.team,
    "operator": interaction.c.operator,
    "queue": interaction.c.call["queue"].as_string(),
    "line": interaction.c.line,
    "channel": interaction.c.channel,
}
_OF_CLOCK: Places = {**_OF_LOG, "team": obligation.c.team, "operator": obligation.c.owner}


def _key(connection: Connection, span: Span, by: By, at: ColumnElement[Any], places: Places) -> ColumnElement[Any]:
    if by == "none":
        return literal("")
    if by == "quarter":
        return _seconds(connection, at) // QUARTER_S
    if by == "day":
        return (_seconds(connection, at) + _offset(span, at)) // DAY_S
    return places.get(by, null())


def _seconds(connection: Connection, at: ColumnElement[Any]) -> ColumnElement[int]:
    sqlite = connection.dialect.name == "sqlite"
    return cast(func.strftime("%s", at) if sqlite else func.floor(func.extract("epoch", at)), BigInteger)


def _offset(span: Span, at: ColumnElement[Any]) -> ColumnElement[int]:
    """By how much local time is ahead, at an instant of the row."""
    if len(span.offsets) < 2:
        return literal(span.offsets[0][1] if span.offsets else 0, BigInteger)
    *changing, (_, last) = span.offsets
    return case(*((at < until, literal(seconds, BigInteger)) for until, seconds in changing), else_=last)


def _narrowed(span: Span, places: Places) -> list[ColumnElement[bool]]:
    found = [
        places.get(name, null()) == value
        for name in ("team", "operator", "queue", "line", "channel")
        if (value := getattr(span, name)) is not None
    ]
    if span.teams is not None:
        found.append(places["team"].in_(span.teams))
    return found


def _limit(limits: Limits) -> ColumnElement[float]:
    if not limits.of_team:
        return literal(limits.usual, Float)
    whens = [(interaction.c.team == team, literal(value, Float)) for team, value in sorted(limits.of_team.items())]
    return case(*whens, else_=literal(limits.usual, Float))


def _has(call: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = call[name].as_float().is_not(None)
    return found
