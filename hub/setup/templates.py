"""`[template.K]`: words that are written again and again, with blanks, per language and channel."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.setup import blanks
from hub.setup.titles import Title, say

REFERENCE = "template:"
"""How another key of the set-up names a template: `acknowledge = "template:welcome"`."""


class ApprovedSettings(BaseModel):
    """The same words as the messenger's owner approved them, for when free text is not allowed any more.

    `language` is the code of the approval, one or per language of ours; `parameters` are texts with blanks, in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=512)
    language: Title = "en"
    parameters: tuple[str, ...] = ()

    @field_validator("parameters")
    @classmethod
    def _parameters_are_texts(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for one in values:
            blanks.check(one)
        return values


class Template(BaseModel):
    """Frozen. `channels` has other words for some channels (an SMS is short); `team` says whose it is, if not all's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Title = ""
    text: Title
    subject: Title | None = None
    channels: dict[str, Title] = Field(default_factory=dict)
    team: str | None = None
    approved: ApprovedSettings | None = None

    @field_validator("text", "subject")
    @classmethod
    def _blanks_are_known(cls, value: Title | None) -> Title | None:
        for one in texts_of(value):
            blanks.check(one)
        return value

    @field_validator("text")
    @classmethod
    def _says_something(cls, value: Title) -> Title:
        if not all(one.strip() for one in texts_of(value)) or not list(texts_of(value)):
            raise ValueError("the text is empty")
        return value

    @field_validator("channels")
    @classmethod
    def _other_words_too(cls, value: dict[str, Title]) -> dict[str, Title]:
        for channel, words in value.items():
            for one in texts_of(words):
                try:
                    blanks.check(one)
                except ValueError as error:
                    raise ValueError(f"{channel}: {error}") from None
        return value

    def words(self, language: str | None, channel: str | None = None) -> str:
        """The text in a language, in the words of a channel if it has its own."""
        return say(self.channels.get(channel or "") or self.text, language)

    def every_text(self) -> Iterator[str]:
        """All texts that may have blanks, of all languages and channels."""
        for each in (self.text, self.subject, *self.channels.values()):
            yield from texts_of(each)
        yield from self.approved.parameters if self.approved else ()


def texts_of(title: Title | None) -> Iterator[str]:
    """The text of each language."""
    if isinstance(title, str):
        yield title
    else:
        yield from (title or {}).values()


def check_automatic(title: Title | None) -> Title | None:
    """For texts that go out by themselves: what may be missing needs words of its own. Raises `ValueError`."""
    if isinstance(title, str) and title.startswith(REFERENCE):
        return title
    for one in texts_of(title):
        blanks.check(one, automatic=True)
    return title


def refers_to(title: Title | None) -> str | None:
    """The template that a text names instead of saying something itself."""
    return title.removeprefix(REFERENCE).strip() if isinstance(title, str) and title.startswith(REFERENCE) else None
