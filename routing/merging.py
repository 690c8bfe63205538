"""Two clients become one: of two open promises in one slot the earlier due stays; un-merging restores both. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from routing.book import RuleBook
from routing.decisions import (
    CancelObligation,
    CloseTask,
    Decision,
    MoveObligation,
    NoteDetails,
    PauseObligation,
    ReopenObligation,
    ReopenTask,
    WithdrawAlert,
)
from routing.facts import ObligationFacts
from routing.timing import due_of, length_of, moves, next_look

NEVER = datetime.max.replace(tzinfo=UTC)


def merged(
    mine: Sequence[ObligationFacts],
    theirs: Sequence[ObligationFacts],
    survivor: int,
    book: RuleBook,
    now: datetime,
    by: str,
) -> tuple[dict[str, Any], list[Decision]]:
    """What happens to the promises when `theirs` become the survivor's, and what an undo must know."""
    out: list[Decision] = [MoveObligation(each.id, now, survivor, "merge") for each in theirs]
    joined: dict[str, int] = {}
    before: dict[str, Any] = {}
    also: dict[int, list[int]] = {}
    for one in theirs:
        rival = next((each for each in mine if each.is_open and _rivals(each, one, book)), None)
        if not one.is_open or rival is None:
            continue
        kept, dropped = (rival, one) if _instant(rival) <= _instant(one) else (one, rival)
        joined[str(dropped.id)] = kept.id
        out.append(CancelObligation(dropped.id, now, "merged", by, {"into": kept.id}))
        out.append(CloseTask(now, f"obligation:{kept.id}", "cancelled", dropped.id))
        out.append(WithdrawAlert(dropped.id, now, "merged"))
        if dropped.conversation is not None and dropped.conversation != kept.conversation:
            before.setdefault(str(kept.id), kept.details.get("also"))
            also.setdefault(kept.id, list(kept.details.get("also", ()))).append(dropped.conversation)
            out.append(NoteDetails(kept.id, now, {"also": list(also[kept.id])}, "merge"))
    return {"obligations": [each.id for each in theirs], "joined": joined, "also": before}, out


def _rivals(one: ObligationFacts, other: ObligationFacts, book: RuleBook) -> bool:
    """Whether they promise one person the same: one slot, and not two events that each deserve their own."""
    if one.slot != other.slot:
        return False
    scopes = [book.rule(each.regulation, each.version).scope(0, None, each.start_key) for each in (one, other)]
    return scopes[0] == scopes[1]


def _instant(obligation: ObligationFacts) -> datetime:
    return obligation.due or NEVER


def unmerged(
    all_now: Iterable[ObligationFacts], other: int, moved: Mapping[str, Any], book: RuleBook, now: datetime
) -> list[Decision]:
    """Everybody gets his own back."""
    by_id = {each.id: each for each in all_now}
    out: list[Decision] = []
    for text in moved.get("joined", {}):
        dropped = by_id.get(int(text))
        if dropped is not None and dropped.closed_why == "merged" and not _replaced(dropped, by_id.values()):
            out += _restored(dropped, book, now)
    for text, also in moved.get("also", {}).items():
        if int(text) in by_id:
            out.append(NoteDetails(int(text), now, {"also": also}, "unmerge"))
    talks = set(moved.get("conversations", ()))
    his = {*moved.get("obligations", ()), *(each.id for each in by_id.values() if each.conversation in talks)}
    out += [MoveObligation(number, now, other, "unmerge") for number in sorted(his) if number in by_id]
    return out


def _replaced(dropped: ObligationFacts, others: Iterable[ObligationFacts]) -> bool:
    """Whether its conversation has got a promise of the same slot meanwhile: that one is younger and right."""
    if dropped.conversation is None:
        return False
    return any(
        each.is_open and each.slot == dropped.slot and each.conversation == dropped.conversation for each in others
    )


def _restored(dropped: ObligationFacts, book: RuleBook, now: datetime) -> list[Decision]:
    rule = book.rule(dropped.regulation, dropped.version)
    calendar = book.calendar(dropped.calendar, dropped.calendar_version)
    length = length_of(dropped.target)
    due = dropped.due
    if due is None and length is not None:
        due = due_of(rule, calendar, length, dropped.started, dropped.pauses)
    breached = dropped.breached_at is not None
    look = next_look(rule, calendar, length, dropped.started, due, dropped.pauses, dropped.steps_done, breached)
    out: list[Decision] = [
        ReopenObligation(dropped.id, now, "unmerge", "breached" if breached else "running", due, look),
        NoteDetails(dropped.id, now, {"into": None}, "unmerge"),
    ]
    last = dropped.pauses[-1] if dropped.pauses else None
    if last is not None and last.end is not None and last.end == dropped.closed_at:
        due, look = (None, None) if moves(dropped) else (due, look)
        out.append(PauseObligation(dropped.id, last.end, last.why, last.who, due, look))
    out.append(ReopenTask(now, "unmerge", dropped.id))
    return out
