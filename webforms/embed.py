"""`GET /embed/{key}.js`: one plain script that puts a form into somebody else's page."""

from __future__ import annotations

import json
from hashlib import blake2b

from aiohttp import web

from webforms import assets
from webforms.answers import refused
from webforms.door import FormsDoor
from webforms.form import Form, Forms
from webforms.problems import Refused
from webforms.sender import language_of
from webforms.view import describe_form
from webforms.words import page_words


class Embed:
    """Hands out snippets. A snippet holds no secret and nothing fresh, so caches may keep it a few minutes."""

    def __init__(self, door: FormsDoor, forms: Forms) -> None:
        self._door = door
        self._forms = forms
        self._built: dict[str, tuple[Form, tuple[str, ...], str, str]] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The script, or 304 where the browser has it already."""
        try:
            form = self._forms.get(request.match_info["key"])
        except Refused as refusal:
            return refused(refusal, language_of(request, None, None, self._door), {"Cache-Control": "no-store"})
        script, tag = self._script(form)
        headers = {
            "Cache-Control": "public, max-age=300",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        response = web.Response(text=script, content_type="text/javascript", headers=headers)
        response.enable_compression()
        return response

    def _script(self, form: Form) -> tuple[str, str]:
        languages = self._door.company().languages
        built = self._built.get(form.key)
        if built is None or built[0] is not form or built[1] != languages:
            script = build(form, languages)
            tag = f'"{blake2b(script.encode(), digest_size=8).hexdigest()}"'
            built = self._built[form.key] = (form, languages, script, tag)
        return built[2], built[3]


def build(form: Form, languages: tuple[str, ...]) -> str:
    """The script of one form in all its languages."""
    data = {
        "key": form.key,
        "language": form.settings.language or languages[0],
        "forms": {language: describe_form(form, language) for language in languages},
        "words": {language: page_words(language) for language in languages},
    }
    code = "\n".join(assets.read(name) for name in ("shared.js", "embed.js"))
    return (
        f'(() => {{\n"use strict";\nconst FORM = {_literal(data)};\n'
        f"const STYLE = {_literal(assets.read('form.css'))};\n{code}\n}})();\n"
    )


def _literal(value: object) -> str:
    """JSON is JavaScript but for two line separators; `<` is escaped for those who paste the script into a page."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
