"""Column types that mean the same on SQLite and on MySQL/MariaDB."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds. Naive datetimes are refused; what comes back is timezone-aware.

    MySQL's ``DATETIME`` drops microseconds unless ``fsp`` is given. SQLite stores ISO text, which sorts as time does.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


SEALED = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
LONG_TEXT = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
BIG_INTEGER = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits. SQLite, whose INTEGER has them, numbers rows by itself only for that."""


def text_type(length: int) -> TypeEngine[str]:
    """A string of explicit length; opaque ids and codes compare byte by byte on MySQL too."""
    return String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")


def id_field(
    *,
    primary_key: bool = False,
    foreign_key: str | None = None,
    index: bool = False,
    nullable: bool = False,
    unique: bool = False,
) -> Any:
    """An id of ``schemas.ids``."""
    options: dict[str, Any] = {"sa_type": text_type(64), "index": index, "nullable": nullable}
    if primary_key:
        options["primary_key"] = True
    if unique:
        options["unique"] = True
    if foreign_key:
        options["foreign_key"] = foreign_key
    if nullable:
        options["default"] = None
    return Field(**options)


def code_field(
    length: int = 40, *, index: bool = False, nullable: bool = False, unique: bool = False, default: Any = ...
) -> Any:
    """A short code or enumeration value, stored as text so that a new value needs no migration."""
    options: dict[str, Any] = {"sa_type": text_type(length), "index": index, "nullable": nullable, "unique": unique}
    if nullable and default is ...:
        default = None
    if default is not ...:
        options["default"] = default
    return Field(**options)


def moment_field(*, index: bool = False, nullable: bool = False) -> Any:
    options: dict[str, Any] = {"sa_type": UtcDateTime, "index": index, "nullable": nullable}
    if nullable:
        options["default"] = None
    return Field(**options)


def sealed_field(*, nullable: bool = False) -> Any:
    """Bytes sealed by ``infra.sealing`` under a case's or a patient's key: everything that is PHI."""
    options: dict[str, Any] = {
        "sa_type": SEALED,
        "nullable": nullable,
    }
    if nullable:
        options["default"] = None
    return Field(**options)
