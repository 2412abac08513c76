"""The agents' memory of SPEC 3.10."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signals",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("p_revert", sa.Float()),
        sa.Column("bcs", sa.Float()),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("votes", sa.JSON(), nullable=False),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.Column("veto_agent", sa.Text()),
        sa.Column("veto_reason", sa.Text()),
        sa.Column("model_version", sa.Text()),
        sa.Column("policy_id", sa.Text()),
        sa.PrimaryKeyConstraint("signal_id", name="pk_signals"),
    )
    op.create_table(
        "actions",
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text()),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("action_id", name="pk_actions"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.signal_id"], name="fk_actions_signal_id"),
    )
    op.create_table(
        "outcomes",
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text()),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("entry_ts", sa.BigInteger(), nullable=False),
        sa.Column("entry_px", sa.Text(), nullable=False),
        sa.Column("exit_ts", sa.BigInteger(), nullable=False),
        sa.Column("exit_px", sa.Text(), nullable=False),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("ret", sa.Float(), nullable=False),
        sa.Column("cost", sa.Text(), nullable=False),
        sa.Column("mae", sa.Float()),
        sa.Column("mfe", sa.Float()),
        sa.Column("reward", sa.Float()),
        sa.PrimaryKeyConstraint("outcome_id", name="pk_outcomes"),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.signal_id"], name="fk_outcomes_signal_id"),
    )
    op.create_table(
        "policy_history",
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("correlation", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.Text()),
        sa.Column("param", sa.Text(), nullable=False),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", name="pk_policy_history"),
    )
    for table, columns in (
        ("signals", ("correlation", "ts", "instrument")),
        ("actions", ("correlation", "ts")),
        ("outcomes", ("correlation", "exit_ts")),
        ("policy_history", ("correlation", "ts")),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    raise NotImplementedError("an older program refuses a newer schema: restore the backup instead")
