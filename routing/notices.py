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
        "late": "Замечено на {minutes} мин позже: система не работала или о событии стало известно поздно",
        "digest": "{count} срабатываний: {title}",
        "digest_text": "По одной причине сразу сработало {count} регламентов. Подробности на рабочем столе.",
        "void": "Исправление: нарушения не было",
        "void_text": "Прежнее сообщение отозвано: {title} ({cause}).",
        "forgiven": "Нарушение признано уважительным",
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
        "late": "Помічено на {minutes} хв пізніше: система не працювала або про подію стало відомо пізно",
        "digest": "{count} спрацювань: {title}",
        "digest_text": "З однієї причини за короткий час спрацювало {count} регламентів. Подробиці на робочому столі.",
        "void": "Виправлення: порушення не було",
        "void_text": "Попереднє повідомлення відкликано: {title} ({cause}).",
        "forgiven": "Порушення визнано поважним",
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
        "late": "Zauważono {minutes} min później: system nie działał albo o zdarzeniu dowiedzieliśmy się późno",
        "digest": "{count} zdarzeń: {title}",
        "digest_text": "Z jednej przyczyny w krótkim czasie zadziałało {count} regulaminów. Szczegóły na pulpicie.",
        "void": "Sprostowanie: terminu nie przekroczono",
        "void_text": "Poprzednia wiadomość jest nieważna: {title} ({cause}).",
        "forgiven": "Przekroczenie usprawiedliwione",
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
        "late": "Noticed {minutes} min late: the system was down, or we heard of it late",
        "digest": "{count} alerts: {title}",
        "digest_text": "One cause raised {count} alerts within a short time. The desk has the details.",
        "void": "Correction: it was not overdue",
        "void_text": "The earlier message is void: {title} ({cause}).",
        "forgiven": "The breach was excused",
        "reminder": "Reminder",
    },
}

CAUSES = {
    "ru": {
        "kept_in_time": "сделано в срок",
        "reached": "известить удалось достаточную долю клиентов",
        "category": "изменилась категория клиента",
        "team": "обращение передано другой группе",
        "calendar": "изменился календарь",
        "tables": "обновлены таблицы часовых поясов или праздников",
        "regulation": "изменился регламент",
        "late_touch": "контакт записан позже, чем состоялся",
        "pinned": "срок назначен вручную",
        "unpinned": "снова действует срок регламента",
        "merge": "клиенты объединены",
        "excused": "нарушение признано уважительным",
    },
    "uk": {
        "kept_in_time": "зроблено вчасно",
        "reached": "повідомлено достатню частку клієнтів",
        "category": "змінилася категорія клієнта",
        "team": "звернення передано іншій групі",
        "calendar": "змінився календар",
        "tables": "оновлено таблиці часових поясів або свят",
        "regulation": "змінився регламент",
        "late_touch": "контакт записано пізніше, ніж він відбувся",
        "pinned": "строк призначено вручну",
        "unpinned": "знову діє строк регламенту",
        "merge": "клієнтів об’єднано",
        "excused": "порушення визнано поважним",
    },
    "pl": {
        "kept_in_time": "zrobiono na czas",
        "reached": "poinformowano wystarczającą część klientów",
        "category": "zmieniła się kategoria klienta",
        "team": "sprawa przeszła do innego zespołu",
        "calendar": "zmienił się kalendarz",
        "tables": "zaktualizowano tabele stref czasowych lub świąt",
        "regulation": "zmienił się regulamin",
        "late_touch": "kontakt zapisano później, niż nastąpił",
        "pinned": "termin ustalono ręcznie",
        "unpinned": "znów obowiązuje termin z regulaminu",
        "merge": "połączono klientów",
        "excused": "przekroczenie usprawiedliwiono",
    },
    "en": {
        "kept_in_time": "it was kept in time",
        "reached": "enough of the clients were told",
        "category": "the client's category has changed",
        "team": "another team has the case now",
        "calendar": "the calendar has changed",
        "tables": "the table of time zones or holidays is a new one",
        "regulation": "the regulation has changed",
        "late_touch": "a contact was logged later than it took place",
        "pinned": "the due was set by hand",
        "unpinned": "the regulation's due holds again",
        "merge": "two clients became one",
        "excused": "the breach was excused",
    },
}
"""Why an alert is taken back."""


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
    said, causes = words(language), CAUSES.get(language, CAUSES["en"])
    subject = said["forgiven" if cause == "excused" else "void"]
    return f"{subject}: {title}", said["void_text"].format(title=title, cause=causes.get(cause, cause))


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
