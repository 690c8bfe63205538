"""What a house calls in time: keys of the set-up, and the page that tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.metrics.norms import limits_of, norm_of, other_norms
from hub.metrics.service_level import FORMULAS, Norm
from hub.setup.definition import Version
from hub.setup.problem import SetUpRefused
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, build_setup
from tests.hub.office import START

PAGE = Path(__file__).parents[3] / "docs/figures.md"


def setup(text: str) -> SetUp:
    definitions = read_setup([("norms.toml", text)]).definitions
    return build_setup(
        Version(number, each.kind, each.key, 1, each.body, each.digest, START, "", False)
        for number, each in enumerate(definitions, 1)
    )


def test_without_a_word_it_is_the_usual_norm() -> None:
    assert norm_of(setup("[company]\nname = 'A'\n")) == Norm("SL4", 20, 5)


def test_a_team_may_have_its_own_and_takes_the_rest_of_the_company() -> None:
    found = setup(
        "[company]\nservice_level = 'SL2'\nanswer_within_s = 30\nshort_abandon = 'half'\n"
        "[team.a]\nanswer_within_s = 10\n[team.b]\nshort_abandon = 0\n[team.c]\n"
    )
    assert norm_of(found) == norm_of(found, "c") == norm_of(found, None) == Norm("SL2", 30, 16)
    assert norm_of(found, "a") == Norm("SL2", 10, 6)
    assert norm_of(found, "b") == Norm("SL2", 30, 0)
    assert set(other_norms(found)) == {"a", "b"}
    within, short = limits_of(found)
    assert (within.usual, dict(within.of_team)) == (30, {"a": 10})
    assert (short.usual, dict(short.of_team)) == (16, {"a": 6, "b": 0})


@pytest.mark.parametrize("line", ["service_level = 'SL6'", "answer_within_s = 0", "short_abandon = 'short'"])
@pytest.mark.parametrize("table", ["company", "team.a"])
def test_a_norm_that_makes_no_sense_is_refused(table: str, line: str) -> None:
    with pytest.raises(SetUpRefused) as refused:
        read_setup([("norms.toml", f"[{table}]\n{line}\n")])
    assert line.split()[0] in str(refused.value)


def test_the_page_tells_the_formulas_and_the_keys() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, formula in FORMULAS.items():
        assert f"| {name} | {formula} |" in text
    for key in ("service_level", "answer_within_s", "short_abandon"):
        assert f"| `{key}` |" in text
