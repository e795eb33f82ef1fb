"""The history of the tables, as Alembic runs it. A migration that was released is never changed again."""
