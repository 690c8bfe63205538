"""Warnings, the ladder, quiet hours and storms, from the clockwork to the rows that the desk shows and the mails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from channels.contract import Channel
from channels.touch import Identity, Message, Sent
from hub.actions import alerts, obligations
from hub.desk.reading import promises
from hub.jobs.notify import Notify
from hub.jobs.worker import Worker
from storage import models
from storage.repositories import alerts as desk
from tests.flows.practice import MAIL, Practice, msk
from tests.hub.office import VERA

LADDER = """
[regulation.service-reaction]
title = { ru = "Ответ за четыре часа", uk = "Відповідь за чотири години", en = "An answer in four hours" }
kind = "respond"
for = { team = ["support"] }
within = "4 working hours"
calendar = "office-moscow"
warn = ["50%"]
escalate = [{ when = "due", to = "lead" }, { when = "+1 working hours", to = "director" }]
quiet_hours = ["20:00-08:00"]
storm = { more_than = 5, within = "10 min" }

[regulation.night-watch]
title = "Night watch"
kind = "respond"
for = { words = ["авария"] }
within = "2 hours"
steps = [{ when = "due", to = "lead" }]
quiet_hours = ["20:00-08:00"]
calendar = "office-moscow"
slot = "night"
"""


class Post:
    """A channel that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def send(self, message: Message) -> Sent:
        self.sent.append(message)
        return Sent(f"<n{len(self.sent)}@office.example>")

    async def was_sent(self, message: Message) -> bool:
        return False


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    opened = Practice.begin(database_url, tmp_path / "files", LADDER)
    opened.clock.at = msk("09-14 10:00")
    yield opened
    opened.store.lane.close()
    opened.close()


async def pushed(practice: Practice) -> list[tuple[str, str]]:
    """Send what may be sent now; answers to whom and what."""
    post = Post()
    channel: Channel = post  # type: ignore[assignment]
    worker = Worker(practice.store, {"notify": Notify(practice.store, lambda: practice.setup, lambda line: channel)})
    await worker.sweep()
    return [(str(one.to[0]), one.subject or "") for one in post.sent]


def shown(practice: Practice, operator: str) -> list[str]:
    """What his desk shows."""
    page = practice.store.read_now(
        lambda connection: desk.list_page(connection, desk.Filter(to=operator, state="open"), limit=50, cursor=None)
    )
    return [one.step for one in page.items]


async def test_the_ladder_climbs_until_somebody_has_it(practice: Practice) -> None:
    practice.mail(who=MAIL)
    await practice.until(msk("09-14 12:00"))
    assert practice.alerts() == [("vera", "50% alert owner")], "nobody owns it yet, so the lead is warned"
    await practice.until(msk("09-14 14:01"))
    assert practice.states("service-reaction") == ["breached"]
    assert ("vera", "due alert lead") in practice.alerts()
    await practice.until(msk("09-14 15:01"))
    assert ("olga", "+1 working hours alert director") in practice.alerts() or len(practice.alerts()) == 3
    told = await pushed(practice)
    assert [to for to, _ in told] == ["email:vera@example.org", "email:vera@example.org", "email:olga@office.example"]


async def test_an_acknowledged_breach_climbs_no_further(practice: Practice) -> None:
    practice.mail(who=MAIL)
    await practice.until(msk("09-14 14:01"))
    number = practice.rows(models.alert)[-1]["id"]
    practice.act(alerts.acknowledge, number, VERA)
    await practice.until(msk("09-14 18:00"))
    assert "olga" not in {to for to, _ in practice.alerts()}
    (promise,) = practice.promises("service-reaction")
    assert promise["details"]["acknowledged"]["by"] == "operator:vera"


async def test_quiet_hours_delay_the_push_and_not_the_record(practice: Practice) -> None:
    practice.clock.at = msk("09-14 19:30")
    practice.mail(text="Авария на складе", who=MAIL)
    await practice.until(msk("09-14 22:00"))
    assert practice.states("night-watch") == ["breached"]
    assert practice.alerts() == [("vera", "due alert lead")]
    assert shown(practice, "vera") == ["due alert lead"]
    assert await pushed(practice) == []
    practice.clock.at = msk("09-15 08:00")
    assert [to for to, _ in await pushed(practice)] == ["email:vera@example.org"]


async def test_what_was_settled_in_quiet_hours_wakes_nobody(practice: Practice) -> None:
    practice.clock.at = msk("09-14 19:30")
    practice.mail(text="Авария", who=MAIL)
    await practice.until(msk("09-14 22:00"))
    (promise,) = practice.promises("night-watch")
    practice.act(obligations.excuse, promise["id"], VERA, "ложная тревога")
    practice.clock.at = msk("09-15 08:00")
    assert await pushed(practice) == [], "neither the alarm nor its correction"
    assert shown(practice, "vera") == []


async def test_a_storm_becomes_one_digest(practice: Practice) -> None:
    for number in range(30):
        practice.mail(who=Identity("email", f"c{number}@example.org"), at=practice.clock())
    await practice.until(msk("09-14 14:01"))
    assert practice.states("service-reaction") == ["breached"] * 30
    due = [one for one in practice.rows(models.alert) if one["step"].startswith("due")]
    (digest,) = [one for one in practice.rows(models.alert, step="digest") if "due" in one["cause"]]
    assert (len(due), {one["digest_id"] for one in due}, digest["data"]["count"]) == (30, {digest["id"]}, 30)
    assert len(shown(practice, "vera")) == 2, "one digest of the warnings, one of the breaches"
    page = practice.store.read_now(lambda connection: promises.read_alerts(connection, "vera"))
    inside = practice.store.read_now(lambda connection: promises.read_alerts(connection, "vera", digest=digest["id"]))
    assert ([one.step for one in page], len(inside)) == (["digest", "digest"], 30), "the desk shows them as one"
    assert practice.store.read_now(lambda connection: promises.count_alerts(connection, "vera")) == 2
    told = await pushed(practice)
    assert [to for to, _ in told] == ["email:vera@example.org"] * 2
    practice.act(alerts.acknowledge, digest["id"], VERA)
    await practice.until(msk("09-14 16:00"))
    assert "olga" not in {one["to"] for one in practice.rows(models.alert)}, "the digest spoke for all"


async def test_after_a_stop_of_two_hours_what_is_overdue_fires_once_and_says_how_late(practice: Practice) -> None:
    practice.mail(who=MAIL)
    practice.clock.at = msk("09-14 16:30")
    await practice.until(practice.clock())
    await practice.until(msk("09-14 17:00"))
    breached = [one for one in practice.rows(models.clock_event) if one["event"] == "breached"]
    assert len(breached) == 1
    assert breached[0]["data"]["late_by"] == 2.5 * 3600
    assert datetime.fromisoformat(breached[0]["data"]["noticed_at"]) == msk("09-14 16:30")
