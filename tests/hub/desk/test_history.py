"""The history of a promise in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.desk.history import Historian
from hub.desk.language import LANGUAGES, load_speeches
from hub.desk.names import Names
from hub.desk.reading.promises import Tick
from hub.setup.definition import Version
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, build_setup

SPEECHES = load_speeches()
NOW = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
STEPS = {"50% alert owner": "на 50% срока — предупреждение ответственному"}
TEXT = '[operator.anna]\nname = "Анна Соколова"\n[team.support]\ntitle = "Поддержка"\n'


def people() -> SetUp:
    found = read_setup([("x.toml", TEXT)]).definitions
    return build_setup([Version(n, e.kind, e.key, 1, e.body, e.digest, NOW, "", False) for n, e in enumerate(found, 1)])


def told(language: str, event: str, **data: Any) -> tuple[str, str]:
    historian = Historian(SPEECHES[language], Names(people(), language), UTC, NOW, STEPS)
    (entry,) = historian.tell([Tick(NOW, "looked", {}), Tick(NOW, event, data)])
    return entry.what, entry.more


@pytest.mark.parametrize(
    ("event", "data", "said"),
    [
        (
            "recomputed",
            {
                "cause": "category",
                "by": "operator:anna",
                "old_due": "2026-09-14T14:00:00+00:00",
                "new_due": "2026-09-14T11:00:00+00:00",
            },
            ("пересчитано", "изменилась категория клиента · 14:00 → 11:00 · Анна Соколова"),
        ),
        (
            "breached",
            {"cause": "recomputed", "noticed_at": "2026-09-14T12:00:00+00:00"},
            ("срок нарушен", "новый срок уже прошёл · замечено 12:00"),
        ),
        ("breached", {"cause": "time", "noticed_at": "2026-09-14T12:00:00+00:00"}, ("срок нарушен", "")),
        ("paused", {"why": "waiting_client", "by": "operator:anna"}, ("пауза", "ждём клиента · Анна Соколова")),
        ("resumed", {"why": "waiting_client", "by": "client"}, ("идёт дальше", "ждём клиента · клиент")),
        (
            "warned",
            {"step": "50% alert owner@2026-09-14T12:00:00+00:00", "late_by": 7200},
            ("предупреждение", "на 50% срока — предупреждение ответственному · с опозданием на 2 ч"),
        ),
        (
            "handed_over",
            {"cause": "leave", "from": "anna", "set": {"owner": None, "team": "support"}, "by": "clock"},
            ("передано", "отпуск · Анна Соколова → Поддержка"),
        ),
        ("fulfilled", {"cause": "message", "by": 12}, ("выполнено", "Сообщение")),
        (
            "cancelled",
            {"why": "no_answer_needed", "by": "operator:anna"},
            ("отменено", "ответ не нужен · Анна Соколова"),
        ),
    ],
)
def test_what_happened_why_and_by_whom(event: str, data: dict[str, Any], said: tuple[str, str]) -> None:
    found = told("ru", event, **data)
    assert found[1] == said[1]
    assert found[0]


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_no_cause_is_left_in_english(language: str) -> None:
    from hub.desk import history

    for message in (*history._CAUSES.values(), *history._EVENTS.values()):
        assert SPEECHES[language].say(message) != message, message
