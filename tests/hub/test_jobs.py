"""Jobs: claimed by one worker, tried again by the error's kind, given up in the end; nothing is sent blindly twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from channels.contract import Channel
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.touch import Sent
from hub.actions import writing
from hub.actions.writing import Letter
from hub.jobs.deliver import Deliver
from hub.jobs.notify import Notify
from hub.jobs.worker import LEASE, MOST_ATTEMPTS, GiveUp, Handler, Later, Worker, back_off
from storage import models
from storage.repositories import jobs
from storage.repositories.jobs import Job
from tests.hub.fake_channel import FakeChannel
from tests.hub.intaking import running
from tests.hub.office import ANNA, Office

Row = dict[str, Any]


def add(office: Office, kind: str = "x", **body: Any) -> int:
    return office.store.write_now(lambda unit: jobs.add(unit, kind, body))


def left(office: Office) -> list[Row]:
    return office.rows(models.job)


async def work(office: Office, handlers: Mapping[str, Handler]) -> int:
    async with running(office):
        return await Worker(office.store, handlers).sweep()


async def test_what_is_done_is_gone(office: Office) -> None:
    done: list[Job] = []

    async def handle(job: Job) -> None:
        done.append(job)

    add(office, one=1)
    office.store.write_now(lambda unit: jobs.add(unit, "x", {"late": 1}, run_at=unit.now + timedelta(hours=1)))
    assert await work(office, {"x": handle}) == 1
    assert [(job.body, job.attempts, job.started) for job in done] == [({"one": 1}, 1, False)]
    assert [row["body"] for row in left(office)] == [{"late": 1}]


def claim(office: Office, worker: str) -> list[Job]:
    return office.store.write_now(lambda unit: jobs.claim(unit, worker, 10, LEASE))


def test_a_claim_keeps_others_away_until_it_runs_out(office: Office) -> None:
    number = add(office)
    (job,) = claim(office, "first")
    office.store.write_now(lambda unit: jobs.mark_started(unit, job.id))
    assert claim(office, "second") == []
    office.clock.move(seconds=LEASE.total_seconds() + 1)
    (again,) = claim(office, "second")
    assert (again.id, again.attempts, again.started) == (number, 2, True)
    office.store.write_now(lambda unit: jobs.finish(unit, number, "first"))
    office.store.write_now(lambda unit: jobs.postpone(unit, number, unit.now, "late", "first", started=False))
    (row,) = left(office)
    assert (row["claimed_by"], row["started"]) == ("second", 1), "who lost his claim has no say any more"
    office.store.write_now(lambda unit: jobs.finish(unit, number, "second"))
    assert left(office) == []


def test_numbers_are_never_used_twice(office: Office) -> None:
    first = add(office)
    claim(office, "w")
    office.store.write_now(lambda unit: jobs.finish(unit, first, "w"))
    assert add(office) > first


def test_it_waits_longer_and_longer() -> None:
    waits = [back_off(attempt).total_seconds() for attempt in (1, 2, 3, 4, 50)]
    assert all(later > earlier for earlier, later in pairwise(waits))
    assert waits[-1] <= 7200 * 1.2


@pytest.mark.parametrize(
    ("error", "after", "started"),
    [
        (Unreachable("down"), None, 0),
        (Throttled("slow down", retry_after=77), 77, 0),
        (Uncertain("broke off"), None, 1),
        (Later("not yet", timedelta(seconds=99)), 99, 0),
        (RuntimeError("a bug, perhaps after the message was handed over"), None, 1),
        (TimeoutError(), None, 1),
    ],
)
async def test_what_failed_is_tried_again_by_the_errors_kind(
    office: Office, error: Exception, after: float | None, started: int
) -> None:
    async def handle(job: Job) -> None:
        await office.store.write(lambda unit: jobs.mark_started(unit, job.id))
        raise error

    add(office)
    await work(office, {"x": handle})
    (row,) = left(office)
    assert (row["started"], row["claimed_by"], row["attempts"]) == (started, None, 1)
    assert row["error"]
    wait = (row["run_at"] - office.clock()).total_seconds()
    assert wait == after if after is not None else 4 <= wait <= 6


async def test_what_can_never_be_done_is_given_up_and_others_go_on(office: Office) -> None:
    done: list[int] = []

    async def handle(job: Job) -> None:
        if job.body.get("bad"):
            raise GiveUp("never")
        done.append(job.id)

    add(office, bad=True)
    good = add(office)
    add(office, "nobody-knows")
    assert await work(office, {"x": handle}) == 3
    assert done == [good]
    assert [row["kind"] for row in left(office)] == ["nobody-knows"]


async def test_a_worker_outlives_an_outage_of_the_database(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    done = asyncio.Event()

    async def handle(job: Job) -> None:
        done.set()

    async with running(office):
        worker, read, failures = Worker(office.store, {"x": handle}), office.store.read, 0

        async def broken(query: Any) -> Any:
            nonlocal failures
            failures += 1
            if failures < 3:
                raise OSError("the database is away")
            return await read(query)

        monkeypatch.setattr(office.store, "read", broken)
        task = asyncio.create_task(worker.run())
        add(office)
        for _ in range(300):
            worker.ring()
            if done.is_set():
                break
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert done.is_set() and failures >= 3


def reply(office: Office) -> int:
    came = office.mail()
    office.clock.move(minutes=1)
    return office.act(writing.reply, came["conversation_id"], ANNA, Letter("Ответ"))


def deliverer(office: Office, channel: Channel) -> Mapping[str, Handler]:
    return {"deliver": Deliver(office.store, lambda: office.setup, lambda line: channel)}


async def test_a_reply_goes_out_with_what_it_answers(office: Office) -> None:
    number, channel = reply(office), FakeChannel()
    await work(office, deliverer(office, channel))
    (message,) = channel.sent
    assert (message.conversation, message.answers, message.sender_name) == (1, ("<m1@example.org>",), "Анна Соколова")
    row = office.row(models.delivery, number)
    assert (row["state"], row["external_id"]) == ("sent", f"<{message.reference}@office.example>")
    assert left(office) == []


async def test_what_the_client_wrote_to_another_mailbox_is_answered_too(office: Office) -> None:
    came = office.mail(line="archive-mail")
    office.clock.move(minutes=1)
    office.act(writing.reply, came["conversation_id"], ANNA, Letter("Ответ", line="support-mail"))
    channel = FakeChannel()
    await work(office, deliverer(office, channel))
    assert channel.sent[0].answers == (came["external_id"],)


@pytest.mark.parametrize("error", [Rejected("550 no such user"), OptedOut("stop"), ChannelError("something else")])
async def test_what_is_refused_for_good_fails_and_opens_again(office: Office, error: ChannelError) -> None:
    number = reply(office)
    await work(office, deliverer(office, FakeChannel(error)))
    row = office.row(models.delivery, number)
    assert (row["state"], row["reason"]) == ("failed", error.reason)
    assert office.rows(models.conversation)[0]["state"] == "open"
    assert left(office) == []


async def test_a_wrong_password_waits_for_a_person(office: Office) -> None:
    number = reply(office)
    await work(office, deliverer(office, FakeChannel(BadSettings("535"))))
    assert office.row(models.delivery, number)["state"] == "pending"
    (row,) = left(office)
    assert row["run_at"] - office.clock() == timedelta(minutes=10)


async def test_it_fails_when_it_was_tried_often_enough(office: Office) -> None:
    number = reply(office)
    job = Job(1, "deliver", {"delivery": number}, MOST_ATTEMPTS, False)
    async with running(office):
        with pytest.raises(GiveUp):
            await deliverer(office, FakeChannel(Unreachable("down")))["deliver"](job)
    assert office.row(models.delivery, number)["state"] == "failed"


@pytest.mark.parametrize(
    ("known", "state", "sends"), [(Sent("<found@x>"), "sent", 0), (False, "sent", 1), (None, "unknown", 0)]
)
async def test_after_a_crash_the_channel_is_asked_first(office: Office, known: Any, state: str, sends: int) -> None:
    number, channel = reply(office), FakeChannel(known=known)
    (job,) = left(office)
    office.store.write_now(lambda unit: jobs.mark_started(unit, job["id"]))
    await work(office, deliverer(office, channel))
    assert (office.row(models.delivery, number)["state"], len(channel.sent), len(channel.asked)) == (state, sends, 1)
    assert left(office) == []


async def test_after_an_uncertain_end_it_is_asked_for_before_it_is_sent_again(office: Office) -> None:
    number, channel = reply(office), FakeChannel(Uncertain("broke off"))
    async with running(office):
        worker = Worker(office.store, deliverer(office, channel))
        await worker.sweep()
        channel.fate, channel.known = None, Sent("<found@x>")
        office.clock.move(minutes=5)
        await worker.sweep()
    assert (len(channel.sent), len(channel.asked)) == (1, 1)
    assert office.row(models.delivery, number)["external_id"] == "<found@x>"


def notifier(office: Office, channel: Channel) -> Mapping[str, Handler]:
    return {"notify": Notify(office.store, lambda: office.setup, lambda line: channel)}


async def test_our_own_people_are_told_by_mail(office: Office) -> None:
    channel = FakeChannel()
    add(office, "notify", operator="anna", subject="Срок", text="Ответьте")
    add(office, "notify", operator="nobody", subject="x")
    await work(office, notifier(office, channel))
    (message,) = channel.sent
    assert (str(message.to[0]), message.subject, message.automatic) == ("email:anna@office.example", "Срок", True)
    assert left(office) == []


async def test_a_notice_links_what_it_is_about(office: Office) -> None:
    channel = FakeChannel()
    add(office, "notify", operator="anna", subject="Срок", text="Ответьте", conversation=7)
    handler = Notify(office.store, lambda: office.setup, lambda line: channel, "http://127.0.0.1:8080")
    await work(office, {"notify": handler})
    assert channel.sent[0].text == "Ответьте\n\nhttp://127.0.0.1:8080/desk/conversations/7"


async def test_a_forwarded_copy_is_no_answer_to_the_client_s_mail(office: Office) -> None:
    came, channel = office.mail(), FakeChannel()
    office.act(writing.forward, came["id"], ANNA, Letter("Взгляните", to=("lawyer@example.org",)))
    await work(office, deliverer(office, channel))
    (message,) = channel.sent
    assert (message.subject, message.answers, message.replies_to) == ("Fwd: Вопрос", (), None)


async def test_a_notice_is_given_up_when_it_is_refused(office: Office) -> None:
    add(office, "notify", to="x@example.org", subject="x")
    await work(office, notifier(office, FakeChannel(OptedOut("no"))))
    assert left(office) == []


async def test_a_notice_is_given_up_when_it_was_tried_often_enough(office: Office) -> None:
    job = Job(99, "notify", {"to": "x@example.org"}, MOST_ATTEMPTS, False)
    async with running(office):
        with pytest.raises(GiveUp):
            await notifier(office, FakeChannel(Unreachable("down")))["notify"](job)
