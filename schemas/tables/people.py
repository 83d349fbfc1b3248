"""Organizations, people and where they belong."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from schemas.tables.columns import code_field, id_field, moment_field, sealed_field, text_type


class Organization(SQLModel, table=True):
    """A practice, a reading group, or the platform itself."""

    __tablename__ = "organization"

    id: str = id_field(primary_key=True)
    kind: str = code_field()
    name: str = Field(sa_type=text_type(200))
    time_zone: str = code_field(64, default="UTC")
    locale: str = code_field(16, default="en")
    tooth_notation: str = code_field(16, default="fdi")
    jurisdiction: str = code_field(16, default="")
    """ISO 3166 code of the country or state whose registration a reader needs."""
    paper: str = code_field(16, default="A4")
    address: str = Field(default="", sa_type=text_type(500))
    phone: str = Field(default="", sa_type=text_type(60))
    accent_colour: str = code_field(16, default="#0f5ea8")
    key_id: str = id_field()
    """The practice's key: its blind search index."""
    created_at: datetime = moment_field()


class User(SQLModel, table=True):
    """A person who signs in. ``email`` is folded to lower case."""

    __tablename__ = "user"

    id: str = id_field(primary_key=True)
    email: str = Field(sa_type=text_type(254), unique=True)
    name: str = Field(sa_type=text_type(200))
    password_hash: str = Field(sa_type=text_type(255))
    time_zone: str = code_field(64, default="UTC")
    theme: str = code_field(16, default="system")
    is_active: bool = True
    created_at: datetime = moment_field()


class Membership(SQLModel, table=True):
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "organization_id", "role", name="uq_membership_role"),)

    id: str = id_field(primary_key=True)
    user_id: str = id_field(foreign_key="user.id", index=True)
    organization_id: str = id_field(foreign_key="organization.id", index=True)
    role: str = code_field(24)
    is_owner: bool = False
    is_approver: bool = False
    is_active: bool = True
    created_at: datetime = moment_field()


class Registration(SQLModel, table=True):
    """A radiologist's licence in one jurisdiction; automatic and manual assignment check it."""

    __tablename__ = "registration"
    __table_args__ = (UniqueConstraint("user_id", "jurisdiction", name="uq_registration"),)

    id: str = id_field(primary_key=True)
    user_id: str = id_field(foreign_key="user.id", index=True)
    jurisdiction: str = code_field(16)
    number: str = Field(sa_type=text_type(60))
    valid_until: datetime | None = moment_field(nullable=True)


class Contract(SQLModel, table=True):
    """A practice's agreement with a reading group. ``policy`` is the JSON of ``schemas.sla.SlaPolicy``, by version."""

    __tablename__ = "contract"
    __table_args__ = (UniqueConstraint("practice_id", "group_id", name="uq_contract"),)

    id: str = id_field(primary_key=True)
    practice_id: str = id_field(foreign_key="organization.id", index=True)
    group_id: str = id_field(foreign_key="organization.id", index=True)
    is_active: bool = True
    policy: str = Field(sa_type=text_type(8000))
    created_at: datetime = moment_field()


class Plan(SQLModel, table=True):
    """What a practice may submit. The billing check reads it before a case goes to a reader."""

    __tablename__ = "plan"

    practice_id: str = id_field(primary_key=True, foreign_key="organization.id")
    code: str = code_field(40)
    is_paid: bool = True
    cases_per_month: int | None = None
    renewed_at: datetime = moment_field()


class Session(SQLModel, table=True):
    """A sign-in on the server: revoking the row ends it. Only the token's hash is kept."""

    __tablename__ = "session"

    id: str = id_field(primary_key=True)
    token_hash: str = code_field(64, unique=True)
    user_id: str = id_field(foreign_key="user.id", index=True)
    kind: str = code_field(16)
    """``browser`` (cookie), ``token`` (bearer) or ``personal`` (an access token that its person made)."""
    scope: str = code_field(100, default="all")
    """What it opens, of what its person may do: scopes with spaces between them (schemas.token_forms)."""
    label: str | None = Field(default=None, sa_type=text_type(80), nullable=True)
    """What its person calls an access token."""
    created_at: datetime = moment_field()
    last_seen_at: datetime = moment_field()
    expires_at: datetime = moment_field()
    revoked_at: datetime | None = moment_field(nullable=True)


class SignInAttempt(SQLModel, table=True):
    """Counts failures per account and address (both hashed), so that guessing slows down for known and unknown alike."""

    __tablename__ = "sign_in_attempt"

    subject_hash: str = Field(sa_type=text_type(64), primary_key=True)
    failures: int = 0
    window_started_at: datetime = moment_field()


class Patient(SQLModel, table=True):
    """A practice's patient. Everything that identifies the person is sealed under the patient's own key."""

    __tablename__ = "patient"

    id: str = id_field(primary_key=True)
    practice_id: str = id_field(foreign_key="organization.id", index=True)
    key_id: str = id_field()
    demographics: bytes = sealed_field()
    """JSON of ``schemas.forms.Demographics``."""
    revision: int = 1
    is_archived: bool = False
    created_at: datetime = moment_field()
    updated_at: datetime = moment_field()


class PatientToken(SQLModel, table=True):
    """Keyed blind index of folded name tokens and birth date under the practice's key: search without clear text."""

    __tablename__ = "patient_token"

    patient_id: str = Field(sa_type=text_type(64), primary_key=True, foreign_key="patient.id")
    token: str = Field(sa_type=text_type(64), primary_key=True)
    practice_id: str = id_field(foreign_key="organization.id")
