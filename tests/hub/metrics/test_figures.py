"""The formulas: golden numbers, percentiles, and what must hold of any counts."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.metrics.counting import CallCounts, Handling, PromiseCounts, ReplyCounts, Tally, add_up
from hub.metrics.figures import Figure, figures_of
from hub.metrics.percentile import Sample, Value
from hub.metrics.service_level import FORMULAS, Norm, make_norm, parts

GOLDEN = CallCounts(
    answered=1000,
    answered_in_time=860,
    abandoned_in_time=20,
    short_abandons=10,
    waited_s=12_345.0,
    missed={"abandoned": 60},
)


def figures(calls: CallCounts, norm: Norm = Norm()) -> dict[str, Figure]:  # noqa: B008 (frozen)
    return {one.name: one for one in figures_of(Tally(calls=calls), norm)}


@pytest.mark.parametrize(
    ("name", "expected"), [("SL1", 83.0), ("SL2", 86.0), ("SL3", 81.1), ("SL4", 82.7), ("SL5", 82.1)]
)
def test_the_five_service_levels(name: str, expected: float) -> None:
    found = figures(GOLDEN)[f"service_level_{name.lower()}"]
    assert found.value is not None
    assert round(found.value, 1) == expected
    assert found.formula.startswith(f"{name} = ")


def test_the_usual_service_level_is_the_fourth_and_says_so() -> None:
    found = figures(GOLDEN)["service_level"]
    assert (found.value, found.numerator, found.denominator) == (82.69, 860, 1040)
    assert found.formula == "SL4 = An_T / (An + Ab - Ab_T), T = 20 s, s = 5 s"
    assert figures(GOLDEN, Norm("SL2"))["service_level"].value == 86.0


def test_the_abandon_rate_both_ways() -> None:
    found = figures(GOLDEN)
    assert (found["abandon_rate"].value, found["abandon_rate_plain"].value) == (4.76, 5.66)


def test_the_short_abandonment_is_fixed_or_half_the_threshold_and_one_second() -> None:
    assert make_norm("SL4", 20, "half").short_abandon_s == 11
    assert make_norm("SL4", 20, 5).short_abandon_s == 5


def test_what_we_lost_is_no_abandonment() -> None:
    missed = {"abandoned": 3, "timeout": 4, "no_operators": 2, "cancelled": 1, "closed": 7, "blocked": 9}
    found = figures(CallCounts(answered=10, missed=missed))
    assert found["abandoned"].value == 3
    assert found["lost_by_us"].value == 6
    assert found["offered"].value == 20
    assert (found["abandon_rate_plain"].value, found["lost_rate"].value) == (15.0, 30.0)


def test_nothing_has_no_figure() -> None:
    found = figures_of(Tally(), Norm())
    assert {one.value for one in found if one.unit != "count"} == {None}
    assert {one.value for one in found if one.unit == "count"} == {0}


def test_every_figure_says_how_it_is_made_and_of_what() -> None:
    found = figures_of(Tally(calls=GOLDEN), Norm())
    assert len({one.name for one in found}) == len(found)
    assert all(one.formula and one.over for one in found)


def test_time_of_handling_and_speed_of_answer() -> None:
    handled = Handling(4, talk_s=300.0, hold_s=60.0, wrap_s=40.0)
    found = figures(CallCounts(answered=4, waited_s=50.0, inbound=handled, waits=Sample({5.0: 2, 20.0: 2})))
    assert (found["aht_s"].value, found["asa_s"].value) == (100.0, 12.5)
    assert (found["wait_p50_s"].value, found["wait_p90_s"].value) == (5.0, 20.0)


def test_promises_are_shown_raw_and_excused() -> None:
    found = {one.name: one for one in figures_of(Tally(promises=PromiseCounts(6, 4, 1, 3)), Norm())}
    assert found["promises_kept_rate"].value == 60.0
    assert found["promises_kept_or_excused_rate"].value == 70.0


def test_who_still_waits_makes_a_percentile_at_least_so_long() -> None:
    assert Sample({10.0: 2}, {60.0: 1}).percentile(50) == Value(10.0)
    assert Sample({10.0: 2}, {60.0: 1}).percentile(95) == Value(60.0, at_least=True)
    assert Sample({10.0: 1}, {5.0: 1}).percentile(95) == Value(10.0, at_least=True)
    replies = {one.name: one for one in figures_of(Tally(replies=ReplyCounts(0, 1, Sample({}, {60.0: 1}))), Norm())}
    assert replies["first_response_p50_s"].at_least


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_value_at_the_nearest_rank(values: list[int], share: int) -> None:
    sample = add_up((Sample({float(value): 1}) for value in values), Sample())
    found = sample.percentile(share)
    assert found == Value(sorted(values)[ceil(len(values) * share / 100) - 1])


@st.composite
def any_counts(draw: st.DrawFn) -> CallCounts:
    in_time, late, abandoned = (draw(st.integers(0, 50)) for _ in range(3))
    waits = draw(st.lists(st.integers(0, 90), min_size=in_time + late, max_size=in_time + late))
    return CallCounts(
        answered=in_time + late,
        answered_in_time=in_time,
        abandoned_in_time=draw(st.integers(0, abandoned)),
        short_abandons=draw(st.integers(0, abandoned)),
        waited_s=float(sum(waits)),
        waits=add_up((Sample({float(wait): 1}) for wait in waits), Sample()),
        missed={"abandoned": abandoned, "timeout": draw(st.integers(0, 9)), "closed": draw(st.integers(0, 9))},
        inbound=Handling(in_time + late, float(draw(st.integers(0, 9999)))),
    )


@given(any_counts())
def test_shares_are_shares_and_formulas_keep_their_order(counts: CallCounts) -> None:
    found = figures(counts)
    shares = [one.value for one in found.values() if one.unit == "percent" and one.value is not None]
    assert all(0 <= value <= 100 for value in shares)
    level = {name: found[f"service_level_{name.lower()}"].value for name in FORMULAS}
    if counts.answered:
        assert (level["SL3"] or 0) <= min(level[name] or 0 for name in ("SL1", "SL2", "SL4", "SL5"))
    assert counts.offered >= counts.answered + counts.abandoned + counts.lost


@given(st.lists(any_counts(), min_size=1, max_size=5))
def test_the_whole_is_made_of_counts_never_of_percentages(several: list[CallCounts]) -> None:
    whole = add_up(several, CallCounts())
    for formula in FORMULAS:
        top, bottom = (sum(each) for each in zip(*(parts(formula, one) for one in several), strict=True))
        assert parts(formula, whole) == (top, bottom)
    assert whole.offered == sum(one.offered for one in several)
    assert whole.waits.size == whole.answered
    assert whole.inbound.seconds == sum(one.inbound.seconds for one in several)
