"""What the desk says after something was done: a word in the address after the redirect, a sentence on the page."""

from __future__ import annotations

from hub.desk.language import Speech


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_SAID = {
    "taken": _("The conversation is yours."),
    "handed_over": _("Handed over."),
    "closed": _("Closed."),
    "reopened": _("Open again."),
    "postponed": _("Postponed."),
    "waits": _("Waiting for the client now."),
    "replied": _("The answer is on its way."),
    "written": _("The message is on its way."),
    "forwarded": _("Forwarded."),
    "noted": _("Note saved."),
    "saved": _("Saved."),
    "made": _("Made."),
    "merged": _("The two clients are one now. You can undo this on the card."),
    "unmerged": _("The merge is undone."),
    "chosen": _("The client is chosen."),
    "released": _("Released into the log."),
    "junked": _("Marked as junk."),
    "acknowledged": _("Acknowledged."),
    "logged": _("Written into the log."),
    "task_done": _("Task done."),
    "task_open": _("Task open again."),
    "invited": _("The invitation is on its way."),
    "disabled": _("Disabled: he can no longer sign in, and is signed out everywhere."),
    "enabled": _("Enabled again."),
    "signed_out": _("You are signed out."),
    "session_ended": _("That session is ended."),
    "password_set": _("Your password is set."),
    "reset_sent": _("If we know this address, a link to set a new password is on its way to it."),
    "retried": _("It will be sent again."),
    "removed": _("Removed."),
    "excused": _("Excused."),
    "calling": _("Your telephone rings; when you pick up, the number is dialled."),
    "paused": _("You get no calls until you are back."),
    "unpaused": _("You get calls again."),
}


def said(speech: Speech, word: str) -> str | None:
    """The sentence for a word; None for a word that is not ours."""
    return speech.say(_SAID[word]) if word in _SAID else None
