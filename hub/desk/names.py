"""How people call the things that the set-up names by keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.places import FORM
from hub.setup.snapshot import SetUp
from hub.setup.titles import say


@dataclass(frozen=True, slots=True)
class Names:
    """In one language. A key that the set-up has forgotten is shown as it is."""

    setup: SetUp
    language: str

    def operator(self, key: str | None) -> str:
        """An operator's name. Accepts `operator:anna` too, as journals write it."""
        if not key:
            return ""
        kind, colon, rest = key.partition(":")
        if colon and kind == "regulation":
            return self.regulation(rest)
        plain = rest if colon else key
        known = self.setup.operators.get(plain)
        return known.name if known else plain

    def initials(self, key: str) -> str:
        """Two letters for his picture."""
        words = self.operator(key).split()
        return "".join(word[0] for word in words[:2]) or "?"

    def team(self, key: str | None) -> str:
        """A team's title."""
        known = self.setup.teams.get(key or "")
        return say(known.title, self.language, key or "") if known else key or ""

    def script(self, key: str | None) -> str:
        """What a team's operators say on the telephone; empty where nobody wrote it."""
        known = self.setup.teams.get(key or "")
        return say(known.script, self.language) if known else ""

    def disposition(self, key: str) -> str:
        """What the set-up calls an outcome; empty for one of the usual list."""
        title = self.setup.company.dispositions.get(key)
        return say(title, self.language, key) if title is not None else ""

    def line(self, key: str) -> str:
        """A line's title, a form's, or the key."""
        if key.startswith(FORM):
            form = self.setup.forms.get(key[len(FORM) :])
            return say(getattr(form, "title", None), self.language, key[len(FORM) :])
        known = self.setup.lines.get(key)
        return say(known.title, self.language, key) if known is not None else key

    def fields(self, line: str, values: Mapping[str, Any], text: str = "") -> dict[str, Any]:
        """A form's fields under the labels that the visitor saw; what the text says already is left out."""
        form = self.setup.forms.get(line[len(FORM) :]) if line.startswith(FORM) else None
        labels = {each.name: say(each.label, self.language, each.name) for each in form.fields} if form else {}
        return {labels.get(name, name): value for name, value in values.items() if not text or value != text}

    def regulation(self, key: str) -> str:
        """A regulation's title."""
        known = self.setup.regulations.get(key)
        title = known.get("title") if isinstance(known, dict) else getattr(known, "title", None)
        return say(title, self.language, key)

    def operators(self) -> list[tuple[str, str]]:
        """All operators: (key, name), by name."""
        return sorted(((key, known.name) for key, known in self.setup.operators.items()), key=lambda pair: pair[1])

    def teams(self) -> list[tuple[str, str]]:
        """All teams: (key, title), by title."""
        return sorted(((key, self.team(key)) for key in self.setup.teams), key=lambda pair: pair[1])

    def sending_lines(self, channel: str | None = None) -> list[tuple[str, str]]:
        """Lines that the hub may send through: (key, title)."""
        return [
            (key, self.line(key))
            for key, line in self.setup.lines.items()
            if line.sends and (channel is None or line.channel == channel)
        ]
