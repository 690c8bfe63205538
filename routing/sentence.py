"""A regulation read back as one sentence, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from routing.conditions import Action, After, For
from routing.deadline import Roll
from routing.duration import Duration
from routing.phrases import PHRASES, UNITS, plural
from routing.rule import Rule
from routing.steps import TASK, Step

SHOWN = (
    "category",
    "team",
    "queue",
    "line",
    "channel",
    "form",
    "kind",
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


def sentence(rule: Rule, language: str = "en") -> str:
    """What the regulation promises, to whom, by when, and who hears of it."""
    speaker = _Speaker(language if language in PHRASES else "en")
    clauses = [speaker.core(rule), *speaker.conditions(rule), *(speaker.step(step) for step in rule.steps)]
    return "; ".join(clause for clause in clauses if clause) + "."


def length(duration: Duration, language: str) -> str:
    """A duration in words."""
    return _Speaker(language if language in PHRASES else "en").length(duration)


class _Speaker:
    def __init__(self, language: str) -> None:
        self._language = language
        self._say: Mapping[str, str] = PHRASES[language]

    def length(self, duration: Duration) -> str:
        number, unit = abs(duration).spoken()
        forms = UNITS[self._language][unit]
        return f"{number} {forms[min(plural(self._language, number), len(forms) - 1)]}"

    def core(self, rule: Rule) -> str:
        settings: Any = rule.common
        said = {"who": self._who(settings.for_), "within": self._targets(rule, "target")}
        if settings.kind == "recurring":
            said["action"] = self._action(settings.met_by)
            said["dates"] = ", ".join(settings.on_dates)
            said["within"] = self._targets(rule, "target_every")
            return self._say["on_dates" if settings.on_dates else "recurring"].format(**said)
        if settings.kind == "gate":
            found = self._say["gate"].format(require=", ".join(settings.require), **said)
            return found + (self._say["gate_within"].format(**said) if rule.targets else "")
        if settings.kind in ("follow_up", "broadcast"):
            said["after"] = self._after(settings.after)
            said["action"] = self._action(settings.action)
            said["reach"] = f"{float(settings.reach * 100):g} %" if settings.kind == "broadcast" else ""
        first = settings.kind == "respond" and settings.answers == "first"
        return self._say["respond_first" if first else settings.kind].format(**said)

    def conditions(self, rule: Rule) -> Iterable[str]:
        settings = rule.common
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
        named = ((self._say.get(name, name.replace("_", " ")), getattr(chosen, name)) for name in SHOWN)
        parts = [f"{name} {', '.join(values)}" for name, values in named if values]
        parts += [f"{name} = {_plain(value)}" for name, value in chosen.field.items()]
        if chosen.first_contact:
            parts.append(self._say["first_contact"])
        return self._say["some"].format(what="; ".join(parts)) if parts else self._say["everybody"]

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
        marks += [", ".join(after.disposition)] if after.disposition else []
        return f"{said} ({self._say['where'].format(what=', '.join(marks))})" if marks else said

    def _action(self, action: Action | None) -> str:
        if action is None:
            action = Action(any=("call", "message"))
        parts = [self._say[kind] for kind in action.any]
        if action.send:
            parts.append(self._say["send"].format(channels=", ".join(action.send)))
        parts += [self._say["event"].format(event=name) for name in action.event]
        said = f" {self._say['or']} ".join(parts) or self._say["message"]
        more = [self._say["attachment"]] if action.with_ == "attachment" else []
        if action.min_talk is not None:
            more.append(self._say["min_talk"].format(length=self.length(action.min_talk)))
        if action.by == "responsible":
            more.append(self._say["responsible"])
        return f"{said} ({', '.join(more)})" if more else said


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
