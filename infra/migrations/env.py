"""Alembic's environment. It is given a connection by ``infra.migrate`` and never makes one of its own."""

from typing import Literal

from alembic import context
from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlmodel import SQLModel

import schemas.tables  # noqa: F401 - registers every table on the metadata
from schemas.tables.columns import UtcDateTime

_NAMES: tuple[tuple[type, str], ...] = (
    (UtcDateTime, "UtcDateTime()"),
    (LargeBinary, "SEALED"),
    (Text, "LONG_TEXT"),
    (BigInteger, "BIG_INTEGER"),
)


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Writes our own column types by their names, so that a migration reads as the tables do."""
    if kind != "type":
        return False
    for column_type, name in _NAMES:
        if isinstance(item, column_type):
            return name
    return f"text_type({item.length})" if isinstance(item, String) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_item=render_item,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
