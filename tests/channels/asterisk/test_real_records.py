"""A real Asterisk writes its records into a real PostgreSQL; SQLite and MariaDB get them as FreePBX would keep them. A
hub that was away tells each call once, whichever it reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from channels.asterisk.fastagi import AgiServer
from channels.contract import LineState
from tests.channels.asterisk.gap import PATIENCE_S, AfterTheGap, hub_dies, phones_of, quiet
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_conf import RECORDS_TABLES
from tests.peers.mariadb import MariaDb
from tests.peers.missing import PeerMissing, do_without
from tests.peers.postgres import Postgres

# fmt: off
FREEPBX = [
    "calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration", "billsec",
    "disposition", "uniqueid", "userfield", "linkedid",
]
LOG = ["time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5"]
# fmt: on


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """With the tables of Asterisk's modules."""
    url = postgres.fresh_database()
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for table in RECORDS_TABLES:
            connection.execute(table)  # type: ignore[call-overload]
    yield plain
    postgres.drop(url)


@pytest.fixture
def pbx(database: str) -> Iterator[Asterisk]:
    try:
        running = Asterisk(database=database)
    except PeerMissing as problem:
        do_without(problem)
    with running:
        yield running


def rows_of(database: str, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY id"
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def into_sqlite(database: str, path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in (("cdr", FREEPBX), ("queue_log", LOG)):
            connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            for row in rows_of(database, table, columns):
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", [str(cell or "") for cell in row])
        connection.commit()
    return f"sqlite:///{path}"


def into_mariadb(database: str, server: MariaDb) -> str:
    name = database.rpartition("/")[2]
    server.run(f"CREATE DATABASE {name}")
    kinds = {"calldate": "DATETIME", "duration": "INT", "billsec": "INT"}
    for table, columns in (("cdr", FREEPBX), ("queue_log", LOG)):
        made = ", ".join(f"{column} {kinds.get(column, 'VARCHAR(200)')}" for column in columns)
        server.run(f"CREATE TABLE {name}.{table} ({made})")
        marks = ", ".join(["%s"] * len(columns))
        for row in rows_of(database, table, columns):
            server.run(f"INSERT INTO {name}.{table} VALUES ({marks})", row)
    return server.url(name)


async def test_what_happened_meanwhile_is_read_from_any_database(
    pbx: Asterisk, database: str, mariadb: MariaDb, tmp_path: Path
) -> None:
    before = House(pbx)
    talked, missed, whole, refused = pbx.desks[:4]
    async with phones_of(pbx) as phones:

        async def talk() -> None:
            await phones.operator(talked.ports[0], "answer", 300)
            await phones.caller(talked.did, "bye", 4000)
            await phones.operator(missed.ports[0], "noanswer")
            await phones.caller(missed.did, "bye", 2500)
            await before.reached(talked.did, "answered")
            await before.reached(missed.did, "ringing")

        await hub_dies(before, talk)
        route = House(pbx)  # somebody else routes; nobody who logs listens
        agi = AgiServer(route.door().route, lambda *_: None, 1.0)
        await agi.start("127.0.0.1", pbx.agi)
        await phones.operator(whole.ports[0], "hangup", 300)
        await phones.caller(whole.did, "wait", who="74951234567")
        await phones.operator(refused.ports[0], "decline", 300)
        await phones.caller(refused.direct_did, "wait", who="74951112233")
        await until(lambda: len(route.questions) == 2, PATIENCE_S, lambda: f"asked {route.questions}")
        await quiet(pbx)
        await agi.close()
    while len(rows_of(database, "cdr", ["id"])) < 4:  # the PBX writes them when it likes
        await quiet(pbx)
    lite, maria = into_sqlite(database, tmp_path / "cdr.db"), into_mariadb(database, mariadb)
    for sources, declined in (
        ({"cdr": database, "queue_log": database}, {"no_answer"}),
        ({"cdr": database, "cel": database, "queue_log": database}, {"declined"}),
        ({"cel": pbx.cel}, {"declined"}),
        ({"cdr": lite, "queue_log": lite}, {"no_answer"}),
        ({"cdr": f"{maria}?table=cdr", "queue_log": maria}, {"no_answer"}),
    ):
        after = AfterTheGap(pbx, more=dict(sources))
        after.open_calls_of(before)
        async with after.listening():
            for did in (talked.did, missed.did, whole.did, refused.direct_did):
                await after.ended(did, PATIENCE_S)
        calls = after.folds()
        answered, lost, found, turned_away = (
            calls[did] for did in (talked.did, missed.did, whole.did, refused.direct_did)
        )
        assert len(calls) == 4 and all(call["phases"].count("ended") == 1 for call in calls.values()), sources
        assert (answered["outcome"], answered["operator"], answered["ended_by"]) == ("answered", "op-101", "caller")
        assert answered["talk_s"] >= 1
        assert (lost["outcome"], lost["reason"], lost["ended_by"]) == ("missed", "abandoned", "caller"), sources
        assert (found["outcome"], found["operator"], found["ended_by"]) == ("answered", "op-301", "operator"), sources
        assert (found["queue"], found["party"]) == (whole.queue, ["phone:+74951234567"])
        assert turned_away["outcome"] == "missed" and turned_away["reason"] in declined, (sources, turned_away)
        assert {one.state for one in after.fake.healths} == {LineState.RUNNING}


async def test_a_database_that_is_away_never_stops_the_line(own_asterisk: Asterisk, own_postgres: Postgres) -> None:
    own_postgres.kill()
    address = own_postgres.url().replace("+psycopg", "")
    house = AfterTheGap(own_asterisk, more={"cdr": address})
    house.fake.memory.kept["seen until"] = "2026-11-21T00:00:00+00:00"
    desk = own_asterisk.desks[0]
    async with phones_of(own_asterisk) as phones, house.listening():
        await until(lambda: any(one.reason for one in house.fake.healths), PATIENCE_S, lambda: str(house.fake.healths))
        told = next(one for one in house.fake.healths if one.reason)
        assert told.state is LineState.RUNNING and told.reason.startswith("cdr cannot be read") and told.remedy
        await phones.operator(desk.ports[0], "hangup", 300)
        await phones.caller(desk.did, "wait")
        assert (await house.ended(desk.did, PATIENCE_S))["outcome"] == "answered"
    check = await house.channel().check()
    assert check.state is LineState.RUNNING and "database of cdr cannot be read" in check.reason
