"""Who calls and writes in the demonstration: names that are plainly examples, numbers that belong to nobody.

Ofcom keeps 020 7946 0000 to 0999 free for radio, television and stories; `.example` is nobody's (RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass

OUR_NUMBER = "02079460999"
OUR_ADDRESS = "support@demo.example"


@dataclass(frozen=True, slots=True)
class Person:
    """`number` as a British exchange tells it; `telegram` is his id there."""

    name: str
    number: str
    email: str
    telegram: int
    language: str


def _person(number: int, name: str, email: str, language: str) -> Person:
    return Person(name, f"020794601{number:02}", f"{email}@client.example", 470_000 + number, language)


PEOPLE = tuple(
    _person(number, *each)
    for number, each in enumerate(
        (
            ("Ольга Образцова", "olga.obraztsova", "ru"),
            ("Jan Przykładowski", "jan.przykladowski", "pl"),
            ("Оксана Зразкова", "oksana.zrazkova", "uk"),
            ("Alex Sample", "alex.sample", "en"),
            ("Пётр Примеров", "petr.primerov", "ru"),
            ("Ewa Testowa", "ewa.testowa", "pl"),
            ("Іван Прикладний", "ivan.prykladnyi", "uk"),
            ("Jo Placeholder", "jo.placeholder", "en"),
            ("Марина Тестова", "marina.testova", "ru"),
            ("Piotr Wzorcowy", "piotr.wzorcowy", "pl"),
            ("Тарас Макетний", "taras.maketnyi", "uk"),
            ("Sam Specimen", "sam.specimen", "en"),
        )
    )
)

QUESTIONS = {
    "ru": (
        "Здравствуйте! Подскажите, когда придёт мой заказ?",
        "Добрый день. Пришлите, пожалуйста, прайс-лист.",
        "Не открывается личный кабинет, помогите.",
    ),
    "uk": (
        "Вітаю! Коли приїде майстер?",
        "Доброго дня. Надішліть, будь ласка, рахунок.",
        "Чи можна змінити адресу доставки?",
    ),
    "pl": (
        "Dzień dobry, kiedy przyjdzie moja paczka?",
        "Proszę o fakturę za ostatni miesiąc.",
        "Nie mogę zalogować się na konto.",
    ),
    "en": (
        "Hello, when will my order arrive?",
        "Could you send me your price list, please?",
        "The lamp I bought flickers. What can I do?",
    ),
}
ANSWERS = {
    "ru": "Здравствуйте! Всё проверили: завтра до обеда будет у вас.",
    "uk": "Вітаємо! Усе перевірили: завтра до обіду буде у вас.",
    "pl": "Dzień dobry! Sprawdziliśmy: jutro do południa będzie u Państwa.",
    "en": "Hello! We have looked into it: it will be with you by noon tomorrow.",
}
SUBJECTS = {"ru": "Вопрос по заказу", "uk": "Питання щодо замовлення", "pl": "Pytanie o zamówienie", "en": "My order"}
