"""The raw body of a form read once more, after a fix. What the request told besides its body is not in it."""

from __future__ import annotations

from datetime import datetime

from channels.touch import Raw, Touch
from webforms.compose import Arrival, compose
from webforms.form import compile_form
from webforms.parse import parse
from webforms.problems import Refused
from webforms.settings import LANGUAGES, FormSettings


def parse_again(
    key: str,
    settings: FormSettings,
    raw: bytes,
    media_type: str,
    at: datetime,
    *,
    region: str = "RU",
    language: str = "",
) -> Touch | None:
    """The touch that this body makes today, under an event key of `replay`; None where it cannot be read at all.

    Address, browser and referrer were in the request and not in the body: keep those of the stored interaction.
    """
    spoken = language or settings.language or LANGUAGES[0]
    region = settings.default_region or region
    try:
        submission = parse(raw, media_type, region)
    except Refused:
        return None
    arrival = Arrival(at=at, event_key="replay", raw=Raw(raw, media_type), region=region, language=spoken)
    return compose(compile_form(key, settings), submission, arrival)
