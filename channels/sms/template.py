"""A gateway that is spoken to by HTTP, described: what to ask, what its answers mean, what it sends to us. Pure.

Texts of a request may have `{name}` in them, filled from `PLACES`; a key whose text comes out empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from channels.touch import ReceiptState

# fmt: off
PLACES = frozenset({
    "url", "user", "password", "token", "to", "to_digits", "from", "text", "reference", "coding", "unicode", "parts",
    "report_url",
})
# fmt: on
_PLACE = re.compile(r"\{([a-z_]+)\}")
_GROUP = re.compile(r"\((?!\?)")

Means = Literal["rejected", "throttled", "unreachable", "bad_settings", "opted_out", "sent"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Ask(_Part):
    """One request. At most one of `form` and `json`."""

    method: Literal["GET", "POST"] = "POST"
    url: str = "{url}"
    query: dict[str, str] = Field(default_factory=dict)
    form: dict[str, str] = Field(default_factory=dict)
    json_: dict[str, Any] | None = Field(default=None, alias="json")
    headers: dict[str, str] = Field(default_factory=dict)
    sign_in: Literal["none", "basic", "bearer"] = "none"

    @model_validator(mode="after")
    def _places_are_known(self) -> Ask:
        if self.form and self.json_ is not None:
            raise ValueError("a request has a form or json, not both")
        for text in _texts((self.url, self.query, self.form, self.json_, self.headers)):
            unknown = sorted(set(_PLACE.findall(text)) - PLACES)
            if unknown:
                raise ValueError(f"nothing is called {{{unknown[0]}}}: there are {', '.join(sorted(PLACES))}")
        return self


class Meaning(_Part):
    """What an answer means: by status, by a pattern found in the body, or both."""

    means: Means
    status: tuple[int, ...] = ()
    pattern: str | None = None

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        _compiled(value)
        return value

    def fits(self, status: int, body: str) -> bool:
        """Does this answer mean it?"""
        if self.status and status not in self.status:
            return False
        return self.pattern is None or _search(self.pattern, body) is not None


class Answer(_Part):
    """What comes back from `send`. `id`: where the gateway's message id is.

    `json:messages.0.id`, `pattern:ID - (\\d+)`, `header:X-Id`, or `own`: we name the message ourselves. `meanings` are
    tried in order before `success`; what is neither is a refusal.
    """

    success: Meaning = Meaning(means="sent", status=(200, 201, 202))
    id: str = "own"
    meanings: tuple[Meaning, ...] = ()

    @field_validator("id")
    @classmethod
    def _id_can_be_found(cls, value: str) -> str:
        kind, _, rest = value.partition(":")
        if value != "own" and not (kind in {"json", "pattern", "header"} and rest):
            raise ValueError("is own, json:PATH, pattern:EXPRESSION or header:NAME")
        if kind == "pattern" and not (_compiled(rest) and _GROUP.search(rest)):
            raise ValueError("needs a pattern with a group")
        return value


class Inbound(_Part):
    """A client's message on `/hooks/LINE/{path}`: names of fields in query, form or json (`payload.text`).

    A body of plain text is the field `body`. `body|text`: whichever is there. `charset` names the field that says how
    the text is written, where a gateway puts UTF-16 into an address.
    """

    path: str = "in"
    items: str = ""
    sender: str = "from"
    recipient: str = "to"
    text: str = "text"
    id: str = "id"
    charset: str = ""
    answer: str = ""
    media_type: str = "text/plain"


class Reports(_Part):
    """A delivery report on `/hooks/LINE/{path}`. `states` lists the gateway's words by what they mean."""

    path: str = "report"
    items: str = ""
    id: str = "id"
    state: str = "status"
    reason: str = ""
    states: dict[ReceiptState, tuple[str, ...]] = Field(default_factory=dict)
    answer: str = ""
    media_type: str = "text/plain"

    def state_of(self, word: str) -> ReceiptState | None:
        """What one of the gateway's words means; None = nothing that we keep."""
        folded = word.casefold()
        for state, words in self.states.items():
            if any(folded == one.casefold() for one in words):
                return state
        return None


class Template(_Part):
    """One gateway. `check` asks something that costs nothing, to see whether we may sign in."""

    send: Ask
    answer: Answer = Answer()
    check: Ask | None = None
    checked: Answer = Answer(
        success=Meaning(means="sent"),
        meanings=(
            Meaning(means="bad_settings", status=(401, 403)),
            Meaning(means="unreachable", status=(500, 502, 503, 504)),
        ),
    )
    inbound: Inbound = Inbound()
    report: Reports = Reports()

    @property
    def asks(self) -> Ask:
        """What `check` asks: without one, the address that messages go to, with nothing in it."""
        return self.check or Ask(method="GET", url="{url}", sign_in=self.send.sign_in)


def fill(value: Any, places: Mapping[str, str]) -> Any:
    """A text, table or list with its places filled; a table's keys that come out empty are left out.

    Without an address for reports, whatever is built around it is empty too.
    """
    if isinstance(value, str):
        if "{report_url}" in value and not places["report_url"]:
            return ""
        return _PLACE.sub(lambda found: places[found[1]], value)
    if isinstance(value, Mapping):
        filled = {key: fill(inner, places) for key, inner in value.items()}
        return {key: inner for key, inner in filled.items() if inner != ""}
    return [fill(inner, places) for inner in value] if isinstance(value, list) else value


def find_id(where: str, body: str, headers: Mapping[str, str], answered: Any) -> str | None:
    """The gateway's id of a message, as `Answer.id` says; `answered` is the body as json, if it is any."""
    kind, _, rest = where.partition(":")
    if kind == "pattern":
        found = _search(rest, body)
        return found[1] if found else None
    value = headers.get(rest) if kind == "header" else dig(answered, rest) if kind == "json" else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def dig(value: Any, path: str) -> Any:
    """`messages.0.id` in what json has become; None where there is no such place."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


@cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no pattern: {error}") from None


def _search(pattern: str, body: str) -> re.Match[str] | None:
    compiled = _compiled(pattern)
    return compiled.search(body) if compiled else None
