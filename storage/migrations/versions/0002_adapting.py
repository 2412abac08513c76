"""Outcomes say what they are of, so that memory can be read without its signals; the engine's jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_SIGNAL = ("strategy", "instrument", "session")


def upgrade() -> None:
    for column in (
        sa.Column("strategy", sa.Text()),
        sa.Column("instrument", sa.Text()),
        sa.Column("session", sa.Date()),
        sa.Column("exit_session", sa.Date()),
        sa.Column("proposed", sa.Boolean()),
        sa.Column("quantity", sa.Text()),
        sa.Column("net", sa.Float()),
        sa.Column("votes", sa.JSON()),
    ):
        op.add_column("outcomes", column)
    for column_name in _OF_SIGNAL:
        op.execute(
            f"UPDATE outcomes SET {column_name} = (SELECT {column_name} FROM signals"  # noqa: S608 - from the list above
            " WHERE signals.signal_id = outcomes.signal_id) WHERE signal_id IS NOT NULL"
        )
    op.create_table(
        "job",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_us", sa.BigInteger()),
        sa.Column("last_us", sa.BigInteger()),
        sa.Column("last_result", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("running_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_job"),
    )


def downgrade() -> None:
    raise NotImplementedError("an older program refuses a newer schema: restore the backup instead")
