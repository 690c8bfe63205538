"""A line at a gateway that speaks HTTP: requests by its template, messages and reports by our webhook."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NoReturn
from urllib.parse import quote

import aiohttp
import orjson
import structlog

from channels.contract import Door, Health, LineState
from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.http import Answered, Http
from channels.sms.outbox import DONE, HANDING, PART, Letter, Note, Outbox, letter_of, wait_for_morning
from channels.sms.parse import Ours
from channels.sms.parts import Alphabet, measure
from channels.sms.settings import HttpSettings
from channels.sms.template import Answer, Ask, fill, find_id
from channels.sms.webhook import Call, read_again, read_call, read_messages, read_reports, unreadable
from channels.touch import Message, Sent, Touch, Webhook, WebhookAnswer
from channels.webhook import health_after, is_secret

log = structlog.get_logger(__name__)

_LOOK_S = 60.0
_SHOWN = 200
_SIGN_IN = "Correct url, user, password and token of the line."


class HttpChannel:
    """A running line. See `channels.contract.Channel`. `look_s`: how often the gateway is asked whether it is there."""

    def __init__(self, line: str, settings: HttpSettings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._template = settings.shape
        self._ours = Ours(line, settings.default_region)
        self._outbox = Outbox(door.memory)
        self._http = Http("the gateway", settings.timeout_s)

    async def listen(self) -> None:
        """See now and then that the gateway is there and lets us in; what comes in calls `receive`."""
        running = False
        while True:
            await self._sign_in()
            if not running:
                self._door.health(Health(LineState.RUNNING))
                running = True
            await asyncio.sleep(self._look_s)

    async def check(self) -> Health:
        """Ask the gateway something that costs nothing."""
        try:
            await self._sign_in()
        except ChannelError as error:
            return health_after(error)
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        letter = letter_of(message, self._settings)
        note = await self._outbox.read(message)
        if note.word == DONE:
            return Sent(note.ids[0])
        if note.word == HANDING:
            raise Uncertain("the connection broke while this message was handed over: it may be out")
        wait_for_morning(message, letter.to, self._settings, self._door.now())
        note = await self._outbox.write(message, Note(HANDING))
        own = _name(message)
        try:
            answered = await self._ask(self._template.send, self._places(letter, own), handing_over=True)
            self._judge(self._template.answer, answered)
        except Uncertain:
            raise
        except ChannelError:
            await self._outbox.write(message, note, PART)
            raise
        found = find_id(self._template.answer.id, answered.text, answered.headers, answered.data)
        taken = (found or own).replace(" ", "_")
        await self._outbox.write(message, Note(DONE, ids=(taken,)))
        return Sent(taken)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say."""
        return await self._outbox.was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Take messages or reports in. Any answer but 200 makes the gateway call again."""
        inbound, report = self._template.inbound, self._template.report
        path = webhook.path.strip("/")
        if path not in (inbound.path, report.path):
            return WebhookAnswer(404, b"nothing is called here\n")
        if webhook.method not in ("GET", "POST"):
            return WebhookAnswer(405, b"GET or POST\n")
        if not self._is_trusted(webhook):
            log.warning("webhook_with_wrong_secret", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong secret\n")
        try:
            call = read_call(webhook)
        except ValueError:
            reason = "its body is no json"
            await self._door.deliver(unreadable(webhook, self._ours, self._door.now(), reason))
            return WebhookAnswer(200, inbound.answer.encode(), inbound.media_type)
        if path == report.path:
            return await self._take_reports(call)
        return await self._take_messages(call)

    async def _take_messages(self, call: Call) -> WebhookAnswer:
        touches = list(read_messages(call, self._template, self._ours, self._door.now()))
        await asyncio.gather(*(self._door.deliver(touch) for touch in touches))
        return WebhookAnswer(200, self._template.inbound.answer.encode(), self._template.inbound.media_type)

    async def _take_reports(self, call: Call) -> WebhookAnswer:
        reports = list(read_reports(call, self._template.report, self._line, self._door.now()))
        await asyncio.gather(*(self._door.report(receipt) for receipt in reports))
        return WebhookAnswer(200, self._template.report.answer.encode(), self._template.report.media_type)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def _sign_in(self) -> None:
        if not self._settings.url and "{url}" in self._template.asks.url:
            raise BadSettings("the line has no url of the gateway", remedy="Set url.")
        answered = await self._ask(self._template.asks, self._places(Letter("", ""), "check"), handing_over=False)
        self._judge(self._template.checked, answered)

    def _places(self, letter: Letter, own: str) -> dict[str, str]:
        settings, cost = self._settings, measure(letter.text)
        hook = self._door.hook()
        report_url = f"{hook}/{self._template.report.path}?secret={quote(self._own_secret())}" if hook else ""
        return {
            "url": settings.url,
            "user": settings.user,
            "password": settings.password.get_secret_value(),
            "token": settings.token.get_secret_value(),
            "to": letter.to,
            "to_digits": letter.to.removeprefix("+"),
            "from": settings.sender,
            "text": letter.text,
            "reference": own,
            "coding": "0" if cost.alphabet is Alphabet.GSM else "2",
            "unicode": "" if cost.alphabet is Alphabet.GSM else "1",
            "parts": str(cost.parts),
            "report_url": report_url,
        }

    async def _ask(self, ask: Ask, places: Mapping[str, str], *, handing_over: bool) -> Answered:
        """One request and its answer. Raises `ChannelError`; whether it arrived decides between the retryable ones."""
        headers = dict(fill(ask.headers, places))
        if ask.sign_in == "basic":
            headers["Authorization"] = aiohttp.encode_basic_auth(places["user"], places["password"])
        elif ask.sign_in == "bearer":
            headers["Authorization"] = f"Bearer {places['token']}"
        if ask.json_ is not None:
            headers.setdefault("Content-Type", "application/json")
        data = orjson.dumps(fill(ask.json_, places)) if ask.json_ is not None else fill(ask.form, places) or None
        return await self._http.ask(
            ask.method,
            fill(ask.url, places),
            handing_over=handing_over,
            params=fill(ask.query, places),
            data=data,
            headers=headers,
        )

    def _judge(self, answer: Answer, answered: Answered) -> None:
        """Returns when the gateway took it; else raises what its answer means."""
        for meaning in answer.meanings:
            if meaning.fits(answered.status, answered.text):
                if meaning.means != "sent":
                    _raise(meaning.means, answered)
                return
        if answer.success.fits(answered.status, answered.text):
            return
        _raise(_usual(answered.status), answered)

    def _is_trusted(self, webhook: Webhook) -> bool:
        """The line's secret, or the one in the addresses that we hand out: in the query, a header, or as a password."""
        known = [self._own_secret()]
        if self._settings.secret is not None:
            known.append(self._settings.secret.get_secret_value())
        given = _given(webhook)
        return any(is_secret(one, each) for one in known for each in given)

    def _own_secret(self) -> str:
        return self._door.sign(f"sms webhook {self._line}")


def parse_again(line: str, settings: HttpSettings, raw: bytes, media_type: str, at: datetime) -> Touch | None:
    """Read a kept call once more."""
    call = read_again(raw, media_type)
    if call is None:
        return None
    return next(read_messages(call, settings.shape, Ours(line, settings.default_region), at), None)


def _name(message: Message) -> str:
    """Our own name of a message: the same whenever it is sent, and short enough for an address."""
    return hashlib.sha256(message.reference.encode()).hexdigest()[:24]


def _given(webhook: Webhook) -> list[str]:
    kind, _, value = webhook.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            value = ""
    return [one for one in (webhook.query.get("secret"), webhook.headers.get("x-secret"), value) if one]


def _usual(status: int) -> str:
    """What an answer means that the template does not know. A broken gateway may have taken the message."""
    if status in (401, 403, 407):
        return "bad_settings"
    if status in (429, 503):
        return "throttled" if status == 429 else "unreachable"
    return "uncertain" if status >= 500 else "rejected"


def _raise(means: str, answered: Answered) -> NoReturn:
    said = f"the gateway answered {answered.status}: {' '.join(answered.text.split())[:_SHOWN]}".rstrip(": ")
    if means == "bad_settings":
        raise BadSettings(said, remedy=_SIGN_IN)
    if means == "throttled":
        raise Throttled(said, retry_after=answered.retry_after or 10.0)
    if means == "unreachable":
        raise Unreachable(said)
    if means == "uncertain":
        raise Uncertain(said)
    if means == "opted_out":
        raise OptedOut("the recipient wants no messages from us", remedy="Write to him on another channel.")
    raise Rejected(said)
