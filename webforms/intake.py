"""`POST /forms/{key}`: the whole road from a request to a committed touch and its answer."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from datetime import datetime
from hashlib import blake2b
from urllib.parse import urlencode

from aiohttp import web

from channels.contract import Accepted
from channels.throttle import Throttle, network_of
from channels.touch import Raw
from webforms import answers, proof, reserved
from webforms.check import find_problems, in_words
from webforms.compose import Arrival, compose
from webforms.door import FormsDoor
from webforms.form import Form, Forms
from webforms.guard import suspect
from webforms.pages import Pages
from webforms.parse import MULTIPART, Submission, is_form, parse
from webforms.problems import Problem, Refused
from webforms.sender import allowed_origin, client_address, header, language_of
from webforms.words import say

BODY_TIMEOUT_S = 120.0
MAX_IN_FLIGHT = 256_000_000
_SMALL = 65_536
_PROCESS = secrets.token_hex(12)
_SERIAL = itertools.count(16**8)
"""Together a key that nobody has: no secret, so that one look at the system's chance is enough for all; and in order,
so that the index over them grows at one end."""


class Intake:
    """Takes what visitors send."""

    def __init__(self, door: FormsDoor, forms: Forms, pages: Pages) -> None:
        self._door = door
        self._forms = forms
        self._pages = pages
        self._throttle = Throttle()
        self._in_flight = 0

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Accept one submission, or say what is wrong with it."""
        form, submission, origin = None, Submission(), None
        try:
            form = self._forms.get(request.match_info["key"])
            origin = allowed_origin(request, form, self._door.company())
            now = self._door.now()
            address = client_address(request, self._door.proxies)
            sender = f"{form.key}|{network_of(address)}"
            self._knock(form, sender, now, count=False)
            content_type = request.headers.get("Content-Type", "")
            body = await self._read(request, form, content_type)
            region = form.settings.default_region or self._door.company().default_region
            submission = parse(body, content_type, region)
            if problems := find_problems(form, submission):
                raise Refused(*problems)
            self._knock(form, sender, now, count=True)
            arrival = Arrival(
                at=now,
                event_key=_event_key(request, submission, body),
                raw=Raw(body, content_type),
                region=region,
                language=language_of(request, form, submission.first(reserved.LANGUAGE), self._door),
                address=address,
                user_agent=header(request, "User-Agent"),
                referer=header(request, "Referer"),
            )
            touch = compose(form, submission, arrival, await self._suspicion(form, submission, now))
            done = await self._door.deliver(touch)
            answer_by = await self._door.answer_by(form.key, done.interaction, now)
            if _wants_page(request, content_type):
                return self._thank(form, done, answer_by, arrival.language)
            return answers.accepted(done.interaction, done.again, answer_by, answers.cors(origin))
        except Refused as refusal:
            return self._refuse(request, form, submission, refusal, origin)

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """`OPTIONS`: may this page's script send the form?"""
        try:
            form = self._forms.get(request.match_info["key"])
            origin = allowed_origin(request, form, self._door.company())
        except Refused as refusal:
            return answers.refused(refusal, language_of(request, None, None, self._door), answers.cors(None))
        return answers.preflight(origin or "", ("POST", "GET", "OPTIONS"))

    def _knock(self, form: Form, sender: str, now: datetime, *, count: bool) -> None:
        """Hold back who sends too often. Only accepted submissions count, so that mending a field costs nothing."""
        if form.per_address is None and form.per_form is None:
            return
        at = now.timestamp()
        wait = max(self._throttle.wait(sender, form.per_address, at), self._throttle.wait(form.key, form.per_form, at))
        if wait > 0:
            raise answers.throttled(wait)
        if count:
            self._throttle.take(sender, form.per_address, at)
            self._throttle.take(form.key, form.per_form, at)

    async def _read(self, request: web.Request, form: Form, content_type: str) -> bytes:
        """The body, as long as it may be and no longer; large ones one after another share a bounded memory."""
        limit = form.max_bytes if content_type[:20].lower().startswith(MULTIPART) else form.max_text_bytes
        length = request.content_length
        if length is not None and length > limit:
            raise Refused(Problem("too_large", detail=in_words(limit)))
        if self._in_flight > MAX_IN_FLIGHT:
            raise Refused(Problem("busy"), retry_after=5)
        if length is not None and length <= _SMALL and request.content.is_eof():
            return request.content.read_nowait()
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self._in_flight += len(chunk)
                    if len(body) > limit:
                        raise Refused(Problem("too_large", detail=in_words(limit)))
        except TimeoutError:
            raise Refused(Problem("timeout")) from None
        except web.RequestPayloadError:
            raise Refused(Problem("bad_body")) from None
        finally:
            self._in_flight -= len(body)
        return bytes(body)

    async def _suspicion(self, form: Form, submission: Submission, now: datetime) -> str | None:
        suspicion = suspect(form, submission, now, self._door.verify)
        if not form.settings.proof_of_work:
            return suspicion
        payload = submission.first(reserved.PROOF)
        verdict = await proof.judge(form.key, payload, now, self._door.sign, self._door.seen_proof)
        return ", ".join(filter(None, (suspicion, verdict))) or None

    def _thank(self, form: Form, done: Accepted, answer_by: datetime | None, language: str) -> web.Response:
        """303, so that reloading the thanks page sends nothing again."""
        thanks = say(form.settings.thanks, language)
        if not thanks.startswith(("https://", "http://")):
            said = {"n": str(done.interaction or ""), "by": answers.in_utc(answer_by) or "", "lang": language}
            said["s"] = self._door.sign(f"thanks:{form.key}:{said['n']}:{said['by']}")
            thanks = f"/forms/{form.key}/thanks?{urlencode(said)}"
        return web.Response(status=303, headers={"Location": thanks, "Cache-Control": "no-store"})

    def _refuse(
        self, request: web.Request, form: Form | None, submission: Submission, refusal: Refused, origin: str | None
    ) -> web.Response:
        language = language_of(request, form, submission.first(reserved.LANGUAGE), self._door)
        if not _wants_page(request, request.headers.get("Content-Type", "")):
            return answers.refused(refusal, language, answers.cors(origin))
        if form is not None and submission.values:
            return self._pages.again(request, form, submission, refusal, language)
        return self._pages.sorry(refusal, language)


def _wants_page(request: web.Request, content_type: str) -> bool:
    """Is it a browser's own form post? Scripts and servers do not ask for HTML."""
    return "text/html" in request.headers.get("Accept", "") and is_form(content_type)


def _event_key(request: web.Request, submission: Submission, body: bytes) -> str:
    """The sender's own key; or that of the page with what was typed, for a page shown again may be filled anew."""
    if given := request.headers.get("Idempotency-Key"):
        return f"key:{given}" if len(given) <= 100 and given.isascii() else f"key#{_digest(given)}"
    if page := submission.first(reserved.KEY):
        said = [one for one in submission.values.items() if not reserved.is_reserved(one[0])]
        files = [(name, file.name, len(file.data)) for name, file in submission.files]
        return f"page:{_digest(f'{page}{said}{files}')}"
    return f"new:{_PROCESS}{next(_SERIAL):x}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
