"""What may be written for a duration or a step, and what is said about anything else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.duration import BadDuration, Duration, Measure, StepTime


@pytest.mark.parametrize(
    ("text", "measure", "amount"),
    [
        ("30 s", Measure.CLOCK, 30),
        ("90 min", Measure.CLOCK, 5400),
        ("2 hours", Measure.CLOCK, 7200),
        ("1 hours", Measure.CLOCK, 3600),
        ("2h", Measure.CLOCK, 7200),
        ("1.5 hours", Measure.CLOCK, 5400),
        ("0.5 working hours", Measure.WORKING, 1800),
        ("4 Working Hours", Measure.WORKING, 14400),
        ("30 working min", Measure.WORKING, 1800),
        ("10 working days", Measure.WORKING_DAYS, 10),
        ("1 working day", Measure.WORKING_DAYS, 1),
        ("14 days", Measure.DAYS, 14),
        ("2 weeks", Measure.DAYS, 14),
        ("1 month", Measure.MONTHS, 1),
        ("12 months", Measure.MONTHS, 12),
        ("1 year", Measure.MONTHS, 12),
        ("-30 min", Measure.CLOCK, -1800),
        ("+2 working hours", Measure.WORKING, 7200),
        ("- 3 working days", Measure.WORKING_DAYS, -3),
    ],
)
def test_forms(text: str, measure: Measure, amount: int) -> None:
    assert Duration.parse(text) == Duration(measure, amount)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4 hurs", 'did you mean "hours"?'),
        ("4 wroking hours", 'did you mean "working"?'),
        ("4 business hours", 'did you mean "working"?'),
        ("5 m", 'did you mean "min" or "months"?'),
        ("4 parsecs", "there is no unit"),
        ("four hours", "a number and a unit"),
        ("", "a number and a unit"),
        ("4", "a number and a unit"),
        ("1,5 hours", 'write "1.5 hours"'),
        ("0.5 days", '"36 hours"'),
        ("1.5 working days", '"12 working hours"'),
        ("0.5 months", '"14 days"'),
        ("0.0001 s", "not a whole number of seconds"),
        ("2 working weeks", '"10 working days"'),
        ("1 working month", '"10 working days"'),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    with pytest.raises(BadDuration) as caught:
        Duration.parse(text)
    assert words in str(caught.value)


def test_a_target_has_no_sign_and_some_length() -> None:
    assert Duration.target("4 working hours") == Duration.parse("4 working hours")
    for text in ("-30 min", "+30 min", "0 hours"):
        with pytest.raises(BadDuration):
            Duration.target(text)


@given(st.sampled_from(Measure), st.integers(-100_000, 100_000))
def test_what_is_said_reads_back_the_same(measure: Measure, amount: int) -> None:
    duration = Duration(measure, amount)
    assert Duration.parse(str(duration)) == duration


def test_only_time_has_a_span() -> None:
    with pytest.raises(BadDuration):
        _ = Duration.parse("14 days").span


def test_steps() -> None:
    assert StepTime.parse("50%").share == Fraction(1, 2)
    assert StepTime.parse("-30 min").offset == Duration(Measure.CLOCK, -1800)
    assert StepTime.parse("+1 working days").offset == Duration(Measure.WORKING_DAYS, 1)
    assert StepTime.parse("Due") == StepTime()
    for text in ("50%", "12.5%", "-30 min", "+2 working hours", "due"):
        assert StepTime.parse(str(StepTime.parse(text))) == StepTime.parse(text)


@pytest.mark.parametrize("text", ["30 min", "0%", "150%", "half", "-", "+2 hurs", ""])
def test_step_mistakes(text: str) -> None:
    with pytest.raises(BadDuration):
        StepTime.parse(text)
