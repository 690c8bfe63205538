"""Who gets what comes in: by the set-up's routes, in the same transaction; passed on, drained, handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.touch import Identity
from hub import presence
from hub.actions import conversations, leaving
from hub.actor import SYSTEM
from hub.giving import load_now
from hub.jobs.pass_on import PassOn
from hub.jobs.worker import Worker
from routing.assignment import giving
from storage import models
from tests.flows.house import OFFICE, bring, open_house
from tests.flows.practice import Practice, msk
from tests.hub.office import ANNA, VERA, Row

ROUTES = """
[route.broken]
when = { words = ["авария"] }
team = "support"
strategy = ["skills"]
skills = ["pumps"]

[route.support]
when = { team = ["support"] }
team = "support"
strategy = "round_robin"
pass_on_after = "30 min"

[operator.anna]
name = "Анна Соколова"
email = "anna@example.org"
teams = ["support"]
extension = "101"
capacity = 2

[operator.boris]
name = "Borys Kowalski"
email = "boris@example.org"
teams = ["support"]
extension = "102"
skills = ["pumps"]
languages = ["pl", "ru"]

[operator.vera]
name = "Віра Шевченко"
email = "vera@example.org"
role = "supervisor"
teams = []
"""


@pytest.fixture
def practice(tmp_path: Path, database_url: str) -> Iterator[Practice]:
    opened = Practice.begin(database_url, tmp_path / "files", ROUTES)
    opened.clock.at = msk("09-14 10:00")
    yield opened
    opened.store.lane.close()
    opened.close()


def come(practice: Practice, name: str, text: str = "вопрос") -> Row:
    """A client writes; answers his conversation."""
    practice.clock.move(seconds=1)
    row = practice.mail(text, who=Identity("email", f"{name}@example.org"))
    return practice.row(models.conversation, row["conversation_id"])


def say(practice: Practice, deed: Any, *args: Any) -> None:
    practice.store.write_now(lambda unit: deed(unit, *args))


def test_by_turns_to_who_has_room_and_the_promise_is_his(practice: Practice) -> None:
    owners = [come(practice, f"c{number}")["owner"] for number in range(6)]
    assert owners == ["anna", "boris", "anna", "boris", "boris", "boris"], "anna takes two at once"
    promises = practice.promises("service-reaction")
    assert [one["owner"] for one in promises] == owners
    assert {one["owner"] for one in practice.rows(models.task)} == {"anna", "boris"}
    assert come(practice, "c9", "Авария: насос")["owner"] == "boris"


def test_once_somebody_keeps_track_only_who_is_here_gets_work(practice: Practice) -> None:
    say(practice, presence.come, "boris", "d1")
    assert [come(practice, f"c{number}")["owner"] for number in range(2)] == ["boris", "boris"]
    say(practice, presence.take_call, "boris", "102")
    waiting = come(practice, "c3")
    assert (waiting["owner"], waiting["team"]) == (None, "support")
    say(practice, presence.end_call, "boris", "102")
    assert come(practice, "c4")["owner"] == "boris"
    say(practice, presence.go_away, "boris")
    assert come(practice, "c5")["owner"] is None


def test_who_says_that_he_is_away_gets_nothing_though_nobody_keeps_track_of_the_others(practice: Practice) -> None:
    say(practice, presence.go_away, "anna")
    assert [come(practice, f"c{number}")["owner"] for number in range(2)] == ["boris", "boris"]
    say(practice, presence.come_back, "anna")
    assert come(practice, "c3")["owner"] == "anna"


def test_who_is_at_work_as_a_program_says_gets_work_until_his_shift_ends(practice: Practice) -> None:
    say(practice, presence.be_here, "boris")
    assert come(practice, "c1")["owner"] == "boris"
    practice.clock.move(hours=13)
    assert come(practice, "c2")["owner"] is None
    say(practice, presence.be_here, "boris")
    say(practice, presence.go_away, "boris")
    assert come(practice, "c3")["owner"] is None


async def test_what_waits_is_given_to_who_becomes_free(practice: Practice) -> None:
    say(practice, presence.come, "anna", "d1")
    say(practice, presence.go_away, "anna")
    first, second, third = (come(practice, f"c{number}") for number in range(3))
    await practice.until(practice.clock() + timedelta(seconds=5))
    assert practice.row(models.conversation, first["id"])["owner"] is None
    say(practice, presence.come_back, "anna")
    say(practice, presence.come, "anna", "d1")
    await practice.until(practice.clock() + timedelta(seconds=5))
    owners = [practice.row(models.conversation, one["id"])["owner"] for one in (first, second, third)]
    assert owners == ["anna", "anna", None], "as many as she takes, longest waiting first"
    assert [one["owner"] for one in practice.promises("service-reaction")] == ["anna", "anna", None]
    practice.act(conversations.close, first["id"], ANNA, "no_answer_needed")
    await practice.until(practice.clock() + timedelta(seconds=5))
    assert practice.row(models.conversation, third["id"])["owner"] == "anna"


async def test_who_does_not_answer_in_time_loses_it_to_the_next(practice: Practice) -> None:
    talk = come(practice, "c1")
    assert talk["owner"] == "anna"
    worker = Worker(practice.store, {"pass_on": PassOn(practice.store, lambda: practice.setup)})
    practice.store.lane.start()
    practice.clock.move(minutes=29)
    await worker.sweep()
    assert practice.row(models.conversation, talk["id"])["owner"] == "anna"
    practice.clock.move(minutes=2)
    await worker.sweep()
    assert practice.row(models.conversation, talk["id"])["owner"] == "boris"
    (promise,) = practice.promises("service-reaction")
    assert promise["owner"] == "boris"
    assert practice.rows(models.task, obligation_id=promise["id"])[0]["owner"] == "boris"


async def test_leave_moves_what_is_open_to_the_deputy_and_new_work_past_him(practice: Practice) -> None:
    talk = come(practice, "c1")
    assert talk["owner"] == "anna"
    practice.learn(
        ROUTES.replace("capacity = 2", 'away = [{ from = "2026-09-14", to = "2026-09-20", deputy = "boris" }]')
    )
    await practice.until(practice.clock() + timedelta(seconds=5))
    assert practice.row(models.conversation, talk["id"])["owner"] == "boris"
    assert [one["owner"] for one in practice.promises("service-reaction")] == ["boris"]
    assert [come(practice, f"d{number}")["owner"] for number in range(2)] == ["boris", "boris"]


async def test_who_is_retired_leaves_nothing_open_behind(practice: Practice) -> None:
    from hub.setup.definition import retire
    from hub.setup.live import LiveSetUp

    talk = come(practice, "c1")
    say(practice, retire, "operator", "anna", "test")
    practice.setup = LiveSetUp.open(practice.store).current
    await practice.until(practice.clock() + timedelta(seconds=5))
    owner = practice.row(models.conversation, talk["id"])["owner"]
    assert owner == "boris", "released, then given to the next by the route"
    assert [one["owner"] for one in practice.promises("service-reaction")] == ["boris"]


def test_everything_open_is_handed_over_at_once(practice: Practice) -> None:
    mine = [come(practice, f"c{number}") for number in range(3)]
    moved = practice.act(leaving.hand_over_everything, VERA, "anna", "boris")
    assert moved.as_json() == {"conversations": 2, "obligations": 2, "tasks": 2, "clients": 0}
    assert {practice.row(models.conversation, one["id"])["owner"] for one in mine} == {"boris"}
    assert {one["owner"] for one in practice.rows(models.task)} == {"boris"}
    assert practice.act(leaving.hand_over_everything, SYSTEM, "anna", None).conversations == 0


async def test_a_route_that_is_imported_is_obeyed_within_five_seconds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'touchline.db'}"
    async with open_house(tmp_path, url) as house:
        lead = {"phone": "+79161234567", "message": "Здравствуйте"}
        told = await house.post("contact", lead)
        assert (await house.row(models.conversation))["owner"] is None
        await asyncio.to_thread(
            bring,
            house.hub.settings,
            OFFICE + ROUTES[ROUTES.index("[route.support]") : ROUTES.index("[operator.anna]")],
        )
        conversation = (await house.row(models.interaction, id=told["interaction"]))["conversation_id"]
        await house.wait_for_row(models.conversation, id=conversation, owner="anna", seconds=5)
        promise = await house.row(models.obligation, started_by=told["interaction"])
        assert promise["owner"] == "anna"


async def test_a_regulation_or_calendar_that_is_imported_judges_what_is_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'touchline.db'}"
    async with open_house(tmp_path, url) as house:
        told = await house.post("contact", {"phone": "+79161234567", "message": "Здравствуйте"})
        before = await house.row(models.obligation, started_by=told["interaction"])
        stricter = OFFICE.replace('within = "4 working hours"', 'within = "1 working hours"')
        await asyncio.to_thread(bring, house.hub.settings, stricter)
        after = await house.wait_for_row(models.obligation, id=before["id"], version=2, seconds=5)
        assert before["due"] - after["due"] == timedelta(hours=3)
        (event,) = await house.rows(models.clock_event, obligation_id=before["id"], event="recomputed")
        assert event["data"]["cause"] == "regulation"
        keeping = stricter.replace('"1 working hours"', '"30 min"').replace("steps =", 'on_change = "keep"\nsteps =')
        await asyncio.to_thread(bring, house.hub.settings, keeping)
        await asyncio.sleep(2.5)
        assert (await house.row(models.obligation, id=before["id"]))["due"] == after["due"]


async def test_a_crowd_that_waits_for_one_team_does_not_stand_in_the_way_of_another(practice: Practice) -> None:
    practice.learn(
        '[team.sales]\ntitle = "Продажи"\n[route.support]\nwhen = { words = ["купить"] }\nteam = "sales"\n'
        '[route.rest]\nteam = "support"\n[operator.boris]\nname = "Borys"\nteams = ["sales"]\n'
    )
    say(practice, presence.come, "boris", "d1")
    say(practice, presence.take_call, "boris", "102")
    for number in range(12):
        come(practice, f"c{number}")
    last = come(practice, "buyer", "хочу купить")
    say(practice, presence.end_call, "boris", "102")
    found = practice.store.write_now(
        lambda unit: giving.drain(unit, practice.setup.book, practice.setup.ways, load_now(unit), 5)
    )
    assert [(one.conversation, one.operator) for one in found] == [(last["id"], "boris")]
