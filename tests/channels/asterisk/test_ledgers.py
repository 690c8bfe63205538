"""The PBX's own records: read from files and SQLite whatever their zone, told as calls, late or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from channels.asterisk.call import Call
from channels.asterisk.calls import Calls, Phase
from channels.asterisk.endpoints import Endpoints
from channels.asterisk.ledgers import read_ledgers
from channels.asterisk.lookback import LookBack
from channels.asterisk.settings import Settings
from channels.asterisk.tables import Table
from channels.touch import Direction

BEGAN = datetime(2026, 11, 21, 9, 15, 0, tzinfo=UTC)
UID = f"pbx1-{int(BEGAN.timestamp())}.7"
KEYS = {"101": "anna", "102": "boris"}
CDR = (
    "calldate clid src dst dcontext channel dstchannel lastapp lastdata duration billsec disposition uniqueid linkedid "
    "recordingfile"
).replace(" ", " TEXT, ")
QUEUE_LOG = "time callid queuename agent event data1 data2 data3 data4 data5".replace(" ", " TEXT, ")


def line(
    zone: float = 0, begin: float = 0, last: float = 20, dest: str = "PJSIP/101-00000001", **more: str
) -> dict[str, str]:
    """A row of Master.csv by column; seconds since the call's beginning, cut off as Asterisk does."""

    def local(seconds: float) -> str:
        return (BEGAN + timedelta(seconds=seconds, hours=zone)).strftime("%Y-%m-%d %H:%M:%S")

    row = {
        "accountcode": "", "src": "79161234567", "dst": "8001", "dcontext": "from-trunk",
        "clid": '"Ivan" <79161234567>',
        "channel": "PJSIP/trunk-00000000", "dstchannel": dest, "lastapp": "Queue", "lastdata": "support,t,,,7",
        "start": local(begin), "answer": local(begin), "end": local(last), "duration": str(int(last - begin)),
        "billsec": "10", "disposition": "ANSWERED", "amaflags": "", "uniqueid": UID, "userfield": "/rec/a.wav",
        "peeraccount": "", "linkedid": UID, "sequence": "1",
    }  # fmt: skip
    return {**row, **more}


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("a") as file:
        file.writelines(
            ",".join(f'"{cell}"'.replace('""Ivan"', '"""Ivan""') for cell in row.values()) + "\n" for row in rows
        )
    return path


def queue_log(path: Path, *told: tuple[float, str, str, str]) -> Path:
    with path.open("a") as file:
        for second, agent, event, data in told:
            file.write(f"{int((BEGAN + timedelta(seconds=second)).timestamp())}|{UID}|support|{agent}|{event}|{data}\n")
    return path


ABANDONED = ((1, "NONE", "ENTERQUEUE", "|79161234567|1"), (6, "NONE", "ABANDON", "1|1|5"))


def look_back(vanished: bool = False, **sources: Any) -> LookBack:
    calls = Calls(Endpoints("PJSIP/{extension}", lambda: KEYS), lambda: KEYS)
    settings = Settings(host="pbx", username="hub", secret="x", **sources)
    gone = {UID: Call(UID, BEGAN, direction=Direction.INBOUND)} if vanished else {}
    return LookBack(settings, calls, BEGAN - timedelta(seconds=30), BEGAN + timedelta(minutes=5), gone, {})


def twice(look: LookBack) -> Phase:
    assert look.tell(look.look()) == [], "a single look may have seen half of it"
    (phase,) = look.tell(look.look())
    assert look.tell(look.look()) == [], "told once"
    return phase


@pytest.mark.parametrize("zone", [-5, 0, 3, 5.75])
def test_the_zone_of_the_pbx_follows_from_its_unique_ids(tmp_path: Path, zone: float) -> None:
    rows = [line(zone, 0, 900, "PJSIP/102-2", disposition="NO ANSWER"), line(zone, 600, 900)]  # waited for long
    found = read_ledgers({"cdr": str(write(tmp_path / "cdr", *rows))}, BEGAN)
    first, second = found.cdr[UID]
    assert (first.start, second.start, second.end) == (
        BEGAN, BEGAN + timedelta(seconds=600), BEGAN + timedelta(seconds=900),
    )  # fmt: skip


@pytest.mark.parametrize("late", [0, 1])
def test_the_queue_log_may_tell_of_the_end_a_second_after_the_cdr(tmp_path: Path, late: int) -> None:
    """Both cut off what is below a second: a hang-up at 5.999 ends the CDR at 5 and the queue's story at 6."""
    cdr = write(tmp_path / "cdr", line(0, 0, 6 - late, disposition="NO ANSWER", userfield=""))
    phase = twice(look_back(cdr=cdr, queue_log=queue_log(tmp_path / "log", *ABANDONED)))
    assert (phase.facts["outcome"], phase.facts["reason"], phase.facts["ended_by"]) == ("missed", "abandoned", "caller")
    cdr = write(tmp_path / "cdr2", line(0, 0, 12 - late, userfield=""))
    told = [(1, "NONE", "ENTERQUEUE", ""), (3, "101", "CONNECT", f"2|{UID}x|1"), (12, "101", "COMPLETECALLER", "2|9|1")]
    phase = twice(look_back(cdr=cdr, queue_log=queue_log(tmp_path / "log2", *told)))
    assert (phase.facts["outcome"], phase.facts["ended_by"]) == ("answered", "caller")


def test_a_row_that_is_only_half_written_waits(tmp_path: Path) -> None:
    path = write(tmp_path / "cdr", line())
    whole = path.read_text()
    path.write_text(whole + whole[:40])
    assert len(read_ledgers({"cdr": str(path)}, BEGAN).cdr[UID]) == 1


def test_records_that_come_late_are_told_late(tmp_path: Path) -> None:
    path = tmp_path / "cdr"
    look = look_back(vanished=True, cdr=path)
    assert look.tell(look.look()) == []
    write(path, line(0, 0, 8, disposition="NO ANSWER"))
    assert look.tell(look.look()) == []
    write(path, line(0, 8, 20, "PJSIP/102-2"))  # the second attempt is written after the first
    assert look.tell(look.look()) == []
    (phase,) = look.tell(look.look())
    assert (phase.name, phase.facts["outcome"], phase.facts["operator"]) == ("ended", "answered", "boris")
    assert not look.vanished and look.give_up(BEGAN) == []


def test_what_was_given_up_is_corrected(tmp_path: Path) -> None:
    path = tmp_path / "cdr"
    look = look_back(vanished=True, cdr=path)
    look.tell(look.look())
    (lost,) = look.give_up(BEGAN)
    assert (lost.name, lost.facts["outcome"], lost.facts["reason"]) == ("ended", "missed", "failed")
    write(path, line())
    phase = twice(look)
    assert (phase.name, phase.facts["outcome"], phase.facts["reason"]) == ("completed", "answered", None)
    assert phase.key != lost.key


def test_calls_of_another_time_and_calls_that_were_seen_are_left_alone(tmp_path: Path) -> None:
    old, young = f"pbx1-{int(BEGAN.timestamp()) - 9000}.1", f"pbx1-{int(BEGAN.timestamp()) + 9000}.9"
    rows = [
        line(0, -9000, -8900, uniqueid=old, linkedid=old),
        line(0, 9000, 9100, uniqueid=young, linkedid=young),
        line(),
    ]
    look = look_back(cdr=write(tmp_path / "cdr", *rows))
    look.calls.done[UID] = Call(UID, BEGAN)
    for _ in range(3):
        assert look.tell(look.look()) == []


def sqlite(path: Path, table: str, columns: str, *rows: Mapping[str, Any]) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
        connection.commit()
    return f"sqlite:///{path}?table={table}" if table not in ("cdr", "queue_log") else f"sqlite:///{path}"


def test_cdr_and_queue_log_in_sqlite(tmp_path: Path) -> None:
    row = {
        "calldate": "2026-11-21 12:15:00", "clid": '"Ivan" <79161234567>', "src": "79161234567", "dst": "8001",
        "channel": "PJSIP/trunk-0", "dstchannel": "PJSIP/101-1", "lastapp": "Queue", "lastdata": "support",
        "duration": 14, "billsec": 14, "disposition": "ANSWERED", "uniqueid": UID, "linkedid": UID,
        "recordingfile": f"in-{UID}.wav",
    }  # fmt: skip
    log = [
        {"time": f"2026-11-21 12:15:{second:02}.250000", "callid": UID, "queuename": "support", "agent": agent,
         "event": event, "data1": data[0], "data2": data[1], "data3": data[2]}
        for second, agent, event, data in (
            (1, "NONE", "ENTERQUEUE", ("", "79161234567", "1")), (3, "PJSIP/101", "CONNECT", ("2", "x", "1")),
            (14, "PJSIP/101", "COMPLETEAGENT", ("2", "11", "1")),
        )
    ]  # fmt: skip
    phase = twice(
        look_back(
            cdr=sqlite(tmp_path / "calls.db", "cdr_archive", CDR, row, row),
            queue_log=sqlite(tmp_path / "queue.db", "queue_log", QUEUE_LOG, *log),
        )
    )
    facts = phase.facts
    assert (facts["outcome"], facts["operator"], facts["ended_by"]) == ("answered", "anna", "operator")
    assert (facts["wait_s"], facts["recording"], phase.at) == (2.0, f"in-{UID}.wav", BEGAN + timedelta(seconds=14.25))


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    look = look_back(
        cdr=write(tmp_path / "cdr", line()),
        cel=f"sqlite:///{tmp_path / 'none.db'}",
        queue_log="mysql://hub:geheim@127.0.0.1:1/x",
    )
    phase = twice(look)
    assert phase.facts["outcome"] == "answered"
    assert set(look.faults) == {"cel", "queue_log"} and "geheim" not in str(look.faults)
    empty = sqlite(tmp_path / "strange.db", "cdr", "whatever TEXT")
    assert "no column" in read_ledgers({"cdr": empty}, BEGAN).faults["cdr"]
    assert "no name" in read_ledgers({"cdr": f"{empty}?table=a;drop"}, BEGAN).faults["cdr"]
    assert Table(empty, "cdr").columns() == ["whatever"]


def test_an_address_that_no_driver_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="no such database: oracle"):
        Settings(host="pbx", username="hub", secret="x", cdr="oracle://x/y")
    kept = Settings(host="pbx", username="hub", secret="x", cdr="mysql://hub:geheim@pbx/asteriskcdrdb")
    assert "geheim" not in repr(kept)
