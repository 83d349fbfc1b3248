"""Release: one grant a recipient and link, its one-time codes and the portal's sessions."""

from datetime import datetime

from sqlmodel import SQLModel

from schemas.tables.columns import code_field, id_field, moment_field, sealed_field


class ReleaseGrant(SQLModel, table=True):
    """A release link. The token is derived from the grant's id under the master key; only its hash is stored."""

    __tablename__ = "release_grant"

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    practice_id: str = id_field(foreign_key="organization.id")
    patient_id: str = id_field(foreign_key="patient.id", index=True)
    token_hash: str = code_field(64, unique=True)
    state: str = code_field(16)
    """``live``, ``revoked``, ``expired`` or ``locked``."""
    failures: int = 0
    """Wrong tries at the second factor; at five the grant is locked and the practice told."""
    created_at: datetime = moment_field()
    expires_at: datetime = moment_field()
    ended_at: datetime | None = moment_field(nullable=True)
    first_opened_at: datetime | None = moment_field(nullable=True)


class GrantCode(SQLModel, table=True):
    """A one-time code sent by mail; only its keyed hash is stored."""

    __tablename__ = "grant_code"

    id: str = id_field(primary_key=True)
    grant_id: str = id_field(foreign_key="release_grant.id", index=True)
    code_hash: str = code_field(64)
    created_at: datetime = moment_field()
    expires_at: datetime = moment_field()
    used_at: datetime | None = moment_field(nullable=True)


class PortalSession(SQLModel, table=True):
    """A patient's visit behind one grant; it dies with the grant."""

    __tablename__ = "portal_session"

    id: str = id_field(primary_key=True)
    grant_id: str = id_field(foreign_key="release_grant.id", index=True)
    token_hash: str = code_field(64, unique=True)
    created_at: datetime = moment_field()
    expires_at: datetime = moment_field()


class MailboxMessage(SQLModel, table=True):
    """Mail of the embedded mode, read at ``/dev/mailbox``. ``message_id`` de-duplicates (DECISIONS 10)."""

    __tablename__ = "mailbox_message"

    id: str = id_field(primary_key=True)
    message_id: str = code_field(120, unique=True)
    content: bytes = sealed_field()
    """JSON: to, subject, text; sealed under the system key, for addresses are personal data."""
    created_at: datetime = moment_field()
