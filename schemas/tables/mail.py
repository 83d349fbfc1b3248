"""Mails that are owed, one a recipient: the record that keeps anybody from being mailed twice."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from schemas.tables.columns import code_field, id_field, moment_field, text_type


class OutgoingMail(SQLModel, table=True):
    """A mail to one person, committed with its cause. No text and no address: both are made when it is sent."""

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        Index("ix_outgoing_mail_due", "done_at", "effect_key", "due_at"),
        Index("ix_outgoing_mail_user", "user_id", "outcome", "done_at"),
    )

    id: str = id_field(primary_key=True)
    message_id: str = code_field(64, unique=True)
    kind: str = code_field(24)
    """``schemas.mail.MailKind``."""
    user_id: str | None = id_field(foreign_key="user.id", nullable=True)
    """The recipient, or None: the patient of ``grant_id``."""
    grant_id: str | None = id_field(foreign_key="release_grant.id", nullable=True)
    case_id: str | None = id_field(foreign_key="report_case.id", nullable=True)
    effect_key: str | None = Field(default=None, sa_type=text_type(160), nullable=True, index=True)
    """The effect that sends it. None: the worker's sweep does."""
    notice: str | None = code_field(40, nullable=True)
    created_at: datetime = moment_field()
    give_up_at: datetime = moment_field()
    due_at: datetime = moment_field()
    """When the sweep tries next."""
    attempts: int = 0
    outcome: str | None = code_field(24, nullable=True)
    """``schemas.mail.MailOutcome``; None while it is owed."""
    done_at: datetime | None = moment_field(nullable=True)
