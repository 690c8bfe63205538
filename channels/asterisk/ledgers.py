"""What the PBX wrote down itself (CDR, CEL, queue_log), from files or from tables, put together by call.

All of it is in the PBX's local time, mostly without saying so; a unique id holds the epoch, so that the difference is
the zone of that day.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from channels.asterisk.call import BY_KEY
from channels.asterisk.tables import Away, Table, is_address

_TAIL = 16 << 20
_QUARTER = 900
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})
_MOST_ASIDE = 3
# fmt: off
_CDR_CSV = [
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid",
]
"""Master.csv; cdr.conf must have loguniqueid, loguserfield and newcdrcolumns, else rows cannot be told apart."""
_CEL_CSV = [
    "eventtype", "eventtime", "cid_name", "cid_num", "cid_ani", "cid_rdnis", "cid_dnid", "exten", "context", "channame",
    "appname", "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype",
    "extra",
]
# fmt: on
"""As the sample of cel_custom.conf maps them."""
EXITS = {"EXITWITHTIMEOUT": "TIMEOUT", "EXITEMPTY": "LEAVEEMPTY", "EXITWITHKEY": BY_KEY}
"""How a queue lets a caller go: the word of the queue log -> QUEUESTATUS."""
_DISPOSITIONS = {"0": "NO ANSWER", "1": "NO ANSWER", "2": "FAILED", "4": "BUSY", "8": "ANSWERED", "16": "CONGESTION"}

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One dial attempt. Instants are UTC once the zone is known (`ledgers.Ledgers`)."""

    uid: str
    linkedid: str
    source: str
    destination: str
    context: str
    name: str
    channel: str
    dest_channel: str
    application: str
    application_data: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    userfield: str = ""


@dataclass(frozen=True, slots=True)
class CelRow:
    """One event of a channel."""

    name: str
    at: datetime
    uid: str
    linkedid: str
    channel: str
    number: str
    caller_name: str
    exten: str
    context: str
    application: str
    application_data: str
    extra: Mapping[str, Any]


@dataclass(slots=True)
class QueueStory:
    """What the queue log tells of one caller, oldest first: (at, queue, agent, event, data)."""

    uid: str
    lines: list[tuple[datetime, str, str, str, list[str]]] = field(default_factory=list)


@dataclass(slots=True)
class Ledgers:
    """Everything by the call's linked id, and what could not be read: kind -> why."""

    cdr: dict[str, list[CdrRow]] = field(default_factory=dict)
    cel: dict[str, list[CelRow]] = field(default_factory=dict)
    stories: dict[str, QueueStory] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def calls(self) -> list[str]:
        """The linked ids of all calls that are written down to their end."""
        ended = [linked for linked, rows in self.cel.items() if any(row.name == "LINKEDID_END" for row in rows)]
        return list(dict.fromkeys((*self.cdr, *ended)))

    def end_of(self, call: str) -> datetime | None:
        """When a call was over; None as long as that is not written down."""
        cel = self.cel.get(call, [])
        ends = [row.end for row in self.cdr.get(call, ())]
        ends += [row.at for row in cel if row.name == "LINKEDID_END"]
        if not ends:
            return None
        story = self.stories.get(call)
        return max([*ends, *(line[0] for line in (story.lines if story else ()))])


def read_ledgers(sources: Mapping[str, str], since: datetime) -> Ledgers:
    """`sources`: cdr, cel, queue_log -> a file or an address. Blocks; never raises for what the outside does."""
    found = Ledgers()
    for kind, source in sources.items():
        try:
            fields = list(_READ[kind](source, since))
        except Away as away:
            found.faults[kind] = str(away)
            continue
        if kind == "cdr":
            _group(found.cdr, filter(None, map(_cdr_row, fields)))
        elif kind == "cel":
            _group(found.cel, filter(None, map(_cel_row, fields)))
        else:
            _tell_stories(found.stories, fields)
    _settle_zones(found)
    return found


def _group(found: dict[str, list[Any]], rows: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for row in rows:
        mark = (row.uid, row.channel, row.start, row.dest_channel) if isinstance(row, CdrRow) else None
        if mark is not None and mark in seen:  # written twice, by two modules or into two places
            continue
        seen.add(mark)
        found.setdefault(row.linkedid, []).append(row)


def _read_csv(columns: list[str]) -> Callable[[str, datetime], Iterator[Fields]]:
    def read(source: str, since: datetime) -> Iterator[Fields]:
        for line in _lines(Path(source), since):
            with contextlib.suppress(csv.Error):  # a broken one does not take the others along
                yield dict(zip(columns, next(csv.reader([line])), strict=False))

    return read


def _read_queue_log(source: str, since: datetime) -> Iterator[Fields]:
    for line in _lines(Path(source), since):
        cells = line.split("|")
        if len(cells) >= 5:
            named = dict(zip(("time", "callid", "queuename", "agent", "event"), cells[:5], strict=True))
            yield {**named, **{f"data{number}": cell for number, cell in enumerate(cells[5:10], 1)}}


def _read(
    kind: str, from_file: Callable[[str, datetime], Iterator[Fields]]
) -> Callable[[str, datetime], Iterable[Fields]]:
    def read(source: str, since: datetime) -> Iterable[Fields]:
        return Table(source, kind).read(since) if is_address(source) else from_file(source, since)

    return read


_READ = {
    "cdr": _read("cdr", _read_csv(_CDR_CSV)),
    "cel": _read("cel", _read_csv(_CEL_CSV)),
    "queue_log": _read("queue_log", _read_queue_log),
}


def _lines(path: Path, since: datetime) -> Iterator[str]:
    """Of the file, and before it of those that logrotate has just put aside."""
    for one in (*_put_aside(path, since), path):
        yield from filter(None, _tail(one).split("\n"))


def _put_aside(path: Path, since: datetime) -> list[Path]:
    """`queue_log.1`, `queue_log-20261121`: those that were still written to at that time, oldest first."""
    found = []
    with contextlib.suppress(OSError):
        for one in path.parent.iterdir():
            if one.name.startswith((f"{path.name}.", f"{path.name}-")) and one.suffix not in _PACKED:
                changed = one.stat().st_mtime
                if changed >= since.timestamp():
                    found.append((changed, one))
    return [one for _, one in sorted(found)][-_MOST_ASIDE:]


def _tail(path: Path) -> str:
    """The end of a file that only grows; a first line that was cut, and a last one not yet whole, are left out."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _TAIL))
            data = file.read()
    except FileNotFoundError:
        return ""  # nothing was written yet
    except OSError as error:
        raise Away(f"{path}: {error.strerror}") from None
    if size > _TAIL:
        data = data.partition(b"\n")[2]
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace")


def _cdr_row(fields: Fields) -> CdrRow | None:
    uid = _text(fields, "uniqueid")
    start = _moment(fields.get("start") or fields.get("calldate"))
    if not uid or start is None:
        return None
    end = _moment(fields.get("end")) or start + timedelta(seconds=_number(fields.get("duration")))
    disposition = _text(fields, "disposition").upper()
    disposition = _DISPOSITIONS.get(disposition, disposition)
    answer = _moment(fields.get("answer"))
    if answer is None and (disposition == "ANSWERED" or _number(fields.get("billsec"))) and "answer" not in fields:
        answer = end - timedelta(seconds=_number(fields.get("billsec")))
    clid = _text(fields, "clid")
    return CdrRow(
        uid=uid,
        linkedid=_text(fields, "linkedid") or uid,
        source=_text(fields, "src") or clid.partition("<")[2].partition(">")[0],
        destination=_text(fields, "dst") or _text(fields, "did"),
        context=_text(fields, "dcontext"),
        name=clid.partition('"')[2].partition('"')[0],
        channel=_text(fields, "channel"),
        dest_channel=_text(fields, "dstchannel"),
        application=_text(fields, "lastapp"),
        application_data=_text(fields, "lastdata"),
        start=start,
        answer=answer,
        end=end,
        disposition=disposition,
        userfield=_text(fields, "userfield") or _text(fields, "recordingfile"),
    )


def _cel_row(fields: Fields) -> CelRow | None:
    at = _moment(fields.get("eventtime"))
    uid = _text(fields, "uniqueid")
    if at is None or not uid:
        return None
    return CelRow(
        name=_text(fields, "eventtype") or _text(fields, "eventname"),
        at=at,
        uid=uid,
        linkedid=_text(fields, "linkedid") or uid,
        channel=_text(fields, "channame"),
        number=_text(fields, "cid_num"),
        caller_name=_text(fields, "cid_name"),
        exten=_text(fields, "exten"),
        context=_text(fields, "context"),
        application=_text(fields, "appname"),
        application_data=_text(fields, "appdata"),
        extra=_extra(fields),
    )


def _extra(fields: Fields) -> Mapping[str, Any]:
    try:
        found = orjson.loads(_text(fields, "extra") or _text(fields, "eventextra") or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _tell_stories(found: dict[str, QueueStory], lines: Iterable[Fields]) -> None:
    for fields in lines:
        uid, at = _text(fields, "callid"), _moment(fields.get("time"))
        if at is None or uid in ("NONE", "REALTIME", "MANAGER", ""):
            continue
        data = [_text(fields, f"data{number}") for number in range(1, 6)]
        if not any(data) and "data" in fields:
            data = _text(fields, "data").split("|")
        while data and not data[-1]:
            data.pop()
        line = (at, _text(fields, "queuename"), _text(fields, "agent"), _text(fields, "event"), data)
        found.setdefault(uid, QueueStory(uid)).lines.append(line)


def _settle_zones(found: Ledgers) -> None:
    """The first row of a call begins when its unique id was made; a queue's story has the zone of its call, else it is
    judged by its own first line."""
    zones: dict[str, timedelta] = {}
    for linked, rows in found.cdr.items():
        first = min(rows, key=lambda row: (row.uid != linked, row.start))
        shift = zones[linked] = _shift(first.uid, first.start)
        if shift:
            found.cdr[linked] = [
                replace(row, start=row.start + shift, answer=row.answer and row.answer + shift, end=row.end + shift)
                for row in rows
            ]
    for linked, events in found.cel.items():
        first_event = min(events, key=lambda row: row.at)
        shift = _shift(first_event.uid, first_event.at)
        zones.setdefault(linked, shift)
        if shift:
            found.cel[linked] = [replace(row, at=row.at + shift) for row in events]
    for uid, story in found.stories.items():
        story.lines.sort(key=lambda line: line[0])
        shift = _shift(uid, story.lines[0][0])
        if shift and uid in zones:
            shift = zones[uid]
        if shift:
            story.lines = [(at + shift, *rest) for at, *rest in story.lines]  # type: ignore[misc]


def _shift(uid: str, start: datetime) -> timedelta:
    """What has to be added to be UTC, in whole quarters of an hour."""
    began = _epoch(uid.rpartition("-")[2])
    if began is None:
        return timedelta(0)
    quarters = round((began - start).total_seconds() / _QUARTER)
    return timedelta(seconds=quarters * _QUARTER) if abs(quarters) <= 60 else timedelta(0)


def _moment(value: Any) -> datetime | None:
    """A time as a driver or a file has it; without a zone it passes for UTC until the zone is known."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    text = str(value).strip() if value is not None else ""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return _epoch(text)
    if not text or text.startswith("0000"):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _epoch(text: str) -> datetime | None:
    try:
        seconds, _, fraction = text.partition(".")
        whole = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return whole + timedelta(microseconds=int((fraction + "000000")[:6])) if len(fraction) == 6 else whole


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value).strip()


def _number(value: Any) -> int:
    try:
        return int(float(value)) if value not in (None, "") else 0
    except (TypeError, ValueError, OverflowError):
        return 0
