"""What the messages to our own people say, in their language. Pure."""

from __future__ import annotations

from datetime import datetime

from routing.book import RuleBook
from routing.decisions import RaiseAlert
from routing.facts import ObligationFacts

WORDS = {
    "ru": {
        "warning": "Скоро срок",
        "breach": "Срок нарушен",
        "climb": "Срок нарушен, никто не подтвердил",
        "recomputed": "Срок пересчитан и уже нарушен",
        "client": "Клиент",
        "due": "Срок",
        "owner": "Ответственный",
        "late": "Часы опоздали на {minutes} мин (система не работала)",
        "digest": "{count} срабатываний: {title}",
        "digest_text": "По одной причине сразу сработало {count} регламентов. Подробности на рабочем столе.",
        "void": "Исправление: нарушения не было",
        "void_text": "Прежнее сообщение отозвано: {title} ({cause}).",
        "reminder": "Напоминание",
    },
    "uk": {
        "warning": "Скоро строк",
        "breach": "Строк порушено",
        "climb": "Строк порушено, ніхто не підтвердив",
        "recomputed": "Строк перераховано і вже порушено",
        "client": "Клієнт",
        "due": "Строк",
        "owner": "Відповідальний",
        "late": "Годинник запізнився на {minutes} хв (система не працювала)",
        "digest": "{count} спрацювань: {title}",
        "digest_text": "З однієї причини за короткий час спрацювало {count} регламентів. Подробиці на робочому столі.",
        "void": "Виправлення: порушення не було",
        "void_text": "Попереднє повідомлення відкликано: {title} ({cause}).",
        "reminder": "Нагадування",
    },
    "pl": {
        "warning": "Zbliża się termin",
        "breach": "Termin przekroczony",
        "climb": "Termin przekroczony, nikt nie potwierdził",
        "recomputed": "Termin przeliczony i już przekroczony",
        "client": "Klient",
        "due": "Termin",
        "owner": "Odpowiedzialny",
        "late": "Zegar spóźnił się o {minutes} min (system nie działał)",
        "digest": "{count} zdarzeń: {title}",
        "digest_text": "Z jednej przyczyny w krótkim czasie zadziałało {count} regulaminów. Szczegóły na pulpicie.",
        "void": "Sprostowanie: terminu nie przekroczono",
        "void_text": "Poprzednia wiadomość jest nieważna: {title} ({cause}).",
        "reminder": "Przypomnienie",
    },
    "en": {
        "warning": "Due soon",
        "breach": "Overdue",
        "climb": "Overdue, and nobody has acknowledged it",
        "recomputed": "Recomputed, and overdue already",
        "client": "Client",
        "due": "Due",
        "owner": "Owner",
        "late": "The clock was {minutes} min late (the system was down)",
        "digest": "{count} alerts: {title}",
        "digest_text": "One cause raised {count} alerts within a short time. The desk has the details.",
        "void": "Correction: it was not overdue",
        "void_text": "The earlier message is void: {title} ({cause}).",
        "reminder": "Reminder",
    },
}


def words(language: str) -> dict[str, str]:
    """The phrases of a language."""
    return WORDS.get(language, WORDS["en"])


def compose(
    alert: RaiseAlert, obligation: ObligationFacts, client: str, language: str, book: RuleBook
) -> tuple[str, str]:
    """Subject and text of one alert."""
    said = words(language)
    what = "recomputed" if alert.data.get("cause") == "recomputed" else str(alert.data.get("what", "warning"))
    subject = f"{said[what]}: {alert.title}"
    lines = [subject, ""]
    if client:
        lines.append(f"{said['client']}: {client}")
    if obligation.due is not None:
        lines.append(f"{said['due']}: {_local(obligation.due, obligation, book)}")
    if obligation.owner:
        owner = book.roster.operators.get(obligation.owner)
        lines.append(f"{said['owner']}: {owner.name if owner else obligation.owner}")
    if late := alert.data.get("late_by"):
        lines.append(said["late"].format(minutes=int(late) // 60))
    return subject, "\n".join(lines)


def compose_digest(title: str, count: int, language: str) -> tuple[str, str]:
    """Subject and text of one message that stands for many alerts of one title."""
    said = words(language)
    return said["digest"].format(count=count, title=title), said["digest_text"].format(count=count)


def compose_correction(title: str, cause: str, language: str) -> tuple[str, str]:
    """Subject and text that take an alert back."""
    said = words(language)
    return f"{said['void']}: {title}", said["void_text"].format(title=title, cause=cause.replace("_", " "))


def compose_reminder(
    title: str, due: datetime | None, language: str, zone_of: RuleBook, team: str | None
) -> tuple[str, str]:
    """Subject and text that remind of a task."""
    said = words(language)
    subject = f"{said['reminder']}: {title}"
    if due is None:
        return subject, subject
    local = due.astimezone(zone_of.calendar_for(None, team).zone)
    return subject, f"{subject}\n\n{said['due']}: {local:%Y-%m-%d %H:%M %Z}"


def _local(instant: datetime, obligation: ObligationFacts, book: RuleBook) -> str:
    zone = book.calendar(obligation.calendar, obligation.calendar_version).zone
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"
