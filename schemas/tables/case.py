"""A case's projection, its transitions and the commands that caused them."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.tables.columns import LONG_TEXT, code_field, id_field, moment_field, sealed_field, text_type


class Case(SQLModel, table=True):
    """The projection of one case's workflow, written only by creation and by ``records.apply``.

    ``snapshot`` is the JSON of ``schemas.state.CaseState``; the columns beside it are what lists filter and sort by.
    ``practice_id`` never changes (invariant 17).
    """

    __tablename__ = "report_case"
    __table_args__ = (
        Index("ix_case_practice_open", "practice_id", "is_open", "priority_rank", "created_at"),
        Index("ix_case_practice_state", "practice_id", "state", "created_at"),
        Index("ix_case_assignee", "assignee_id", "is_open", "created_at"),
        Index("ix_case_approver", "approver_id", "is_open"),
        Index("ix_case_open_due", "is_open", "due_at"),
        Index("ix_case_patient", "patient_id", "created_at"),
    )

    id: str = id_field(primary_key=True)
    practice_id: str = id_field(foreign_key="organization.id")
    patient_id: str = id_field(foreign_key="patient.id")
    key_id: str = id_field()
    number: str = code_field(24, unique=True)
    """Accession number: what people call the case by. Random digits, without meaning."""
    state: str = code_field(32)
    is_open: bool = True
    seq: int = 0
    priority: str = code_field(16)
    priority_rank: int = 2
    purpose: str | None = code_field(32, nullable=True)
    region: str | None = code_field(32, nullable=True)
    patient_sex: str | None = code_field(16, nullable=True)
    patient_birth_year: int | None = None
    """For the pool's rows, which show an age and no identity."""
    form: bytes = sealed_field()
    """JSON of ``schemas.clinical.ClinicalForm``."""
    form_revision: int = 1
    assignee_id: str | None = id_field(foreign_key="user.id", nullable=True)
    author_id: str | None = id_field(foreign_key="user.id", nullable=True)
    approver_id: str | None = id_field(foreign_key="user.id", nullable=True)
    version: int = 0
    image_set: int = 0
    verified_set: int = 0
    """Up to this set readers see the images, and no further: it was checked and is this patient's."""
    signed_set: int = 0
    """Up to this set the patient sees them: the latest version covers it."""
    wait_owner: str = code_field(24)
    wait_reason: str = code_field(40)
    wait_since: datetime = moment_field()
    wait_until: datetime | None = moment_field(nullable=True)
    wait_then: str = code_field(32)
    due_at: datetime | None = moment_field(nullable=True)
    risk_at: datetime | None = moment_field(nullable=True)
    """When the clock comes to "at risk"; as ``due_at``, none while it does not run."""
    snapshot: str = Field(sa_type=LONG_TEXT)
    created_by: str = id_field(foreign_key="user.id")
    created_at: datetime = moment_field()
    submitted_at: datetime | None = moment_field(nullable=True)
    signed_at: datetime | None = moment_field(nullable=True)
    updated_at: datetime = moment_field()


class CaseTransition(SQLModel, table=True):
    """The timeline: one row a step. (case, seq) and the command are each unique (DECISIONS 2, invariants 2 and 3)."""

    __tablename__ = "case_transition"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", name="uq_transition_seq"),
        UniqueConstraint("command_id", name="uq_transition_command"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id")
    seq: int
    command_id: str = Field(sa_type=text_type(96))
    action: str = code_field(40)
    from_state: str = code_field(32)
    to_state: str = code_field(32)
    actor_id: str = id_field()
    actor_role: str = code_field(24)
    actor_relation: str = code_field(24)
    facts: str = Field(sa_type=text_type(2000))
    at: datetime = moment_field()


class CaseCommand(SQLModel, table=True):
    """A person's command from the moment the API took it: its form sealed, its outcome once known.

    The id is a hash of case and idempotency key; ``fingerprint`` binds it to one user and one body.
    """

    __tablename__ = "case_command"

    id: str = Field(sa_type=text_type(96), primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id", index=True)
    user_id: str = id_field(foreign_key="user.id")
    action: str = code_field(40)
    fingerprint: str = code_field(64)
    form: bytes = sealed_field()
    outcome: str = code_field(16)
    """``received``, ``applied``, ``refused`` or ``lapsed``."""
    refusal_code: str | None = code_field(60, nullable=True)
    refusal_detail: str | None = Field(default=None, sa_type=text_type(500), nullable=True)
    refusal_status: int | None = None
    seq: int | None = None
    received_at: datetime = moment_field(index=True)
    expires_at: datetime = moment_field()
    settled_at: datetime | None = moment_field(nullable=True)


class Message(SQLModel, table=True):
    """Chat. A message may ask a question, which blocks signature until it is answered (DOMAIN rules)."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_case", "case_id", "created_at"),)

    id: str = id_field(primary_key=True)
    case_id: str = id_field(foreign_key="report_case.id")
    practice_id: str = id_field(foreign_key="organization.id")
    author_id: str = id_field(foreign_key="user.id")
    author_role: str = code_field(24)
    channel: str = code_field(16)
    """``clinical`` or ``logistics``."""
    body: bytes = sealed_field()
    asks: bool = False
    answered_at: datetime | None = moment_field(nullable=True)
    created_at: datetime = moment_field()
    nonce: str = Field(sa_type=text_type(96), unique=True)


class MessageRead(SQLModel, table=True):
    """How far a person has read a case's chat."""

    __tablename__ = "message_read"

    case_id: str = Field(sa_type=text_type(64), primary_key=True, foreign_key="report_case.id")
    user_id: str = Field(sa_type=text_type(64), primary_key=True, foreign_key="user.id")
    read_at: datetime = moment_field()
