"""The norms of the set-up: what each team, else the company, calls in time."""

from __future__ import annotations

from hub.metrics.service_level import Norm, make_norm
from hub.setup.snapshot import SetUp
from storage.repositories.figures import Limits


def norm_of(setup: SetUp, team: str | None = None) -> Norm:
    """A team's own keys, else the company's."""
    house, own = setup.company, setup.teams.get(team or "")
    formula = own.service_level if own is not None else None
    within = own.answer_within_s if own is not None else None
    short = own.short_abandon if own is not None else None
    return make_norm(
        formula or house.service_level,
        house.answer_within_s if within is None else within,
        house.short_abandon if short is None else short,
    )


def limits_of(setup: SetUp) -> tuple[Limits, Limits]:
    """The threshold, and the bound of short abandonments, as queries take them: every call is judged by its team's."""
    usual = norm_of(setup)
    norms = {team: norm_of(setup, team) for team in setup.teams}
    return (
        Limits(
            usual.answer_within_s,
            {team: one.answer_within_s for team, one in norms.items() if one.answer_within_s != usual.answer_within_s},
        ),
        Limits(
            usual.short_abandon_s,
            {team: one.short_abandon_s for team, one in norms.items() if one.short_abandon_s != usual.short_abandon_s},
        ),
    )


def other_norms(setup: SetUp) -> dict[str, Norm]:
    """Teams whose keys differ from the company's: their calls are judged by their own."""
    usual = norm_of(setup)
    found = {team: norm_of(setup, team) for team in setup.teams}
    return {team: one for team, one in found.items() if one != usual}
