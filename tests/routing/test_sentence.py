"""A regulation reads back as one sentence in four languages."""

from __future__ import annotations

import tomllib

import pytest

from routing.duration import Duration
from routing.phrases import PHRASES, UNITS
from routing.regulations import compile_rule
from routing.sentence import length, sentence

from .test_settings import AS_WRITTEN

RULES = {key: compile_rule(key, 1, table) for key, table in tomllib.loads(AS_WRITTEN)["regulation"].items()}


def test_the_vip_contact_in_russian() -> None:
    assert sentence(RULES["vip-contact"], "ru") == (
        "Клиентам (категория VIP) не реже чем раз в 14 дней: встреча или звонок (от 30 с, лично ответственным); "
        "по календарю office; если срок выпал на нерабочее время — раньше; "
        "за 3 рабочих дня до срока — задача «Звонок вежливости»; в срок — предупреждение руководителю группы; "
        "через 1 рабочий день после срока — предупреждение директору."
    )


def test_the_reaction_in_english() -> None:
    assert sentence(RULES["service-reaction"], "en") == (
        "Clients (queue service): answered within 4 working hours "
        "(VIP within 1 working hour, A within 2 working hours); "
        "the clock stands still while we wait for the client; at 50% of the time, an alert to the owner; "
        "30 min before the due, an alert to the owner; at the due, an alert to the team lead."
    )


def test_the_materials_in_polish_and_ukrainian() -> None:
    assert sentence(RULES["materials"], "pl").startswith(
        "Każdemu klientowi po rozmowie (gdzie materials_requested = true) w 2 godziny: wysłać (email, messenger)"
    )
    assert "після розмови" in sentence(RULES["materials"], "uk")


@pytest.mark.parametrize("language", ["ru", "uk", "pl", "en"])
@pytest.mark.parametrize("key", list(RULES))
def test_every_regulation_reads_in_every_language(language: str, key: str) -> None:
    said = sentence(RULES[key], language)
    assert said.endswith(".")
    assert "{" not in said
    assert "None" not in said


def test_no_language_misses_a_word() -> None:
    assert len({frozenset(words) for words in PHRASES.values()}) == 1
    assert len({frozenset(words) for words in UNITS.values()}) == 1


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("ru", "1 working hours", "1 рабочий час"),
        ("ru", "4 working hours", "4 рабочих часа"),
        ("ru", "11 days", "11 дней"),
        ("ru", "21 days", "21 день"),
        ("uk", "5 hours", "5 годин"),
        ("uk", "3 working days", "3 робочі дні"),
        ("pl", "22 hours", "22 godziny"),
        ("pl", "12 hours", "12 godzin"),
        ("en", "1 month", "1 month"),
    ],
)
def test_plurals(language: str, text: str, said: str) -> None:
    assert length(Duration.target(text), language) == said
