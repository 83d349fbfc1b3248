"""Whether the embedded database needs the migrations to run, found out without loading them.

A start waits for this answer; running the migrations to learn that there is nothing to do costs half a second.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

REVISION = re.compile(r"^(down_revision|revision)\b[^=]*=\s*(.+)$", re.MULTILINE)
NAME = re.compile(r"[\"']([^\"']+)[\"']")


def head_revisions(folder: Path) -> set[str]:
    """Revisions that no other one follows, read from the migration files."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in folder.glob("*.py"):
        for field, value in REVISION.findall(path.read_text(encoding="utf-8")):
            (followed if field == "down_revision" else revisions).update(NAME.findall(value))
    return revisions - followed


def database_revisions(file: Path) -> set[str]:
    """Revisions that the SQLite file is at; empty for a new one."""
    if not file.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return {row[0] for row in connection.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        return set()
