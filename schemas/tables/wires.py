"""Tables of the wires: keys, outbox, effects, the feed, the audit chain, notifications."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.tables.columns import BIG_INTEGER, code_field, id_field, moment_field, text_type


class DataKey(SQLModel, table=True):
    """A key of a case, a patient, a practice or the system, wrapped by the master key. Destroying it erases what it sealed."""

    __tablename__ = "data_key"

    id: str = id_field(primary_key=True)
    scope: str = code_field(16)
    """``case``, ``patient``, ``practice`` or ``system``."""
    scope_id: str = id_field(unique=True)
    wrapped: str | None = Field(default=None, sa_type=text_type(500), nullable=True)
    created_at: datetime = moment_field()
    destroyed_at: datetime | None = moment_field(nullable=True)


class OutboxItem(SQLModel, table=True):
    """Something to tell Temporal, committed with the change that causes it: the start of a case, or a fact."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "done_at", "created_at"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(index=True)
    kind: str = code_field(40)
    """``start_case`` or the kind of a fact."""
    subject_id: str | None = id_field(nullable=True)
    created_at: datetime = moment_field()
    done_at: datetime | None = moment_field(nullable=True)
    attempts: int = 0


class EffectRow(SQLModel, table=True):
    """An effect's life: intended, tried under a growing fence, done once (invariant 13)."""

    __tablename__ = "effect"

    key: str = Field(sa_type=text_type(160), primary_key=True)
    case_id: str = id_field(index=True)
    seq: int
    kind: str = code_field(24)
    intent: str = Field(sa_type=text_type(1000))
    """JSON of ``schemas.state.Effect``."""
    fence: int = 0
    done_at: datetime | None = moment_field(nullable=True)
    created_at: datetime = moment_field()


class FeedEvent(SQLModel, table=True):
    """What streams tell: an id in commit order, whom it concerns, and a kind; never content."""

    __tablename__ = "feed_event"

    id: int = Field(sa_type=BIG_INTEGER, primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = code_field(40)
    practice_id: str | None = id_field(nullable=True)
    """Whose it is. Of a case's event those hear who stand to the case; of another one the practice."""
    user_id: str | None = id_field(nullable=True)
    """Told to this person alone."""
    case_id: str | None = id_field(nullable=True)
    at: datetime = moment_field()


class BlobRemoval(SQLModel, table=True):
    """A blob that nothing refers to any more, noted in the very transaction that let go of it, until it is gone."""

    __tablename__ = "blob_removal"

    blob_id: str = id_field(primary_key=True)
    due_at: datetime = moment_field(index=True)
    """When it is tried next; each failure puts it off."""


class Head(SQLModel, table=True):
    """A counter whose row lock is held to the commit, so that numbers come in commit order and without a gap."""

    __tablename__ = "head"

    name: str = Field(sa_type=text_type(96), primary_key=True)
    value: int = Field(default=0, sa_type=BIG_INTEGER)


class AuditRow(SQLModel, table=True):
    """One act. ``scope_seq`` has no gap within its scope; the sealer adds the place in the one chain."""

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("scope", "scope_seq", name="uq_audit_scope"),
        UniqueConstraint("chain_seq", name="uq_audit_chain"),
        UniqueConstraint("denial_of", name="uq_audit_denial"),
        Index("ix_audit_actor", "actor_id", "at"),
    )

    id: int | None = Field(default=None, sa_type=BIG_INTEGER, primary_key=True)
    scope: str = Field(sa_type=text_type(64))
    """A case's id, an organization's id, or ``platform``."""
    scope_seq: int
    act: str = code_field(60)
    """Namespaced: ``case.submit``, ``auth.sign_in``, ``user.disable``."""
    outcome: str = code_field(16)
    """``done`` or ``denied``."""
    actor_id: str = id_field()
    actor_role: str = code_field(24)
    session_id: str = id_field()
    subject_id: str | None = id_field(nullable=True)
    command_id: str | None = Field(default=None, sa_type=text_type(96), nullable=True)
    denial_of: str | None = Field(default=None, sa_type=text_type(96), nullable=True)
    """The refused command: at most one denial each (invariant 4)."""
    detail: str = Field(default="{}", sa_type=text_type(2000))
    """JSON of ids and codes; never PHI."""
    at: datetime = moment_field()
    row_hash: str = code_field(64)
    chain_seq: int | None = Field(default=None, sa_type=BIG_INTEGER, nullable=True)
    chain_hash: str | None = code_field(64, nullable=True)


class Notification(SQLModel, table=True):
    """A notice in the page, one a person and effect."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("effect_key", "user_id", name="uq_notification"),
        Index("ix_notification_user", "user_id", "read_at", "created_at"),
    )

    id: str = id_field(primary_key=True)
    user_id: str = id_field(foreign_key="user.id")
    case_id: str = id_field(foreign_key="report_case.id")
    effect_key: str = Field(sa_type=text_type(160))
    notice: str = code_field(40)
    created_at: datetime = moment_field()
    read_at: datetime | None = moment_field(nullable=True)


class Heartbeat(SQLModel, table=True):
    """When a kind of process was last seen alive; readiness and the message "the engine is away" read it."""

    __tablename__ = "heartbeat"

    process: str = Field(sa_type=text_type(64), primary_key=True)
    seen_at: datetime = moment_field()
