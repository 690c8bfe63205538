"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence, Sequence

from storage.models.types import Id, Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBERED = (
    "raw",
    "touch",
    "interaction",
    "client",
    "identity",
    "conversation",
    "obligation",
    "clock_event",
    "task",
)
WORDS = ("interaction_words", "client_words")


def upgrade() -> None:
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        _create_words_on_sqlite()
    else:
        _create_words_and_numbers_on_postgresql()


def _create_words_on_sqlite() -> None:
    for name in WORDS:
        op.execute(sa.text(f"CREATE VIRTUAL TABLE {name} USING fts5(words, tokenize='unicode61', detail=none)"))


def _create_words_and_numbers_on_postgresql() -> None:
    for name in NUMBERED:
        op.execute(CreateSequence(Sequence(f"{name}_ids")))
    for name in WORDS:
        op.create_table(
            name,
            sa.Column("id", Id, autoincrement=False, nullable=False),
            sa.Column("words", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        )
        op.execute(sa.text(f"CREATE INDEX ix_{name}_words ON {name} USING gin (to_tsvector('simple', words))"))


def _create_tables() -> None:
    op.create_table(
        "account",
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("disabled_by", sa.String(length=100), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("preferences", Json, nullable=False),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("operator", name=op.f("pk_account")),
    )
    op.create_table(
        "alert",
        sa.Column("id", Id, nullable=False),
        sa.Column("obligation_id", Id, nullable=True),
        sa.Column("step", sa.String(length=60), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("to", sa.String(length=100), nullable=False, comment="operator"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=100), nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=False, comment="alerts of one cause may become one digest"),
        sa.Column("digest_id", Id, nullable=True, comment="the alert that stands for this one on the desk"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_digest_id", "alert", ["digest_id"], unique=False)
    op.create_index("ix_alert_obligation_id", "alert", ["obligation_id"], unique=False)
    op.create_index("ix_alert_to_acknowledged_at", "alert", ["to", "acknowledged_at"], unique=False)
    op.create_index("ix_alert_to_cause_at", "alert", ["to", "cause", "at"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", Id, nullable=False),
        sa.Column("interaction_id", Id, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.String(length=300), nullable=True),
        sa.Column(
            "path", sa.String(length=200), nullable=False, comment="file under the home's files/, named by its SHA-256"
        ),
        sa.Column(
            "uploaded_by", sa.String(length=100), nullable=True, comment="operator whose draft it still belongs to"
        ),
        sa.Column("uploaded_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_interaction_id", "attachment", ["interaction_id"], unique=False)
    op.create_table(
        "awaited",
        sa.Column("id", Id, nullable=False),
        sa.Column(
            "external_id", sa.String(length=1000), nullable=False, comment="a message that was spoken of before it came"
        ),
        sa.Column("conversation_id", Id, nullable=False, comment="where it was spoken of"),
        sa.Column("answered", sa.Boolean(), nullable=False, comment="whether what speaks of it is our answer to it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awaited")),
    )
    op.create_index("ix_awaited_external_id", "awaited", ["external_id"], unique=False)
    op.create_table(
        "bookmark",
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("line", "key", name=op.f("pk_bookmark")),
    )
    op.create_table(
        "client",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company_id", Id, nullable=True),
        sa.Column("category", sa.String(length=20), nullable=True),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("responsible", sa.String(length=100), nullable=True),
        sa.Column("region", sa.String(length=100), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False, comment="stands in until candidates are chosen from"),
        sa.Column(
            "merged_into",
            Id,
            nullable=True,
            comment="the surviving client; this row is kept so that the merge can be undone",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
    )
    op.create_index("ix_client_category", "client", ["category"], unique=False)
    op.create_index("ix_client_company_id", "client", ["company_id"], unique=False)
    op.create_index("ix_client_responsible", "client", ["responsible"], unique=False)
    op.create_table(
        "clock_event",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("obligation_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False, comment="when it took effect"),
        sa.Column("noted_at", Instant(), nullable=False, comment="when it was written"),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_event")),
    )
    op.create_index("ix_clock_event_obligation_id", "clock_event", ["obligation_id"], unique=False)
    op.create_table(
        "conversation",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False, comment="open waiting_client postponed solved junk"),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("channels", Json, nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("last_inbound_at", Instant(), nullable=True),
        sa.Column("last_inbound_id", Id, nullable=True),
        sa.Column(
            "waiting_since", Instant(), nullable=True, comment="oldest unanswered inbound touch; null when answered"
        ),
        sa.Column("waiting_id", Id, nullable=True, comment="that touch's interaction"),
        sa.Column("answered_at", Instant(), nullable=True, comment="the latest answer by a human"),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("closed_why", sa.String(length=40), nullable=True, comment="answered, no_answer_needed, junk"),
        sa.Column("postponed_until", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_index("ix_conversation_client_id", "conversation", ["client_id"], unique=False)
    op.create_index("ix_conversation_owner_state", "conversation", ["owner", "state"], unique=False)
    op.create_index("ix_conversation_postponed_until", "conversation", ["postponed_until"], unique=False)
    op.create_index("ix_conversation_state_last_at", "conversation", ["state", "last_at"], unique=False)
    op.create_table(
        "definition",
        sa.Column("id", Id, nullable=False),
        sa.Column(
            "kind",
            sa.String(length=20),
            nullable=False,
            comment="company team operator calendar regulation form line route",
        ),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column(
            "retired_at", Instant(), nullable=True, comment="set on the newest version when the thing is switched off"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition")),
        sa.UniqueConstraint("kind", "key", "version", name=op.f("uq_definition_kind_key_version")),
    )
    op.create_index("ix_definition_kind_key", "definition", ["kind", "key"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("interaction_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=1000), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False, comment="or sent delivered read failed unknown"),
        sa.Column("recipients", Json, nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("reference", name=op.f("uq_delivery_reference")),
    )
    op.create_index("ix_delivery_external_id", "delivery", ["external_id"], unique=False)
    op.create_index("ix_delivery_interaction_id", "delivery", ["interaction_id"], unique=False)
    op.create_index("ix_delivery_made_at", "delivery", ["made_at"], unique=False)
    op.create_index("ix_delivery_state", "delivery", ["state"], unique=False)
    op.create_table(
        "draft",
        sa.Column("conversation_id", Id, autoincrement=False, nullable=False),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "operator", name=op.f("pk_draft")),
    )
    op.create_table(
        "identity",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("odd", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False, comment="known to serve several people (a switchboard)"),
        sa.Column("bounced_at", Instant(), nullable=True, comment="mail to it came back for good"),
        sa.Column("added_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("value", "scheme", "client_id", name=op.f("uq_identity_value_scheme_client_id")),
    )
    op.create_index("ix_identity_client_id", "identity", ["client_id"], unique=False)
    op.create_table(
        "interaction",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column(
            "client_id", Id, nullable=True, comment="null while quarantined or while several clients are candidates"
        ),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content_id", Id, nullable=True, comment="the touch whose text is shown (the latest edit)"),
        sa.Column("fields", Json, nullable=False),
        sa.Column("field_marks", Json, nullable=False),
        sa.Column("origin", Json, nullable=False),
        sa.Column("party", Json, nullable=False, comment="[{identity, name, odd}] of the other side"),
        sa.Column("candidates", Json, nullable=True, comment="[{client, reason}] when no single client is certain"),
        sa.Column("automatic", sa.String(length=20), nullable=True),
        sa.Column("suspicion", sa.Text(), nullable=True),
        sa.Column("quarantined_at", Instant(), nullable=True),
        sa.Column("again_of", Id, nullable=True, comment="the interaction that this one repeats"),
        sa.Column("repeat_key", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.String(length=1000), nullable=True),
        sa.Column("same_as", sa.String(length=300), nullable=True),
        sa.Column("call", Json, nullable=True),
        sa.Column("disposition", sa.String(length=100), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=True),
        sa.Column("has_files", sa.Boolean(), nullable=False),
        sa.Column("remarks", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction")),
    )
    op.create_index("ix_interaction_at", "interaction", ["at"], unique=False)
    op.create_index("ix_interaction_client_id_at", "interaction", ["client_id", "at"], unique=False)
    op.create_index("ix_interaction_conversation_id_at", "interaction", ["conversation_id", "at"], unique=False)
    op.create_index(
        "ix_interaction_external_id",
        "interaction",
        ["external_id"],
        unique=False,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_interaction_line_external_id",
        "interaction",
        ["line", "external_id"],
        unique=False,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_interaction_quarantined_at",
        "interaction",
        ["quarantined_at"],
        unique=False,
        sqlite_where=sa.text("quarantined_at IS NOT NULL"),
        postgresql_where=sa.text("quarantined_at IS NOT NULL"),
    )
    op.create_index(
        "ix_interaction_repeat_key",
        "interaction",
        ["repeat_key", "at"],
        unique=False,
        sqlite_where=sa.text("repeat_key IS NOT NULL"),
        postgresql_where=sa.text("repeat_key IS NOT NULL"),
    )
    op.create_index(
        "ix_interaction_same_as",
        "interaction",
        ["same_as"],
        unique=False,
        sqlite_where=sa.text("same_as IS NOT NULL"),
        postgresql_where=sa.text("same_as IS NOT NULL"),
    )
    op.create_table(
        "job",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=100), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True, comment="a worker that died lets go at this time"),
        sa.Column("started", sa.Integer(), nullable=False, comment="1 once the outside world may have been touched"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        comment="numbers are never used twice: messages to our own people are known by them",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_run_at", "job", ["run_at"], unique=False)
    op.create_table(
        "journal",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column(
            "who", sa.String(length=100), nullable=False, comment="operator:K, token:NAME, regulation:K or system"
        ),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=120), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_subject_subject_id", "journal", ["subject", "subject_id"], unique=False)
    op.create_table(
        "line_health",
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=True, comment="the process that listens on the line now"),
        sa.Column("held_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_line_health")),
    )
    op.create_table(
        "merge",
        sa.Column("id", Id, nullable=False),
        sa.Column("survivor_id", Id, nullable=False),
        sa.Column("other_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("moved", Json, nullable=False, comment="what it changed, row by row, so that undo is exact"),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undone_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    op.create_table(
        "obligation",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("regulation", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "start_key", sa.String(length=200), nullable=False, comment="no regulation starts twice from one cause"
        ),
        sa.Column("slot", sa.String(length=60), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("started_by", Id, nullable=True, comment="interaction"),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False, comment="running paused breached met cancelled"),
        sa.Column("started", Instant(), nullable=False),
        sa.Column("target", sa.String(length=60), nullable=False, comment="duration words, as judged"),
        sa.Column("calendar", sa.String(length=100), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("due", Instant(), nullable=True, comment="null while paused and for gates without a target"),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("pauses", Json, nullable=False, comment="[[from, to or null, why, who]]"),
        sa.Column("steps_done", Json, nullable=False, comment="keys of the steps already fired"),
        sa.Column(
            "next_at",
            Instant(),
            nullable=True,
            comment="when the clock must look again; null when nothing is left to do",
        ),
        sa.Column("breached_at", Instant(), nullable=True),
        sa.Column("met_at", Instant(), nullable=True),
        sa.Column("met_by", Id, nullable=True, comment="interaction"),
        sa.Column("closed_at", Instant(), nullable=True, comment="when it was met or cancelled"),
        sa.Column("closed_why", sa.String(length=60), nullable=True),
        sa.Column("excuse", Json, nullable=True),
        sa.Column("details", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("regulation", "start_key", name=op.f("uq_obligation_regulation_start_key")),
    )
    op.create_index("ix_obligation_client_id_state", "obligation", ["client_id", "state"], unique=False)
    op.create_index("ix_obligation_conversation_id", "obligation", ["conversation_id"], unique=False)
    op.create_index("ix_obligation_met_by", "obligation", ["met_by"], unique=False)
    op.create_index("ix_obligation_next_at", "obligation", ["next_at"], unique=False)
    op.create_index("ix_obligation_owner_state_due", "obligation", ["owner", "state", "due"], unique=False)
    op.create_index("ix_obligation_state_due", "obligation", ["state", "due"], unique=False)
    op.create_table(
        "outage",
        sa.Column("id", Id, nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    op.create_index("ix_outage_line_began_at", "outage", ["line", "began_at"], unique=False)
    op.create_table(
        "presence",
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column(
            "place",
            sa.String(length=80),
            nullable=False,
            comment="desk:N an open desk, phone:X a telephone, own his own word",
        ),
        sa.Column("state", sa.String(length=20), nullable=False, comment="here on_call away"),
        sa.Column("at", Instant(), nullable=False, comment="since when"),
        sa.Column("until", Instant(), nullable=True, comment="it counts no longer than this unless it is said again"),
        sa.PrimaryKeyConstraint("operator", "place", name=op.f("pk_presence")),
    )
    op.create_table(
        "raw",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="bytes before compression"),
        sa.Column("data", sa.LargeBinary(), nullable=True, comment="zlib; null when kept as a file"),
        sa.Column("path", sa.String(length=200), nullable=True, comment="file under the home's files/, for large ones"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", Id, nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("external_id", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recipient", sa.String(length=300), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.Column(
            "delivery_id", Id, nullable=True, comment="null while unknown: it may precede the answer to the send"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index("ix_receipt_delivery_id", "receipt", ["delivery_id"], unique=False)
    op.create_index("ix_receipt_external_id", "receipt", ["external_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the cookie"),
        sa.Column("operator", sa.String(length=100), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    op.create_index("ix_session_operator", "session", ["operator"], unique=False)
    op.create_table(
        "set_aside",
        sa.Column("id", Id, nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("event_key", sa.String(length=300), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("touch", Json, nullable=False),
        sa.Column("raw_id", Id, nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aside")),
        sa.UniqueConstraint("line", "event_key", name=op.f("uq_set_aside_line_event_key")),
    )
    op.create_table(
        "task",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("obligation_id", Id, nullable=True),
        sa.Column("interaction_id", Id, nullable=True),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("remind_at", Instant(), nullable=True),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False, comment="open done cancelled"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False, comment="regulation:K or operator:K"),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column(
            "closed_by", sa.String(length=100), nullable=True, comment="interaction:N, operator:K or regulation:K"
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "met_by",
            Json,
            nullable=True,
            comment="the action that closes it, in the words of a regulation; null when only by hand",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_client_id", "task", ["client_id"], unique=False)
    op.create_index("ix_task_obligation_id", "task", ["obligation_id"], unique=False)
    op.create_index("ix_task_owner_state_due", "task", ["owner", "state", "due"], unique=False)
    op.create_index("ix_task_remind_at", "task", ["remind_at"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the one-time link's secret"),
        sa.Column("purpose", sa.String(length=20), nullable=False, comment="sign_in invitation password_reset proof"),
        sa.Column("subject", sa.String(length=300), nullable=False, comment="operator, or what the proof was for"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ticket")),
    )
    op.create_index("ix_ticket_expires_at", "ticket", ["expires_at"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_table(
        "touch",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("event_key", sa.String(length=300), nullable=False),
        sa.Column("interaction_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False, comment="when it happened at its source"),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=True),
        sa.Column("body", Json, nullable=False, comment="the touch as parsed, without its texts"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("full_text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("raw_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["raw_id"], ["raw.id"], name=op.f("fk_touch_raw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
        sa.UniqueConstraint("event_key", "line", name=op.f("uq_touch_event_key_line")),
    )
    op.create_index("ix_touch_interaction_id", "touch", ["interaction_id"], unique=False)
