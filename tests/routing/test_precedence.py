"""At one instant: stop, cancel, reset, pause, resume, start; whatever else what happened would mean too."""

from __future__ import annotations

from datetime import datetime

import pytest

from routing.decisions import Decision
from routing.engine import decide, judge
from routing.facts import Facts, ObligationFacts, Pause
from routing.regulations import read_settings
from routing.regulations.respond import Regulation
from routing.rule import Ended

from .judging import names
from .world import book_of, client, conversation, facts_of, message, msk, obligation

TABLE = {"title": "x", "kind": "respond", "within": "4 working hours", "pause_while": ["waiting_client"]}
FIRST = {
    "stop": "MeetObligation",
    "cancel": "CancelObligation",
    "reset": "ResetObligation",
    "pause": "PauseObligation",
    "resume": "ResumeObligation",
}
ORDER = list(FIRST)
NOON = msk("2026-09-14 12:00")


class Wishful(Regulation):
    """A regulation that wants everything it is told to want, whatever happened."""

    wants: frozenset[str] = frozenset()

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        return NOON if "stop" in self.wants else None

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        return Ended("no_longer_needed") if "cancel" in self.wants else None

    def resets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        return NOON if "reset" in self.wants else None

    def stands(self, obligation: ObligationFacts, facts: Facts) -> str | None:
        return "waiting_client" if "pause" in self.wants else None


def first_of(wants: set[str]) -> list[str]:
    rule = Wishful("wishful", 1, read_settings("wishful", TABLE))
    rule.wants = frozenset(wants)
    standing = "resume" in wants and "pause" not in wants
    pauses = (Pause(msk("2026-09-14 11:00"), None, "waiting_client"),) if standing else ()
    running = obligation(state="paused" if standing else "running", pauses=pauses)
    facts = facts_of(book_of(), "2026-09-14 12:00", at=NOON, conversation=conversation(), obligations=(running,))
    out: list[Decision] = []
    judge(running, rule, facts, out)
    return names(out)


@pytest.mark.parametrize("at", range(len(ORDER)))
def test_the_first_of_all_that_apply_happens_alone(at: int) -> None:
    happened = first_of(set(ORDER[at:]))
    assert happened[0] == FIRST[ORDER[at]]
    assert not {FIRST[word] for word in ORDER[at + 1 :]} & set(happened)


@pytest.mark.parametrize("later", [each for each in ORDER if each != "stop"])
def test_a_stop_beats_each(later: str) -> None:
    assert first_of({"stop", later})[0] == "MeetObligation"


def test_what_ends_one_promise_ends_it_before_it_starts_the_next() -> None:
    """Our word keeps the promise of progress and begins the next; a start comes last."""
    book = book_of('[regulation.u]\ntitle = "x"\nkind = "update"\nwithin = "1 day"\ncalendar = "office"\n')
    running = obligation(regulation="u", slot="update", target="1 day", started_by=1)
    told = message(2, "2026-09-14 12:00", "outbound")
    found = names(decide(facts_of(book, "2026-09-14 12:00", interaction=told, client=client(), obligations=(running,))))
    assert found == ["MeetObligation", "CloseTask", "StartObligation"]


def test_an_answer_that_closes_as_junk_too_is_an_answer() -> None:
    book = book_of(
        '[regulation.reaction]\ntitle = "x"\nkind = "respond"\nwithin = "4 working hours"\ncalendar = "office"\n'
    )
    answer, before = message(2, "2026-09-14 12:00", "outbound"), conversation()
    facts = facts_of(
        book,
        "2026-09-14 12:00",
        interaction=answer,
        conversation=conversation(state="junk"),
        conversation_before=before,
        obligations=(obligation(),),
    )
    assert names(decide(facts))[0] == "MeetObligation"
