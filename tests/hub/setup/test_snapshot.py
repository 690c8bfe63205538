"""The snapshot survives bad rows, knows who is away, and a running process follows it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from channels import registry
from channels.errors import BadSettings
from hub.settings import Settings
from hub.setup.definition import Definition, write_definitions
from hub.setup.importing import Report
from hub.setup.lines import settings_of
from hub.setup.live import LiveSetUp
from hub.setup.snapshot import SetUp
from storage.models.setup import definition
from storage.store import Store
from storage.unit import Unit
from tests.hub.setup.conftest import NOW, golden


def test_rows_of_another_time_are_reported_and_harm_nobody(store: Store, setup: Callable[[], SetUp]) -> None:
    rows = [
        Definition("team", "good", {"title": "G"}),
        Definition("team", "bad", {"titel": "B"}),
        Definition("planet", "mars", {}),
        Definition("line", "l", {"channel": "pigeon"}),
        Definition("operator", "o", {"name": "O", "away": [{"from": "?", "to": "?"}]}),
        Definition("regulation", "r", {"kind": "respond", "within": "soon"}),
        Definition("calendar", "c", {"zone": "Mars/Olympus"}),
    ]
    store.write_now(lambda unit: write_definitions(unit, rows, "test"))
    now = setup()
    assert list(now.teams) == ["good"]
    assert not (now.operators or now.lines or now.calendars or now.regulations)
    told = " ".join(str(problem) for problem in now.problems)
    for name in (
        "team.bad.titel",
        "planet.mars",
        "line.l.channel",
        "operator.o.away.0",
        "regulation.r",
        "calendar.c.zone",
    ):
        assert name in told


def test_leave_counts_in_the_operators_zone_and_deputies_stand_in(
    bring: Callable[[str], Report], setup: Callable[[], SetUp]
) -> None:
    bring(
        "[calendar.c]\nzone = 'Europe/Moscow'\nweek = { mon = ['09:00-18:00'] }\n"
        "[team.t]\ncalendar = 'c'\n[company]\nlanguages = ['pl', 'en']\n"
        "[operator.anna]\nname = 'A'\nteams = ['t']\n"
        "[[operator.anna.away]]\nfrom = 2026-12-01\nto = 2026-12-02\ndeputy = 'boris'\n"
        "[operator.boris]\nname = 'B'\nteams = ['t']\n"
        "[[operator.boris.away]]\nfrom = 2026-12-02\nto = 2026-12-02\ndeputy = 'anna'\n"
    )
    now = setup()

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 12 if day < 30 else 11, day, hour, minute, tzinfo=UTC)

    assert not now.is_away("anna", at(30, 20, 59))
    assert now.is_away("anna", at(30, 21))
    assert now.is_away("anna", at(2, 20, 59))
    assert not now.is_away("anna", at(2, 21))
    assert now.stand_in("anna", at(1, 12)) == "boris"
    assert now.stand_in("anna", at(2, 12)) is None
    assert now.stand_in("anna", at(3, 12)) == "anna"
    assert now.language_of("anna") == now.book.roster.language("anna") == "pl"
    assert now.calendar_of("anna") == "c"


def test_secrets_are_read_when_they_are_used(
    bring: Callable[[str], Report], setup: Callable[[], SetUp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(
        "[line.mail]\nchannel = 'email'\naddress = 'a@b.example'\nsmtp = { host = 'h', tls = false }\n"
        "imap = { host = 'h', user = 'u', password = { env = 'MAIL_PASSWORD' }, tls = false }\n"
    )
    line = setup().lines["mail"]
    settings = Settings(home=tmp_path)
    with pytest.raises(BadSettings, match="MAIL_PASSWORD is not set") as caught:
        settings_of(line, settings)
    assert caught.value.remedy
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    assert settings_of(line, settings).imap.password.get_secret_value() == "s3cret"
    bring(
        "[line.mail]\nchannel = 'email'\naddress = 'a@b.example'\nsmtp = { host = 'h', tls = false }\n"
        "imap = { host = 'h', user = 'u', password = { file = 'mail.password' }, tls = false }\n"
    )
    line = setup().lines["mail"]
    with pytest.raises(BadSettings, match=r"mail\.password cannot be read"):
        settings_of(line, settings)
    (tmp_path / "mail.password").write_text("from file\n", encoding="utf-8")
    assert settings_of(line, settings).imap.password.get_secret_value() == "from file"


def test_a_line_without_its_channel_needs_a_person(
    bring: Callable[[str], Report], setup: Callable[[], SetUp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.setup.lines.find_channel", lambda name: registry.find(name) if name == "email" else None)
    bring(golden("lines")[0][1])
    now = setup()
    assert set(now.lines) == {"support-mail", "office-pbx", "bot", "sms"}
    assert [key for key, line in now.lines.items() if line.listens] == ["support-mail"]
    with pytest.raises(BadSettings, match="no channel 'sms'"):
        settings_of(now.lines["sms"], Settings(home=tmp_path))


def test_policies(bring: Callable[[str], Report], setup: Callable[[], SetUp]) -> None:
    base = golden("lines")[0][1].partition("[line.office-pbx]")[0]
    for policy, listens, sends in (("allowed", True, True), ("receive_only", True, False), ("off", False, False)):
        bring(f'{base}policy = "{policy}"\n')
        line = setup().lines["support-mail"]
        assert (line.listens, line.sends) == (listens, sends)


async def test_a_running_process_follows_within_seconds(store: Store) -> None:
    live = LiveSetUp.open(store, every=0.05)
    seen: list[tuple[int, int]] = []
    arrived = asyncio.Event()

    def fails(old: SetUp, new: SetUp) -> None:
        raise RuntimeError("a subscriber of no use")

    async def told(old: SetUp, new: SetUp) -> None:
        seen.append((len(old.teams), len(new.teams)))
        arrived.set()

    live.subscribe(fails)
    live.subscribe(told)
    watching = asyncio.create_task(live.watch())
    first = live.current

    def write(unit: Unit) -> None:
        write_definitions(unit, [Definition("team", "a", {"title": "A"})], "test")

    await asyncio.to_thread(store.write_now, write)
    await asyncio.wait_for(arrived.wait(), 60)
    assert seen == [(0, 1)]
    assert list(live.current.teams) == ["a"]
    assert not first.teams
    assert not await live.refresh()
    watching.cancel()


async def test_the_watcher_outlives_a_database_that_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveSetUp.open(store, every=0.01)
    calls = 0

    async def fail_twice(self: Store, query: object) -> int:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise OSError("gone")
        return 0

    monkeypatch.setattr(Store, "read", fail_twice)
    watching = asyncio.create_task(live.watch())
    async with asyncio.timeout(60):
        while calls < 4:
            await asyncio.sleep(0.01)
    assert not watching.done()
    watching.cancel()


def test_a_row_written_by_hand_is_seen(store: Store, setup: Callable[[], SetUp]) -> None:
    row = {"kind": "team", "key": "t", "version": 1, "body": {}, "digest": "", "written_at": NOW, "written_by": "x"}
    store.write_now(lambda unit: unit.connection.execute(insert(definition).values(**row)))
    assert list(setup().teams) == ["t"]
