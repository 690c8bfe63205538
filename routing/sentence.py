"""A regulation read back as one sentence, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from routing.conditions import Action, After, For
from routing.deadline import Roll
from routing.duration import Duration
from routing.phrases import PHRASES, UNITS, plural
from routing.regulations.follow_up import REACH
from routing.regulations.recurring import CONGRATULATE, CONTACT
from routing.rule import Rule
from routing.steps import TASK, Step
from routing.terms import TERMS

SHOWN = (
    "category",
    "team",
    "queue",
    "line",
    "channel",
    "form",
    "kind",
    "direction",
    "responsible",
    "client_kind",
    "lifecycle",
    "source",
    "region",
    "language",
    "counterparty",
    "product_line",
    "disposition",
    "words",
)


TRANSLATED = frozenset({"kind", "direction", "client_kind", "lifecycle"})


def sentence(rule: Rule, language: str = "en") -> str:
    """What the regulation promises, to whom, by when, and who hears of it."""
    speaker = _Speaker(language if language in PHRASES else "en")
    clauses = [speaker.core(rule), *speaker.conditions(rule), *(speaker.step(step) for step in rule.steps)]
    return "; ".join(clause for clause in clauses if clause) + "."


def steps_in_words(rule: Rule, language: str = "en") -> dict[str, str]:
    """Every step of a regulation by its name: when, what, and whom it tells."""
    speaker = _Speaker(language if language in PHRASES else "en")
    return {step.name: speaker.step(step) for step in rule.steps}


def length(duration: Duration, language: str) -> str:
    """A duration in words."""
    return _Speaker(language if language in PHRASES else "en").length(duration)


class _Speaker:
    def __init__(self, language: str) -> None:
        self._language = language
        self._say: Mapping[str, str] = {**PHRASES[language], **TERMS[language]}

    def length(self, duration: Duration) -> str:
        number, unit = abs(duration).spoken()
        forms = UNITS[self._language][unit]
        return f"{number} {forms[min(plural(self._language, number), len(forms) - 1)]}"

    def core(self, rule: Rule) -> str:
        settings: Any = rule.common
        said = {"who": self._who(settings.for_), "within": self._targets(rule, "target")}
        if settings.kind == "recurring":
            said["action"] = self._action(settings.met_by or (CONGRATULATE if settings.on_dates else CONTACT))
            said["dates"] = ", ".join(
                self._say["birthday"] if each == "birthday" else each for each in settings.on_dates
            )
            said["within"] = self._targets(rule, "target_every")
            return self._say["on_dates" if settings.on_dates else "recurring"].format(**said)
        if settings.kind == "gate":
            found = self._say["gate"].format(require=", ".join(settings.require), **said)
            return found + (self._say["gate_within"].format(**said) if rule.targets else "")
        if settings.kind in ("follow_up", "broadcast"):
            said["after"] = self._after(settings.after)
            said["action"] = self._action(settings.action or REACH)
            said["reach"] = f"{float(settings.reach * 100):g} %" if settings.kind == "broadcast" else ""
        first = settings.kind == "respond" and settings.answers == "first"
        return self._say["respond_first" if first else settings.kind].format(**said)

    def conditions(self, rule: Rule) -> Iterable[str]:
        settings: Any = rule.common
        yield from self._kept_by(settings)
        if settings.calendar:
            yield self._say["calendar"].format(calendar=settings.calendar)
        if rule.pause_while:
            states = f" {self._say['or']} ".join(self._say.get(each, each) for each in sorted(rule.pause_while))
            yield self._say["pause"].format(states=states)
        if settings.roll is not Roll.NONE:
            yield self._say[f"roll_{settings.roll.value}"]
        if settings.cancel_when:
            yield self._say["cancel"].format(events=", ".join(settings.cancel_when.event))
        if settings.quiet_hours:
            yield self._say["quiet"].format(hours=", ".join(str(each) for each in settings.quiet_hours))

    def _kept_by(self, settings: Any) -> Iterable[str]:
        """What keeps it, where the first clause does not say so."""
        if settings.kind == "broadcast":
            said = self._action(settings.action) if settings.action else self._say["mailing"]
            yield self._say["counts"].format(action=said)
            if settings.consent:
                yield self._say["consent"].format(consent=settings.consent)
        elif settings.kind in ("respond", "update") and settings.met_by != Action():
            yield self._say["counts"].format(action=self._action(settings.met_by))
        channels = getattr(settings, "channel", ("any",))
        if "same" in channels:
            yield self._say["same_channel"]
        elif "any" not in channels:
            yield self._say["channels"].format(channels=", ".join(channels))

    def step(self, step: Step) -> str:
        when = self._when(step)
        if step.do == TASK:
            return self._say["task"].format(when=when, title=step.title or "…")
        to = {"team-lead": "lead", "team_lead": "lead", "responsible": "to_responsible"}.get(step.to, step.to)
        return self._say["alert"].format(when=when, to=self._say.get(to, to))

    def _when(self, step: Step) -> str:
        if step.when.share is not None:
            return self._say["share"].format(share=str(step.when))
        if step.when.offset is None:
            return self._say["due"]
        said = self.length(step.when.offset)
        return self._say["after_due" if step.when.offset.amount >= 0 else "before"].format(length=said)

    def _who(self, chosen: For | None) -> str:
        if chosen is None:
            return self._say["everybody"]
        named = ((self._say[f"for_{name}"], self._words(name, getattr(chosen, name))) for name in SHOWN)
        parts = [f"{name} {', '.join(values)}" for name, values in named if values]
        parts += [f"{name} = {_plain(value)}" for name, value in chosen.field.items()]
        if chosen.first_contact is not None:
            parts.append(self._say["first_contact" if chosen.first_contact else "not_first_contact"])
        if chosen.during:
            parts.append(self._say["during"].format(hours=", ".join(str(each) for each in chosen.during)))
        if chosen.open is not None:
            parts.append(self._say["when_open" if chosen.open else "when_closed"])
        return self._say["some"].format(what="; ".join(parts)) if parts else self._say["everybody"]

    def _marks(self, table: After | Action, names: Iterable[str]) -> list[str]:
        return [", ".join(words) for name in names if (words := self._words(name, getattr(table, name)))]

    def _words(self, name: str, values: Iterable[str]) -> list[str]:
        """Only words of the format are translated: a team may be called "call", too."""
        return [self._say.get(each, each) if name in TRANSLATED else each for each in values]

    def _targets(self, rule: Rule, phrase: str) -> str:
        targets = dict(rule.targets)
        other = targets.pop("other", None)
        named = [self._say[phrase].format(category=name, length=self.length(each)) for name, each in targets.items()]
        if other is None:
            return ", ".join(named)
        return self.length(other) + (f" ({', '.join(named)})" if named else "")

    def _after(self, after: After) -> str:
        parts = [self._say.get(name) or self._say["after_event"].format(event=name) for name in after.event]
        said = f" {self._say['or']} ".join(parts)
        marks = [f"{name} = {_plain(value)}" for name, value in after.field.items()]
        marks += self._marks(after, ("disposition", "kind", "channel", "direction", "line", "form"))
        marks += [self._say["min_talk"].format(length=self.length(after.min_talk))] if after.min_talk else []
        return f"{said} ({self._say['where'].format(what=', '.join(marks))})" if marks else said

    def _action(self, action: Action) -> str:
        parts = [self._say[kind] for kind in action.any]
        if action.send:
            parts.append(self._say["send"].format(channels=", ".join(action.send)))
        parts += [self._say["event"].format(event=name) for name in action.event]
        said = f" {self._say['or']} ".join(parts) or self._say["contact"]
        more = [self._say["attachment"]] if action.with_ == "attachment" else []
        if action.min_talk is not None:
            more.append(self._say["min_talk"].format(length=self.length(action.min_talk)))
        if action.by != "human":
            more.append(self._say[f"by_{action.by}"])
        more += self._marks(action, ("channel", "direction", "disposition", "form", "words"))
        more += [f"{name} = {_plain(value)}" for name, value in action.field.items()]
        return f"{said} ({', '.join(more)})" if more else said


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
