"""The working day of the demonstration: calls, forms, mails and messages come in, operators answer, and forget.

Nothing is written past the road: calls are events of an exchange, forms are posted over HTTP, messages arrive at the
bot and are answered through it, mails pass the email channel's parser.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientSession
from sqlalchemy import Connection, select

from channels.asterisk.emulator import Emulator
from hub.actions import writing
from hub.actor import Actor
from hub.composition import Hub
from hub.errors import Refused
from hub.sample import letters, recordings
from hub.sample.bot_api import BotApi
from hub.sample.cast import ANSWERS, PEOPLE, QUESTIONS, Person
from hub.sample.recordings import Story
from storage import models

QUEUES = ("support", "sales")
PHONES = {"101": "anna", "102": "boris", "103": "vera"}
PROMISE_S = 90.0
WRAP_UP_S = 8.0
_GAP_S = 3.0
_PATIENCE_S = 60.0
_MORNING = timedelta(hours=8)
_EVERY = timedelta(minutes=11)
_SEED = 7946

Told = Callable[[str], None]


@dataclass(slots=True)
class Day:
    """`speed` divides every time of the story. `told` hears in one line what happens."""

    hub: Hub
    address: str
    http: ClientSession
    pbx: Emulator
    bot: BotApi
    told: Told
    speed: float = 1.0
    _free: list[str] = field(default_factory=lambda: list(PHONES))
    _hung_up: asyncio.Condition = field(default_factory=asyncio.Condition)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _people: Iterator[Person] = field(default_factory=lambda: itertools.cycle(PEOPLE))
    _chance: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 (a story, no secret)

    # -- what has been before the newcomer came -----------------------------------------------------------------------

    async def tell_the_morning(self) -> None:
        """The last hours, all at once, with the times at which they would have happened."""
        stories = itertools.cycle(
            (
                recordings.ANSWERED,
                recordings.ABANDONED,
                recordings.HELD,
                recordings.ANSWERED,
                recordings.TIMEOUT,
                recordings.TRANSFERRED,
                recordings.ANSWERED,
                recordings.DECLINED,
                recordings.RING_ALL,
            )
        )
        began = self.pbx.now() - _MORNING
        for number in range(_MORNING // _EVERY):
            start = began + number * _EVERY + timedelta(seconds=self._chance.uniform(0, 240))
            story, person = next(stories), next(self._people)
            await self._tell_past(story, person, start)
            if number % 3 == 0:
                await self._write_past(next(self._people), start, answered=number % 4 != 0)
            if not story.talks and number % 4 != 0:
                again = start + timedelta(seconds=0.4 * self._promise)
                await self._tell_past(recordings.CALLED_BACK, person, again, self._promise / 60)

    async def _tell_past(self, story: Story, person: Person, start: datetime, slower: float = 0.0) -> None:
        usual = self._chance.uniform(6, 25) if story.talks else self._promise / 45
        for _, event in recordings.tell(story, person, self._cast(story), start, next(self._numbers), slower or usual):
            await self.pbx.say(event)

    async def _write_past(self, person: Person, at: datetime, *, answered: bool) -> None:
        number = next(self._numbers)
        await self.hub.intake.deliver(letters.ask(person, number, at))
        if answered:
            later = at + timedelta(seconds=self._promise * self._chance.uniform(0.3, 0.9))
            operator = self._chance.choice(list(PHONES.values()))
            await self.hub.intake.deliver(letters.answer(person, number, operator, later))

    def _cast(self, story: Story) -> list[str]:
        return self._chance.sample(list(PHONES), len(story.phones))

    # -- what happens now ---------------------------------------------------------------------------------------------

    async def go_on(self) -> None:
        """One thing after another, several at once, until cancelled."""
        async with asyncio.TaskGroup() as several:
            for happen in itertools.cycle(self._script()):
                several.create_task(self._survive(happen))
                await self._wait(_GAP_S)
                async with self._hung_up:
                    self._hung_up.notify_all()  # a pause may have ended meanwhile

    def _script(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return (
            lambda: self._call(recordings.ANSWERED),
            lambda: self._form(answered=True),
            lambda: self._missed(recordings.ABANDONED, called_back=True),
            lambda: self._chat(answered=True),
            lambda: self._mail(answered=True),
            lambda: self._call(recordings.HELD),
            lambda: self._missed(recordings.TIMEOUT, called_back=False),
            lambda: self._chat(answered=False),
            lambda: self._call(recordings.TRANSFERRED),
            lambda: self._pause(),
            lambda: self._form(answered=False),
            lambda: self._call(recordings.DECLINED),
            lambda: self._call(recordings.RING_ALL),
            lambda: self._mail(answered=False),
        )

    async def _survive(self, happen: Callable[[], Awaitable[None]]) -> None:
        """What somebody at the desk did meanwhile (he answered first, he paused) spoils no story."""
        try:
            await happen()
        except Refused as refused:
            self.told(f"nothing to do any more: {refused.message}")
        except TimeoutError:
            self.told("a call that would have needed more operators than are free")

    async def _call(self, story: Story, person: Person | None = None) -> None:
        who = person or next(self._people)
        async with self.taken(len(story.phones)) as phones:
            what = "our call to" if story is recordings.CALLED_BACK else "a call from"
            self.told(f"{what} {who.name}, {story.name.replace('_', ' ')}")
            slower = self._chance.uniform(1.4, 2.6) if story.talks else 1.0
            loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
            pace = slower / self.speed
            for after, event in recordings.tell(story, who, phones, self.pbx.now(), next(self._numbers), pace):
                await asyncio.sleep(max(0.0, began + after.total_seconds() - loop.time()))
                await self.pbx.say(event)
            await self._wait(WRAP_UP_S if story.talks else 0.0)

    async def _missed(self, story: Story, *, called_back: bool) -> None:
        person = next(self._people)
        await self._call(story, person)
        if called_back:
            await self._wait(0.25 * PROMISE_S)
            await self._call(recordings.CALLED_BACK, person)

    async def _form(self, *, answered: bool) -> None:
        person = next(self._people)
        questions = QUESTIONS[person.language]
        fields = {"name": person.name, "phone": person.number, "email": person.email, "message": questions[0]}
        async with self.http.post(f"{self.address}/forms/contact", data=fields) as answer:
            answer.raise_for_status()
        self.told(f"a web form from {person.name}")
        if answered:
            await self._wait(0.3 * PROMISE_S)
            await self._call(recordings.CALLED_BACK, person)

    async def _mail(self, *, answered: bool) -> None:
        person, number = next(self._people), next(self._numbers)
        await self.hub.intake.deliver(letters.ask(person, number, self.pbx.now()))
        self.told(f"a mail from {person.name}")
        if answered:
            await self._wait(0.4 * PROMISE_S)
            operator = self._chance.choice(list(PHONES.values()))
            await self.hub.intake.deliver(letters.answer(person, number, operator, self.pbx.now()))
            self.told(f"{operator} answers the mail of {person.name}")

    async def _chat(self, *, answered: bool) -> None:
        person = next(self._people)
        self.bot.say(person, self._chance.choice(QUESTIONS[person.language]))
        self.told(f"a message from {person.name}")
        if not answered:
            return
        await self._wait(0.3 * PROMISE_S)
        talk = await self.hub.store.read(lambda connection: _find_waiting(connection, person))
        if talk is None:
            return
        operator, setup = self._chance.choice(list(PHONES.values())), self.hub.setup.current
        known = setup.operators[operator]
        actor = Actor("operator", operator, known.role, tuple(known.teams))
        letter = writing.Letter(ANSWERS[person.language])
        await self.hub.store.write(lambda unit: writing.reply(unit, setup, talk, actor, letter))
        self.told(f"{operator} answers the message of {person.name}")

    async def _pause(self) -> None:
        async with self.taken(1) as (phone,):
            self.told(f"{PHONES[phone]} has a break")
            for reason in ("break", ""):
                for event in recordings.pause(phone, QUEUES, reason, self.pbx.now()):
                    await self.pbx.say(event)
                await self._wait(12.0 if reason else 0.0)

    @asynccontextmanager
    async def taken(self, number: int) -> Any:
        """So many operators who are free and do not pause; waits until there are, but not for ever."""
        async with self._hung_up:
            async with asyncio.timeout(_PATIENCE_S / self.speed):
                await self._hung_up.wait_for(lambda: len(self._ready()) >= number)
            phones = self._ready()[:number]
            self._free = [phone for phone in self._free if phone not in phones]
        try:
            yield phones
        finally:
            async with self._hung_up:
                self._free += phones
                self._hung_up.notify_all()

    def _ready(self) -> list[str]:
        return [phone for phone in self._free if f"PJSIP/{phone}" not in self.pbx.pausing]

    @property
    def _promise(self) -> float:
        """How long a promise runs in this demonstration, in seconds."""
        return PROMISE_S / self.speed

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


def _find_waiting(connection: Connection, person: Person) -> int | None:
    """The conversation in which this person waits for an answer to a message."""
    talk, whose = models.conversation.c, models.identity.c
    query = (
        select(talk.id)
        .join_from(models.conversation, models.identity, whose.client_id == talk.client_id)
        .where(whose.scheme == "telegram", whose.value == str(person.telegram))
        .where(talk.state == "open", talk.waiting_since.is_not(None))
        .order_by(talk.last_at.desc())
    )
    return connection.execute(query.limit(1)).scalar()


def times(speed: float) -> Sequence[tuple[str, str]]:
    """What the set-up of the demonstration says about times, at a speed."""
    promise = max(1, round(PROMISE_S / speed))
    return ("promise", f"{promise} seconds"), ("wrap_up", f"{max(0.1, WRAP_UP_S / speed):.1f}")
