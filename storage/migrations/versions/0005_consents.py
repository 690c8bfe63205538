"""Consents and ratings; the channel a client prefers, and until when a delivery is put off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.types import Id, Instant, Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", Id, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column(
            "identity",
            sa.String(length=330),
            nullable=True,
            comment="scheme:value that said so, or that it is about; null = the client himself",
        ),
        sa.Column("channel", sa.String(length=40), nullable=False, comment="a channel, or all"),
        sa.Column("purpose", sa.String(length=20), nullable=False, comment="service, marketing, or all"),
        sa.Column("state", sa.String(length=10), nullable=False, comment="given or refused"),
        sa.Column("source", sa.String(length=20), nullable=False, comment="form message channel operator api merge"),
        sa.Column("by", sa.String(length=200), nullable=False, comment="line, operator:KEY or token:NAME"),
        sa.Column("text", sa.Text(), nullable=True, comment="the very words that were agreed to"),
        sa.Column("version", sa.String(length=100), nullable=True, comment="of those words"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("interaction_id", Id, nullable=True, comment="the touch that says so"),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        comment="append-only; what holds is the last row of each channel and purpose",
    )
    op.create_index("ix_consent_client_id", "consent", ["client_id"])
    op.create_index("ix_consent_identity", "consent", ["identity"])
    op.create_table(
        "rating",
        sa.Column("conversation_id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column(
            "operator",
            sa.String(length=100),
            nullable=True,
            comment="who owned the conversation when it was rated",
        ),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("asked_id", Id, nullable=False, comment="the interaction that asks"),
        sa.Column("score", sa.Integer(), nullable=True, comment="null until he answers; the last answer counts"),
        sa.Column("most", sa.Integer(), nullable=False, comment="the best score there is"),
        sa.Column("rated_at", Instant(), nullable=True),
        sa.Column("rated_id", Id, nullable=True, comment="the interaction that answers"),
        sa.Column("history", Json, nullable=False, comment="[{score, at}] of all answers"),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_rating")),
    )
    op.create_index("ix_rating_client_id", "rating", ["client_id"])
    op.create_index("ix_rating_rated_at", "rating", ["rated_at"])
    op.add_column("client", sa.Column("preferred_channel", sa.String(length=40), nullable=True))
    op.add_column(
        "client",
        sa.Column("wishes", Json, nullable=True, comment="what his consents come to: {refused: […], agreed: […]}"),
    )
    op.add_column(
        "delivery",
        sa.Column("postponed_until", Instant(), nullable=True, comment="quiet hours, or a server's patience"),
    )
