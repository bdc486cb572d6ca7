"""What Alembic runs: the migrations, on the connection and in the transaction of `engine.migrate`."""

from __future__ import annotations

from alembic import context

# Without the metadata of today: a migration names everything itself and never changes.
context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
