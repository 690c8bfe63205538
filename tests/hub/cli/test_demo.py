"""The demonstration: a home of its own, and a day that goes by the real roads."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.emulator import Event
from hub.cli.demo import own_home
from hub.sample import letters
from hub.sample.cast import PEOPLE
from hub.sample.demonstration import is_empty, open_day, read_company
from hub.sample.recordings import STORIES, tell
from hub.settings import Settings, load_settings
from hub.telephony.picture import read_picture
from storage import models
from storage.engine import open_engines
from tests.flows.processes import environment
from tests.hub.cli.conftest import Touchline
from tests.peers.process import clean_environment
from tests.peers.workshop import free_port

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PATIENCE_S = 90.0


@dataclass(slots=True)
class Demonstration:
    """`touchline demo` in a process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, what: str, seen: Callable[[], bool]) -> None:
        """Until it is so, or the process has died."""
        deadline = time.monotonic() + PATIENCE_S
        while not seen():
            assert self.process.poll() is None and time.monotonic() < deadline, f"{what}: {self.said[-3000:]}"
            time.sleep(0.2)

    def interrupt(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@contextmanager
def demonstration(home: Path, *arguments: str) -> Iterator[Demonstration]:
    """Started; killed at the end if it still runs."""
    log = home.parent / "demo.log"
    variables = clean_environment() | environment(home, free_port())
    with log.open("wb") as output:
        command = [sys.executable, "-m", "hub", "demo", *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=home.parent, env=variables)
    try:
        yield Demonstration(process, log)
    finally:
        process.kill()
        process.wait()


def counts(home: Path) -> dict[str, int]:
    """What is in the log and on the clock by now."""
    engines = open_engines(f"sqlite:///{home / 'touchline.db'}")
    log, clock = models.interaction.c, models.obligation.c
    queries: dict[str, Any] = {
        "calls": select(func.count()).where(log.kind == "call", log.ended_at.is_not(None)),
        "talked": select(func.count()).where(log.call["outcome"].as_string() == "answered", log.operator.is_not(None)),
        "missed": select(func.count()).where(log.call["outcome"].as_string() == "missed"),
        "forms": select(func.count()).where(log.kind == "form"),
        "mails": select(func.count()).where(log.channel == "email", log.direction == "inbound"),
        "messages": select(func.count()).where(log.channel == "telegram", log.direction == "inbound"),
        "answers": select(func.count()).where(log.channel == "telegram", log.direction == "outbound"),
        "call backs": select(func.count()).where(clock.regulation == "call-back"),
        "kept": select(func.count()).where(clock.state == "met", clock.breached_at.is_(None)),
        "breached": select(func.count()).where(clock.breached_at.is_not(None)),
    }
    try:
        with engines.reader.connect() as connection:
            return {name: connection.execute(query).scalar_one() for name, query in queries.items()}
    finally:
        engines.dispose()


@pytest.mark.timeout(400)
def test_a_day_goes_by_and_everything_is_in_the_log(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with demonstration(home, "--speed", "12", "--language", "uk") as demo:
        demo.wait_for("the welcome", lambda: "Ctrl-C ends it" in demo.said)
        assert f"its home is {home}" in demo.said and "/sign-in/once/" in demo.said
        morning = counts(home)
        assert morning["calls"] >= 40 and morning["mails"] >= 10
        demo.wait_for("a day", lambda: all(count > 0 for count in counts(home).values()))
        demo.wait_for("more calls", lambda: counts(home)["calls"] > morning["calls"] + 2)
        assert demo.interrupt() == 0, demo.said
        assert "The demonstration is over." in demo.said
        assert "Traceback" not in demo.said


def test_a_home_that_holds_anything_is_left_alone(touchline: Touchline, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    assert is_empty(real) and is_empty(tmp_path / "not-there")
    (real / "touchline.db").write_text("data")
    assert not is_empty(real)
    ran = touchline("demo", "--home", str(real))
    assert (ran.code, "is not empty" in ran.err) == (2, True)
    assert [path.name for path in real.iterdir()] == ["touchline.db"]


def test_the_sample_company_can_be_imported_as_it_stands() -> None:
    reading = read_company(pbx_port=5038, bot_port=8081, language="pl", speed=2.0)
    found = {each.name: each.body for each in reading.definitions}
    assert found["line.pbx"]["port"] == 5038
    assert found["regulation.reaction"]["within"] == "45 seconds"


def test_a_recorded_call_is_told_with_other_people_and_times() -> None:
    person = PEOPLE[0]
    for number, story in enumerate(STORIES, 1):
        phones = ["103", "101", "102"][: len(story.phones)]
        told = list(tell(story, person, phones, START, number, 2.0))
        written = json.dumps([event for _, event in told], ensure_ascii=False)
        assert "7916" not in written and "Ivan" not in written and person.number in written
        stamps = [START + after for after, _ in told]
        assert [datetime.fromtimestamp(float(event["Timestamp"]), UTC) for _, event in told] == pytest.approx(
            stamps, abs=timedelta(milliseconds=2)
        ), story.name
        assert all(event["Linkedid"].startswith(f"pbx1-{START.timestamp():.0f}") for event in _with_ids(told)), story
        rang = {event["Interface"] for _, event in told if event["Event"] == "AgentCalled"}
        assert rang <= {f"PJSIP/{phone}" for phone in phones}


def _with_ids(told: list[tuple[timedelta, dict[str, str]]]) -> list[Event]:
    return [event for _, event in told if "Linkedid" in event]


def test_a_mail_of_the_demonstration_is_read_like_any_other() -> None:
    asked, answered = letters.ask(PEOPLE[1], 7, START), letters.answer(PEOPLE[1], 7, "anna", START)
    assert (asked.party[0].value, asked.text) == ("jan.przykladowski@client.example", asked.text)
    assert answered.direction == "outbound" and answered.thread is not None
    assert answered.thread.answers == ("<q7@client.example>",)


def test_the_home_is_an_empty_one_or_one_of_its_own(home: Path) -> None:
    with own_home(load_settings(), None) as settings:
        assert settings.home == home
        assert settings.database == f"sqlite:///{home}/touchline.db"
    (home / "touchline.db").write_text("data")
    with own_home(load_settings(), None) as settings:
        elsewhere = settings.home
        assert elsewhere != home and is_empty(elsewhere)
        (elsewhere / "files").mkdir()
    assert not elsewhere.exists()
    assert [path.name for path in home.iterdir()] == ["touchline.db"]


def test_the_real_database_is_never_that_of_the_demonstration(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_DATABASE_URL", "postgresql://somebody@127.0.0.1:1/real")
    with own_home(load_settings(), None) as settings:
        assert settings.database == f"sqlite:///{home}/touchline.db"


async def test_an_operator_who_pauses_at_the_desk_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, listen="127.0.0.1:0")
    async with open_day(settings, "en", 20.0, lambda text: None) as day:
        channel = day.hub.listeners.channel_of("pbx")
        assert isinstance(channel, AsteriskChannel)
        await channel.pause("101", "lunch")
        assert day.pbx.pausing == {"PJSIP/101"}
        picture = await day.hub.store.read(lambda c: read_picture(c, day.hub.setup.current, day.hub.store.now()))
        async with asyncio.timeout(PATIENCE_S), day.hub.live.listen() as changes:
            while (anna := picture.of("anna")) is None or anna.state != "paused":
                await changes.get()
                picture = await day.hub.store.read(
                    lambda c: read_picture(c, day.hub.setup.current, day.hub.store.now())
                )
        async with day.taken(2) as phones:
            assert set(phones) == {"102", "103"}
        with pytest.raises(TimeoutError):
            async with day.taken(3):
                raise AssertionError("there are no three")
        await channel.unpause("101")
        assert day.pbx.pausing == frozenset()
