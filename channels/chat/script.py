"""The widget's script: one plain file with the line's texts, colours and styles in it."""

from __future__ import annotations

import json
from functools import cache
from hashlib import blake2b
from pathlib import Path

from channels.chat.parse import MOST_FILES
from channels.chat.settings import LANGUAGES, Settings, say
from channels.chat.words import words_of
from channels.touch import Webhook, WebhookAnswer

_FOLDER = Path(__file__).with_name("static")
_PARTS = ("drawing.js", "talk.js", "link.js", "widget.js")


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


class Script:
    """The script of one line, made once."""

    def __init__(self, line: str, settings: Settings, languages: tuple[str, ...]) -> None:
        self._body = build(line, settings, languages).encode()
        self._tag = f'"{blake2b(self._body, digest_size=8).hexdigest()}"'

    def answer(self, webhook: Webhook) -> WebhookAnswer:
        """The script, or 304 where the browser has it already. It holds no secret: caches may keep it a while."""
        headers = {
            "Cache-Control": "public, max-age=300",
            "ETag": self._tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if self._tag in webhook.headers.get("if-none-match", ""):
            return WebhookAnswer(304, headers=headers)
        return WebhookAnswer(200, self._body, "text/javascript", headers)


def build(line: str, settings: Settings, languages: tuple[str, ...]) -> str:
    """The script of one line in the company's languages."""
    spoken = [one for one in languages if one in LANGUAGES] or [LANGUAGES[-1]]
    if settings.language and settings.language not in spoken:
        spoken.append(settings.language)
    consent = settings.consent
    data = {
        "line": line,
        "languages": spoken,
        "language": settings.language,
        "words": {one: _texts(settings, one) for one in spoken},
        "consent": consent is not None,
        "version": consent.version if consent else None,
        "link": consent.link if consent else None,
        "theme": settings.theme,
        "side": settings.side,
        "files": _files(settings),
        "longest": settings.longest_text,
    }
    code = "\n".join(_read(name) for name in _PARTS)
    style = _read("widget.css").replace("#123456", settings.colour).replace("#654321", ink_on(settings.colour))
    return (
        f'(() => {{\n"use strict";\nconst CHAT = {_literal(data)};\nconst STYLE = {_literal(style)};\n{code}\n}})();\n'
    )


def _texts(settings: Settings, language: str) -> dict[str, str]:
    texts = words_of(language)
    own = {"heading": settings.heading, "greeting": settings.greeting, "offline": settings.offline}
    texts |= {name: say(text, language) for name, text in own.items() if text is not None}
    if settings.consent is not None:
        texts["consent"] = say(settings.consent.text, language)
    return texts


def _files(settings: Settings) -> dict[str, object] | None:
    if not settings.files:
        return None
    return {
        "bytes": settings.max_file_bytes,
        "size": f"{settings.max_file_mb:g}",
        "count": MOST_FILES,
        "accept": ",".join(settings.accept),
    }


def ink_on(colour: str) -> str:
    """White or black, whichever is easier to read on a colour (WCAG 2.2, relative luminance)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _literal(value: object) -> str:
    """JSON is JavaScript but for two line separators; `<` is escaped for those who paste the script into a page."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
