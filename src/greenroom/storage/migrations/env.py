"""What Alembic runs: the migrations, over the connection and within the transaction of the caller."""

from alembic import context

from greenroom.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
