"""Full text over dirty data: what people call the same word is found, on both databases; hostile input harms nobody."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from storage.search import fold, hits, index_clients, index_interactions, query, words_of
from storage.store import Store


def index(store: Store, *texts: str, phones: tuple[str, ...] = ()) -> None:
    rows = [(number, words_of(text, phones=phones)) for number, text in enumerate(texts, 1)]
    store.write_now(lambda unit: index_interactions(unit, rows))


def found(store: Store, written: str, most: int = 100) -> list[int]:
    wanted = hits(store.dialect, "interaction", written, most)
    if wanted is None:
        return []
    return list(store.read_now(lambda connection: connection.execute(wanted).scalars().all()))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Zarządzanie relacjami", "Zarzadzanie"),
        ("Zarzadzanie relacjami", "ZARZĄDZANIE"),
        ("Внедрение СRМ за месяц", "CRM"),
        ("Внедрение CRM за месяц", "СRМ"),
        ("Cостоялся разговор", "Состоялся"),
        ("Сustomer care", "customer"),
        ("Ёлка и ещё", "елка еще"),
        ("елка и еще", "ЁЛКА ЕЩЁ"),
        ("Її обслуговування", "ii обслуговування"),
        ("Київ", "Киив"),
        ("інтерес", "интерес"),
        ("об'єкт", "обєкт"),
        ("об’єкт", "об'єкт"),
        ("Łódź i Gdańsk", "lodz gdansk"),
        ("Straße", "STRASSE"),
        ("неразрывный\u00a0пробел", "пробел"),
        ("неразрывный\u00a0пробел", "неразрывный пробел"),
        ("пи\u00adсьмо с переносом", "письмо"),
        ("письмо", "пись"),
        ("anna@example.org", "anna@example.org"),
        ("anna@example.org", "example"),
        ("звоните (812) 325 8351", "325 83 51"),
        ("звоните (812) 325 8351", "3258"),
        ("звоните (812) 325 8351", "8123258351"),
        ("артикул 3e4x", "3e4x"),
        ("\u0438\u0306од", "йод"),
        ("fullwidth １２３４", "1234"),
    ],
)
def test_the_same_word_is_found_however_it_is_written(store: Store, written: str, asked: str) -> None:
    index(store, "совсем другое", written, "something else")
    assert found(store, asked) == [2]


@pytest.mark.parametrize(
    "asked",
    [
        "325 83 51",
        "325-83-51",
        "3258",
        "258351",
        "+7 812 325 83 51",
        "8 (812) 325-83-51",
        "78123258351",
        "351",
        "812 325",
    ],
)
def test_any_fragment_of_a_phone_finds_it(store: Store, asked: str) -> None:
    rows = [(1, words_of("Иван", phones=["+78123258351"])), (2, words_of("Пётр", phones=["+74957126607"]))]
    store.write_now(lambda unit: index_interactions(unit, rows))
    assert found(store, asked) == [1]


def test_all_words_must_occur_and_the_newest_come_first(store: Store) -> None:
    index(store, "счёт на оплату", "счёт закрыт", "оплата счёта", "оплата")
    assert found(store, "счет опл") == [3, 1]
    assert found(store, "счё", most=2) == [3, 2]


def test_other_words_replace_what_was_indexed(store: Store) -> None:
    index(store, "старое слово")
    index(store, "новое слово")
    assert found(store, "старое") == []
    assert found(store, "новое") == [1]


def test_clients_are_a_subject_of_their_own(store: Store) -> None:
    store.write_now(lambda unit: index_clients(unit, [(5, words_of("Анна"))]))
    assert found(store, "анна") == []
    wanted = hits(store.dialect, "client", "анна", 10)
    assert wanted is not None
    assert store.read_now(lambda connection: connection.execute(wanted).scalars().all()) == [5]


@pytest.mark.parametrize("asked", ["", "   ", "???", '"', "'", "* OR *", "-", "()", "\0", "🙂"])
def test_what_holds_no_word_finds_nothing(store: Store, asked: str) -> None:
    index(store, "слово")
    assert found(store, asked) == []


@pytest.mark.parametrize(
    "asked",
    [
        'слово" OR "а',
        "слово AND NOT",
        "NEAR(слово)",
        "words:слово",
        "слово & !",
        "слово | (",
        "слово:*",
        "слово\\'",
        "^слово",
    ],
)
def test_operators_of_the_database_are_mere_characters(store: Store, asked: str) -> None:
    index(store, "слово and or not near words а")
    found(store, asked)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",))
    | st.sampled_from("абвгдеёжзийіїєґąćęłńóśźżABC0123456789e '’-"),
    max_size=40,
)


@given(WORDS)
def test_folding_twice_is_folding_once(written: str) -> None:
    assert fold(fold(written)) == fold(written)


@given(WORDS)
def test_case_makes_no_difference(written: str) -> None:
    assert fold(written.lower()) == fold(written.lower().upper().lower())


@given(st.lists(WORDS, min_size=1, max_size=5), WORDS)
def test_an_expression_never_holds_what_the_database_could_misread(texts: list[str], asked: str) -> None:
    for dialect, foreign in (("sqlite", "'&|!:\\"), ("postgresql", '"\\!')):
        made = query(dialect, asked)
        assert made is None or not set(made) & set(foreign + ":" if dialect == "sqlite" else foreign)
    assert len(words_of(*texts).split()) <= 2000


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=WORDS, asked=WORDS)
@example(written="ᦰ word", asked="aᦰb")
@example(written="3e4ю x10512263", asked="3e4ю")
@example(written="12 500,00 руб.", asked="12 500")
def test_every_text_is_found_by_its_own_words_and_nothing_breaks(store: Store, written: str, asked: str) -> None:
    index(store, written)
    found(store, asked)
    for word in written.split():
        if fold(word):
            assert found(store, word) == [1], word
    if fold(written):
        assert found(store, written[:30]) == [1] or not fold(written[:30])


def test_a_long_text_is_cut_and_a_long_word_too(store: Store) -> None:
    index(store, " ".join(f"слово{number}" for number in range(5000)), "x" * 5000)
    assert found(store, "слово1999") == [1]
    assert found(store, "слово4000") == []
    assert found(store, "x" * 5000) == [2]
