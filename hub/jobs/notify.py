"""Mails to our own people: alerts, invitations, password resets. What cannot be mailed stays on the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from channels.contract import Channel
from channels.errors import BadSettings, ChannelError
from channels.touch import Identity, Message
from hub.jobs.worker import MOST_ATTEMPTS, GiveUp, Later
from hub.setup.snapshot import SetUp
from storage.repositories import jobs
from storage.repositories.jobs import Job
from storage.store import Store


class Notify:
    """The handler of `notify` jobs: `{operator, subject, text}` or `{to, subject, text}`.

    Where the job names a `conversation`, its page at the desk is linked; `address` is where people reach the desk
    when the set-up does not say.
    """

    def __init__(
        self, store: Store, setup: Callable[[], SetUp], channel_of: Callable[[str], Channel], address: str = ""
    ) -> None:
        self._store = store
        self._setup = setup
        self._channel_of = channel_of
        self._address = address

    async def __call__(self, job: Job) -> None:
        setup = self._setup()
        address = job.body.get("to") or _address_of(setup, job.body.get("operator"))
        if not address:
            raise GiveUp(f"{job.body.get('operator')} has no mail address")
        line = alert_line(setup)
        if line is None:
            raise GiveUp("no mail line is set up; set company.alert_line")
        try:
            channel = self._channel_of(line)
        except BadSettings as error:
            raise Later(error.reason, timedelta(minutes=10), started=job.started) from error
        message = Message(
            reference=f"n{job.id}",
            to=(Identity("email", address),),
            subject=str(job.body.get("subject") or ""),
            text=self._text(job, setup),
            at=self._store.now(),
            sender_name=setup.company.name,
            automatic=True,
        )
        if job.started and await channel.was_sent(message):
            return
        await self._store.write(lambda unit: jobs.mark_started(unit, job.id))
        try:
            await channel.send(message)
        except BadSettings as error:
            raise Later(error.reason, timedelta(minutes=10)) from error
        except ChannelError as error:
            if not error.retryable or job.attempts >= MOST_ATTEMPTS:
                raise GiveUp(error.reason) from error
            raise

    def _text(self, job: Job, setup: SetUp) -> str:
        text = str(job.body.get("text") or "")
        address = (setup.company.public_url or self._address).rstrip("/")
        number = job.body.get("conversation")
        return f"{text}\n\n{address}/desk/conversations/{number}" if address and number else text


def alert_line(setup: SetUp) -> str | None:
    """The line that mails our own people: the one named in the set-up, else the first mailbox."""
    named = setup.company.alert_line
    if named and (line := setup.lines.get(named)) and line.sends:
        return named
    return next((key for key, line in sorted(setup.lines.items()) if line.channel == "email" and line.sends), None)


def _address_of(setup: SetUp, key: str | None) -> str | None:
    operator = setup.operators.get(key or "")
    return operator.email if operator else None
