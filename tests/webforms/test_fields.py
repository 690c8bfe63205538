"""Values by kind: read where they can be, kept and marked where they cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.touch import Raw
from tests.webforms.conftest import form
from tests.webforms.fake_hub import NOW
from webforms import parse_again
from webforms.compose import Arrival, compose
from webforms.form import compile_form
from webforms.parse import Submission
from webforms.settings import FieldKind

ARRIVAL = Arrival(NOW, "k", Raw(b"", "x/y"), "RU", "ru")


def read(kind: str, *given: str, **more: Any) -> tuple[Any, str | None]:
    compiled = compile_form("k", form(fields=[{"name": "f", "kind": kind} | more]))
    touch = compose(compiled, Submission({"f": list(given)}), ARRIVAL)
    return touch.fields["f"], touch.field_marks.get("f")


@pytest.mark.parametrize(
    ("kind", "written", "value", "mark"),
    [
        ("number", "1 234,5", 1234.5, None),
        ("number", "42", 42, None),
        ("number", "много", "много", "not_a_number"),
        ("number", "", "", None),
        ("date", "2026-11-21", "2026-11-21", None),
        ("date", "21.11.2026", "2026-11-21", None),
        ("date", "31.02.2026", "31.02.2026", "not_a_date"),
        ("rating", "5", 5, None),
        ("rating", "6", "6", "not_a_rating"),
        ("url", "shop.example/p", "shop.example/p", None),
        ("url", "нет сайта", "нет сайта", "not_an_address"),
        ("checkbox", "on", True, None),
        ("checkbox", "да", True, None),
        ("checkbox", "false", False, None),
        ("phone", "", "", None),
        ("phone", "101", "101", "not_a_phone"),
        ("email", "A@B.pl", "A@B.pl", None),
    ],
)
def test_values(kind: str, written: str, value: Any, mark: str | None) -> None:
    assert read(kind, written) == (value, mark)


def test_choices() -> None:
    assert read("select", "b", options=["a", "b"]) == ("b", None)
    assert read("select", "c", options=["a", "b"]) == ("c", "not_an_option")
    assert read("multiselect", "a", "", options=["a", "b"]) == (["a"], None)
    assert read("multiselect", "a", "z", options=["a", "b"]) == (["a", "z"], "not_an_option")


def test_too_long_is_kept() -> None:
    assert read("text", "abcdef", max_length=3) == ("abcdef", "too_long")


def test_the_text_is_rendered_where_no_field_is_the_message() -> None:
    fields = [
        {"name": "phone", "kind": "phone"},
        {"name": "plan", "kind": "select", "options": [{"value": "g", "label": {"ru": "Золотой"}}], "label": "Тариф"},
        {"name": "call", "kind": "checkbox", "label": "Позвонить"},
    ]
    sent = Submission({"phone": ["+78123258351"], "plan": ["g"], "call": ["on"], "extra": ["x"], "utm_source": ["y"]})
    touch = compose(compile_form("k", form(fields=fields)), sent, ARRIVAL)
    assert touch.text == "Телефон: +78123258351\nТариф: Золотой\nПозвонить: ✓\nextra: x"


def test_an_undeclared_message_is_the_text() -> None:
    touch = compose(
        compile_form("k", form(fields=[{"name": "name"}])), Submission({"comment": ["Жду звонка"]}), ARRIVAL
    )
    assert touch.text == "Жду звонка"


@settings(max_examples=150)
@given(st.sampled_from(list(FieldKind)), st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_no_value_is_ever_refused(kind: FieldKind, given_values: list[str]) -> None:
    more: dict[str, Any] = {"options": ["a"]} if kind in (FieldKind.SELECT, FieldKind.MULTISELECT) else {}
    more |= {"text": "t"} if kind is FieldKind.CONSENT else {}
    read(kind.value, *given_values, **more)


def test_replay_reads_the_raw_body_again() -> None:
    body = "name=Анна&phone=8 (812) 325-83-51&message=Привет".encode()
    touch = parse_again("contact", form(), body, "application/x-www-form-urlencoded", NOW)
    assert touch is not None
    assert (touch.line, touch.text, touch.party[0].value, touch.at) == ("form:contact", "Привет", "+78123258351", NOW)
    assert parse_again("contact", form(), b"{", "application/json", NOW) is None
