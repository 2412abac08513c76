"""Run by alembic inside the transaction that `storage.sql` has opened; there is no command line for it."""

from alembic import context

from storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
