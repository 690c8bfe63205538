"""The hosted page of a form, the page that thanks, and the page that says sorry: server-rendered, no script needed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, select_autoescape

from webforms import answers, assets, proof, reserved
from webforms.door import FormsDoor
from webforms.form import Form, Forms
from webforms.guard import make_token
from webforms.parse import Submission
from webforms.problems import Refused
from webforms.sender import allowed_origin, header, language_of
from webforms.settings import FieldKind
from webforms.view import describe_form
from webforms.words import describe, page_words, say

NAMES = {"ru": "Русский", "uk": "Українська", "pl": "Polski", "en": "English"}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


class Pages:
    """Shows forms to people."""

    def __init__(self, door: FormsDoor, forms: Forms) -> None:
        self._door = door
        self._forms = forms

    async def show(self, request: web.Request) -> web.Response:
        """`GET /forms/{key}`"""
        try:
            form = self._forms.get(request.match_info["key"])
        except Refused as refusal:
            return self.sorry(refusal, language_of(request, None, request.query.get("lang"), self._door))
        language = language_of(request, form, request.query.get("lang"), self._door)
        return self._page(request, form, language, self._first_marks(request, form), {}, None)

    def again(
        self, request: web.Request, form: Form, submission: Submission, refusal: Refused, language: str
    ) -> web.Response:
        """The page once more, with what was typed and what is wrong with it."""
        kept = [
            (name, given[0])
            for name, given in submission.values.items()
            if reserved.is_reserved(name) or name in reserved.MARKS
        ]
        return self._page(request, form, language, kept, submission.values, refusal)

    def _first_marks(self, request: web.Request, form: Form) -> list[tuple[str, str]]:
        """Where the visitor came from, kept in hidden fields."""
        marks = [(name, value) for name, value in request.query.items() if name in reserved.MARKS]
        marks.append((reserved.KEY, secrets.token_urlsafe(16)))
        marks.append((reserved.STARTED, make_token(form.key, self._door.now(), self._door.sign)))
        marks.append((reserved.PAGE, self._own_url(request)))
        if referrer := header(request, "Referer"):
            marks.append((reserved.REFERRER, referrer[:2000]))
        return marks

    def _own_url(self, request: web.Request) -> str:
        public = self._door.company().public_url or f"{request.scheme}://{request.host}"
        return f"{public}{request.rel_url}"[:2000]

    def _page(
        self,
        request: web.Request,
        form: Form,
        language: str,
        marks: list[tuple[str, str]],
        values: dict[str, list[str]],
        refusal: Refused | None,
    ) -> web.Response:
        problems = refusal.problems if refusal else ()
        html = _TEMPLATES.get_template("form.html").render(
            self._frame(language),
            form=describe_form(form, language),
            marks=[(name, value) for name, value in marks if name != reserved.LANGUAGE],
            values=values,
            defaults={one["name"]: values.get(one["name"], [one["value"]])[0] for one in _hidden(form)},
            errors={problem.field: describe(problem, language)[0] for problem in problems if problem.field},
            general=[" ".join(describe(problem, language)) for problem in problems if not problem.field],
            files_lost=bool(refusal and form.files),
            languages=[(code, NAMES[code], self._switched(request, code)) for code in self._door.company().languages],
            multipart=bool(form.files),
        )
        more = answers.retry_after(refusal) if refusal else {}
        return _answer(html, refusal.status if refusal else 200, self._policy(form, language), more)

    def _switched(self, request: web.Request, language: str) -> str:
        return str(request.rel_url.update_query(lang=language))

    async def thank(self, request: web.Request) -> web.Response:
        """`GET /forms/{key}/thanks`: when he will be answered, signed by us so that nobody else promises for us."""
        key, query = request.match_info["key"], request.query
        try:
            form = self._forms.get(key)
        except Refused as refusal:
            return self.sorry(refusal, language_of(request, None, query.get("lang"), self._door))
        language = language_of(request, form, query.get("lang"), self._door)
        number, by = query.get("n", ""), query.get("by", "")
        if not self._door.verify(f"thanks:{key}:{number}:{by}", query.get("s", "")):
            number, by = "", ""
        html = _TEMPLATES.get_template("thanks.html").render(
            self._frame(language),
            form={"key": key, "title": say(form.settings.title, language)},
            own=say(form.settings.thanks, language),
            number=number,
            by=by,
            by_words=_in_words(by, self._door.zone(key), language) if by else "",
        )
        return _answer(html, 200, self._policy(form, language), {})

    def sorry(self, refusal: Refused, language: str) -> web.Response:
        """A page for what cannot be shown at all."""
        message, remedy = describe(refusal.problems[0], language)
        html = _TEMPLATES.get_template("sorry.html").render(self._frame(language), message=message, remedy=remedy)
        return _answer(html, refusal.status, _policy_of(()), answers.retry_after(refusal))

    async def token(self, request: web.Request) -> web.Response:
        """`GET /forms/{key}/token`: what a snippet needs fresh: the time it was opened, and work to prove."""
        try:
            form = self._forms.get(request.match_info["key"])
            origin = allowed_origin(request, form, self._door.company())
        except Refused as refusal:
            return answers.refused(refusal, language_of(request, None, None, self._door), answers.cors(None))
        now, settings = self._door.now(), form.settings
        fresh: dict[str, Any] = {"started": make_token(form.key, now, self._door.sign), "challenge": None}
        if settings.proof_of_work:
            fresh["challenge"] = proof.make_challenge(form.key, settings.proof_difficulty, now, self._door.sign)
        return web.json_response(fresh, headers=answers.cors(origin))

    def _frame(self, language: str) -> dict[str, Any]:
        return {
            "language": language,
            "company": self._door.company().name,
            "words": page_words(language),
            "asset": assets.link,
        }

    def _policy(self, form: Form, language: str) -> str:
        """Chromium applies `form-action` to where a post is redirected as well, so a thanks page elsewhere is named."""
        thanks = urlsplit(say(form.settings.thanks, language))
        elsewhere = (f"{thanks.scheme}://{thanks.netloc}",) if thanks.scheme in ("http", "https") else ()
        return _policy_of(elsewhere, form.settings.origins)


def _hidden(form: Form) -> list[dict[str, str]]:
    fields = (field for field in form.fields if field.kind is FieldKind.HIDDEN)
    return [{"name": field.name, "value": field.settings.value or ""} for field in fields]


def _policy_of(actions: tuple[str, ...], framers: tuple[str, ...] = ()) -> str:
    own = "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
    may_act, may_frame = " ".join(("'self'", *actions)), " ".join(("'self'", *framers))
    return f"default-src 'none'; {own}; base-uri 'none'; form-action {may_act}; frame-ancestors {may_frame}"


def _answer(html: str, status: int, policy: str, more: dict[str, str]) -> web.Response:
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Language",
    }
    return web.Response(status=status, text=html, content_type="text/html", headers=headers | more)


def _in_words(by: str, zone: str, language: str) -> str:
    """The promised time for browsers without script, in the zone of the calendar that it was computed in."""
    at = datetime.strptime(by, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return format_datetime(at, "EEEE, d MMMM, HH:mm (ZZZZ)", tzinfo=ZoneInfo(zone), locale=language)
