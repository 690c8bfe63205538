"""What may come of a call, and what may be answered to a gate, as the desk offers it."""

from __future__ import annotations

from dataclasses import replace

from hub.desk.language import load_speeches
from hub.desk.phone.words import dispositions, field_choices
from hub.setup.company import Company
from hub.setup.people import Operator
from hub.setup.snapshot import SetUp

_SPEECHES = load_speeches()


def test_the_usual_list_is_offered_in_the_operators_language() -> None:
    offered = dict(dispositions(SetUp(), _SPEECHES["pl"]))
    assert list(offered) == ["sale", "refused", "call_back", "wrong_number", "silent", "spam"]
    assert all(offered.values()) and offered["silent"] == "cisza"


def test_a_company_may_have_a_list_of_its_own() -> None:
    own = Company.model_validate({"dispositions": {"won": {"ru": "выиграли", "en": "won"}, "lost": "lost"}})
    setup = replace(SetUp(), company=own)
    assert dispositions(setup, _SPEECHES["ru"]) == [("won", "выиграли"), ("lost", "lost")]


def test_what_the_client_can_be_is_chosen_and_the_rest_is_written() -> None:
    setup = replace(SetUp(), operators={"anna": Operator(name="Анна")})
    assert field_choices(setup, _SPEECHES["ru"], "category") == [(key, key) for key in ("VIP", "A", "B", "C")]
    assert field_choices(setup, _SPEECHES["ru"], "responsible") == [("anna", "Анна")]
    assert dict(field_choices(setup, _SPEECHES["en"], "lifecycle"))["gone"] == "gone"
    assert "pl" in dict(field_choices(setup, _SPEECHES["ru"], "language"))
    assert field_choices(setup, _SPEECHES["ru"], "source") == []
