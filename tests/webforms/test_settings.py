"""`[form.K]`: what loads, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from channels.throttle import read_rate
from tests.webforms.conftest import CONTACT, form, golden
from webforms import FormSettings
from webforms.form import compile_form


def test_the_sample_loads_as_it_stands() -> None:
    settings = golden("contact")
    assert [field.name for field in settings.fields] == ["name", "phone", "email", "message", "consent"]
    assert settings.team == "support"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "colour"),
        ({"origins": ["shop.example"]}, "https://shop.example"),
        ({"origins": ["https://shop.example/path"]}, "scheme and host only"),
        ({"fields": [{"name": "a"}, {"name": "a"}]}, "give each its own name"),
        ({"fields": [{"name": "имя"}]}, "latin letters"),
        ({"fields": [{"name": "_key"}]}, "beginning with a letter"),
        ({"fields": [{"name": "a", "kind": "select"}]}, "give options"),
        ({"fields": [{"name": "a", "options": ["x"]}]}, "make its kind select"),
        ({"fields": [{"name": "a", "kind": "consent"}]}, "give text"),
        ({"fields": [{"name": "a", "accept": ["image/*"]}]}, "only a file"),
        ({"fields": [{"name": f"f{n}"} for n in range(101)]}, "at most 100"),
        ({"fields": []}, "at least 1"),
        ({"title": {"de": "x"}}, "ru, uk, pl, en"),
        ({"limits": {"per_address": "many"}}, "20/hour"),
        ({"limits": {"per_address": -1}}, "not negative"),
        ({"honeypot": "phone"}, "honeypot ="),
        ({"language": "de"}, "use one of"),
    ],
)
def test_errors_name_the_key_and_the_remedy(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        FormSettings.model_validate(CONTACT | changes)
    assert said in str(error.value)
    assert next(iter(changes)) in str(error.value)


@pytest.mark.parametrize(
    ("written", "rate"),
    [(20, (20, 3600.0)), ("20", (20, 3600.0)), ("20/hour", (20, 3600.0)), ("2 per second", (2, 1.0)), (0, None)],
)
def test_rates(written: int | str, rate: tuple[int, float] | None) -> None:
    assert read_rate(written) == rate


def test_the_message_is_found() -> None:
    def message(*fields: dict[str, Any]) -> str | None:
        return compile_form("k", form(fields=list(fields))).message

    assert message({"name": "a", "kind": "textarea"}, {"name": "message", "kind": "textarea"}) == "message"
    assert message({"name": "a", "kind": "textarea"}) == "a"
    assert message({"name": "a", "kind": "textarea"}, {"name": "b", "kind": "textarea"}) is None
    assert message({"name": "phone", "kind": "phone"}) is None


def test_a_hundred_fields_in_steps() -> None:
    fields = [{"name": f"f{n}", "step": n // 20 + 1} for n in range(100)]
    assert len(compile_form("k", form(fields=fields)).fields) == 100
