"""A house with the regulations of the examples and a clock of its own: touches come in as if by a channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from channels.touch import Direction, Identity, Kind, Touch
from hub.actions import clients, events, interactions, writing
from hub.actions.events import Report
from hub.actions.interactions import HandMade
from hub.actions.writing import Letter
from hub.clockwork import Clockwork
from hub.housekeeping import Housekeeping
from hub.jobs.announce import Announce
from hub.jobs.recount import Recount
from hub.setup.importing import take
from hub.setup.live import LiveSetUp
from hub.setup.reading import read_setup
from storage import models
from storage.repositories.jobs import Job
from tests.hub.office import ANNA, PROGRAM, Office, Row

EXAMPLES = Path(__file__).parents[2] / "examples"
MORE = """
[company]
name = "Office"
default_region = "RU"
calendar = "office-moscow"

[team.support]
title = "Поддержка"
calendar = "office-moscow"
lead = "vera"
director = "olga"

[operator.olga]
name = "Ольга Директор"
email = "olga@office.example"
role = "admin"
language = "en"

[line.support-mail]
channel = "email"
team = "support"
address = "support@office.example"
imap = { host = "127.0.0.1", user = "support", password = "x", tls = false }
smtp = { host = "127.0.0.1", tls = false }

[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
"""
HANDLERS: dict[str, type[Announce] | type[Recount]] = {"announce": Announce, "recount": Recount}
PHONE = Identity("phone", "+78123258351")
MAIL = Identity("email", "ivan@example.org", "Иван Петров")


def msk(written: str) -> datetime:
    """An instant of 2026 in Moscow, which keeps UTC+3 all year: "09-14 12:00"."""
    return datetime.fromisoformat(f"2026-{written}:00").replace(tzinfo=UTC) - timedelta(hours=3)


def _done(job: int) -> Any:
    return delete(models.job).where(models.job.c.id == job)


class Practice(Office):
    """The office of the examples; time passes by `until`."""

    @classmethod
    def begin(cls, url: str, files: Path, *more: str) -> Practice:
        """With the examples' people, calendars and regulations."""
        import_text = [(EXAMPLES / name).read_text(encoding="utf-8") for name in ("office.toml", "regulations.toml")]
        opened = cls.open(url, files, import_text[0])
        assert isinstance(opened, Practice)
        opened.learn(import_text[1])
        opened.learn(MORE)
        for text in more:
            opened.learn(text)
        return opened

    def learn(self, text: str) -> None:
        """Import more set-up."""
        self.store.write_now(lambda unit: take(unit, read_setup([("more.toml", text)]), "test"))
        self.setup = LiveSetUp.open(self.store).current

    async def until(self, at: datetime) -> None:
        """Time passes: the clockwork, housekeeping and announcements do at each instant what is due then."""
        if not self.store.lane.alive:
            self.store.lane.start()
        live = LiveSetUp.open(self.store)
        clockwork, housekeeping = Clockwork(self.store, live), Housekeeping(self.store, live)
        while True:
            await self._announce(live)
            await housekeeping.look()
            wait = await self._next(clockwork)
            if wait is None or wait > at:
                break
            self.clock.at = max(wait, self.clock.at)
        self.clock.at = at
        await housekeeping.look()
        await clockwork.look()

    async def _next(self, clockwork: Clockwork) -> datetime | None:
        from routing.timers import next_wake

        await clockwork.look()
        return self.store.read_now(next_wake)

    async def _announce(self, live: LiveSetUp) -> None:
        handlers = {kind: handle(self.store, lambda: live.current) for kind, handle in HANDLERS.items()}
        while rows := [row for row in self.rows(models.job) if row["kind"] in handlers]:
            for row in rows:
                await handlers[row["kind"]](Job(row["id"], row["kind"], row["body"], 1, False))
                self.store.write_now(lambda unit, job=row["id"]: unit.connection.execute(_done(job)))  # type: ignore[misc]

    def call(self, number: str, phase: str, who: Identity = PHONE, at: datetime | None = None, **call: Any) -> Row:
        """One phase of a call, as the PBX adapter tells it."""
        outbound = call.pop("outbound", False)
        return self.hear(
            Touch(
                line="pbx",
                event_key=f"{number}:{phase}",
                kind=Kind.CALL,
                direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
                at=at or self.clock(),
                party=(who,),
                external_id=number,
                operator=call.pop("operator", None),
                phase=phase,
                call=call,
            )
        )

    def talk(self, number: str, seconds: int = 60, **more: Any) -> Row:
        """A whole call that is answered; the clock moves on by its length."""
        self.call(number, "ringing", **more)
        begun = self.clock()
        self.call(number, "answered", outcome="answered", answered_at=begun.isoformat(), **more)
        ended = self.clock.move(seconds=seconds)
        return self.call(number, "ended", outcome="answered", talk_s=float(seconds), ended_at=ended.isoformat(), **more)

    def missed(self, number: str, **more: Any) -> Row:
        """A call that nobody takes."""
        self.call(number, "ringing", **more)
        ended = self.clock.move(seconds=30)
        return self.call(number, "ended", outcome="missed", reason="no_answer", ended_at=ended.isoformat(), **more)

    def letter(
        self, client: int, text: str = "Добрый день", files: tuple[int, ...] = (), *, to: str | None = None
    ) -> Row:
        """An operator writes to a client and the channel takes it."""
        wanted = Letter(text, subject="Письмо", attachments=files, to=(to,) if to else ())
        _, delivery = self.act(writing.write_first, ANNA, wanted, client=client)
        self.clock.move(seconds=1)
        self.send(delivery)
        return self.row(models.delivery, delivery)

    def meeting(self, client: int, operator: str = "anna") -> Row:
        """A meeting, logged by hand."""
        made = HandMade("meeting", client=client, operator=operator, text="встреча", at=self.clock())
        return self.row(models.interaction, self.act(interactions.log_by_hand, ANNA, made))

    def report(self, event: str, client: int | None = None, **fields: Any) -> None:
        """Another program reports something."""
        self.act(events.report, PROGRAM, Report(f"e{next(self.keys)}", event, client, self.clock(), fields))

    def amend_client(self, number: int, **changes: Any) -> None:
        """What is known of a client changes."""
        self.act(clients.amend, number, PROGRAM, changes)

    def promises(self, regulation: str, **where: Any) -> list[Row]:
        """The promises of one regulation, oldest first."""
        return self.rows(models.obligation, regulation=regulation, **where)

    def states(self, regulation: str) -> list[str]:
        """How they stand."""
        return [one["state"] for one in self.promises(regulation)]

    def alerts(self, **where: Any) -> list[tuple[str, str]]:
        """Whom was told, and what for; those inside a digest are left out."""
        return [(one["to"], one["step"]) for one in self.rows(models.alert, **where) if one["digest_id"] is None]
