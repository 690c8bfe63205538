"""All tables, one file per subject."""

from __future__ import annotations

from storage.models.clients import client, identity, merge
from storage.models.clock import alert, clock_event, obligation, task
from storage.models.consents import consent, rating
from storage.models.conversations import conversation, draft
from storage.models.deliveries import delivery, job, receipt
from storage.models.journal import journal
from storage.models.lines import bookmark, line_health, outage, set_aside
from storage.models.log import attachment, interaction, raw, touch
from storage.models.people import account, presence, session, ticket, token
from storage.models.search import client_words, interaction_words
from storage.models.setup import definition
from storage.models.telephony import blocked_number, call_note, phone, phone_order, phone_queue, phone_time, wrap_up
from storage.models.types import metadata

__all__ = [
    "account",
    "alert",
    "attachment",
    "blocked_number",
    "bookmark",
    "call_note",
    "client",
    "client_words",
    "clock_event",
    "consent",
    "conversation",
    "definition",
    "delivery",
    "draft",
    "identity",
    "interaction",
    "interaction_words",
    "job",
    "journal",
    "line_health",
    "merge",
    "metadata",
    "obligation",
    "outage",
    "phone",
    "phone_order",
    "phone_queue",
    "phone_time",
    "presence",
    "rating",
    "raw",
    "receipt",
    "session",
    "set_aside",
    "task",
    "ticket",
    "token",
    "touch",
    "wrap_up",
]
