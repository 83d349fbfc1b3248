"""first schema"""

import sqlalchemy as sa
from alembic import op

from schemas.tables.columns import BIG_INTEGER, LONG_TEXT, SEALED, UtcDateTime, text_type

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", BIG_INTEGER, nullable=False),
        sa.Column("scope", text_type(64), nullable=False),
        sa.Column("scope_seq", sa.Integer(), nullable=False),
        sa.Column("act", text_type(60), nullable=False),
        sa.Column("outcome", text_type(16), nullable=False),
        sa.Column("actor_id", text_type(64), nullable=False),
        sa.Column("actor_role", text_type(24), nullable=False),
        sa.Column("session_id", text_type(64), nullable=False),
        sa.Column("subject_id", text_type(64), nullable=True),
        sa.Column("command_id", text_type(96), nullable=True),
        sa.Column("denial_of", text_type(96), nullable=True),
        sa.Column("detail", text_type(2000), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("row_hash", text_type(64), nullable=False),
        sa.Column("chain_seq", BIG_INTEGER, nullable=True),
        sa.Column("chain_hash", text_type(64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain_seq", name="uq_audit_chain"),
        sa.UniqueConstraint("denial_of", name="uq_audit_denial"),
        sa.UniqueConstraint("scope", "scope_seq", name="uq_audit_scope"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_actor", ["actor_id", "at"], unique=False)

    op.create_table(
        "blob_lease",
        sa.Column("blob_id", text_type(100), nullable=False),
        sa.Column("token", text_type(32), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("tail", text_type(32), nullable=True),
        sa.PrimaryKeyConstraint("blob_id"),
    )
    op.create_table(
        "blob_removal",
        sa.Column("blob_id", text_type(64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id"),
    )
    with op.batch_alter_table("blob_removal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blob_removal_due_at"), ["due_at"], unique=False)

    op.create_table(
        "data_key",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("scope", text_type(16), nullable=False),
        sa.Column("scope_id", text_type(64), nullable=False),
        sa.Column("wrapped", text_type(500), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("destroyed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scope_id"),
    )
    op.create_table(
        "effect",
        sa.Column("key", text_type(160), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", text_type(24), nullable=False),
        sa.Column("intent", text_type(1000), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("effect", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_effect_case_id"), ["case_id"], unique=False)

    op.create_table(
        "feed_event",
        sa.Column("id", BIG_INTEGER, autoincrement=False, nullable=False),
        sa.Column("kind", text_type(40), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=True),
        sa.Column("user_id", text_type(64), nullable=True),
        sa.Column("case_id", text_type(64), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "head",
        sa.Column("name", text_type(96), nullable=False),
        sa.Column("value", BIG_INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("process", text_type(64), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("process"),
    )
    op.create_table(
        "mailbox_message",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("message_id", text_type(120), nullable=False),
        sa.Column("content", SEALED, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_table(
        "organization",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("kind", text_type(40), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("time_zone", text_type(64), nullable=False),
        sa.Column("locale", text_type(16), nullable=False),
        sa.Column("tooth_notation", text_type(16), nullable=False),
        sa.Column("jurisdiction", text_type(16), nullable=False),
        sa.Column("paper", text_type(16), nullable=False),
        sa.Column("address", text_type(500), nullable=False),
        sa.Column("phone", text_type(60), nullable=False),
        sa.Column("accent_colour", text_type(16), nullable=False),
        sa.Column("key_id", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("kind", text_type(40), nullable=False),
        sa.Column("subject_id", text_type(64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_outbox_waiting", ["done_at", "created_at"], unique=False)

    op.create_table(
        "sign_in_attempt",
        sa.Column("subject_hash", text_type(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_started_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_hash"),
    )
    op.create_table(
        "user",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("email", text_type(254), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("password_hash", text_type(255), nullable=False),
        sa.Column("time_zone", text_type(64), nullable=False),
        sa.Column("theme", text_type(16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "contract",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("group_id", text_type(64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("policy", text_type(8000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("practice_id", "group_id", name="uq_contract"),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_group_id"), ["group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_practice_id"), ["practice_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("organization_id", text_type(64), nullable=False),
        sa.Column("role", text_type(24), nullable=False),
        sa.Column("is_owner", sa.Boolean(), nullable=False),
        sa.Column("is_approver", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "organization_id", "role", name="uq_membership_role"),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "patient",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("key_id", text_type(64), nullable=False),
        sa.Column("demographics", SEALED, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patient_practice_id"), ["practice_id"], unique=False)

    op.create_table(
        "plan",
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("code", text_type(40), nullable=False),
        sa.Column("is_paid", sa.Boolean(), nullable=False),
        sa.Column("cases_per_month", sa.Integer(), nullable=True),
        sa.Column("renewed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("practice_id"),
    )
    op.create_table(
        "registration",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("jurisdiction", text_type(16), nullable=False),
        sa.Column("number", text_type(60), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "jurisdiction", name="uq_registration"),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_user_id"), ["user_id"], unique=False)

    op.create_table(
        "session",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("token_hash", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("kind", text_type(16), nullable=False),
        sa.Column("scope", text_type(100), nullable=False),
        sa.Column("label", text_type(80), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "patient_document",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("patient_id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", text_type(64), nullable=False),
        sa.Column("kind", text_type(16), nullable=False),
        sa.Column("state", text_type(16), nullable=False),
        sa.Column("problem_code", text_type(60), nullable=True),
        sa.Column("problem", text_type(500), nullable=True),
        sa.Column("preview", SEALED, nullable=True),
        sa.Column("uploaded_by", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("patient_document", schema=None) as batch_op:
        batch_op.create_index("ix_patient_document_newest", ["patient_id", "created_at"], unique=False)
        batch_op.create_index("ix_patient_document_waiting", ["state", "created_at"], unique=False)

    op.create_table(
        "patient_token",
        sa.Column("patient_id", text_type(64), nullable=False),
        sa.Column("token", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("patient_id", "token"),
    )
    op.create_table(
        "report_case",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("patient_id", text_type(64), nullable=False),
        sa.Column("key_id", text_type(64), nullable=False),
        sa.Column("number", text_type(24), nullable=False),
        sa.Column("state", text_type(32), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("priority", text_type(16), nullable=False),
        sa.Column("priority_rank", sa.Integer(), nullable=False),
        sa.Column("purpose", text_type(32), nullable=True),
        sa.Column("region", text_type(32), nullable=True),
        sa.Column("patient_sex", text_type(16), nullable=True),
        sa.Column("patient_birth_year", sa.Integer(), nullable=True),
        sa.Column("form", SEALED, nullable=False),
        sa.Column("form_revision", sa.Integer(), nullable=False),
        sa.Column("assignee_id", text_type(64), nullable=True),
        sa.Column("author_id", text_type(64), nullable=True),
        sa.Column("approver_id", text_type(64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("image_set", sa.Integer(), nullable=False),
        sa.Column("verified_set", sa.Integer(), nullable=False),
        sa.Column("signed_set", sa.Integer(), nullable=False),
        sa.Column("wait_owner", text_type(24), nullable=False),
        sa.Column("wait_reason", text_type(40), nullable=False),
        sa.Column("wait_since", UtcDateTime(), nullable=False),
        sa.Column("wait_until", UtcDateTime(), nullable=True),
        sa.Column("wait_then", text_type(32), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("risk_at", UtcDateTime(), nullable=True),
        sa.Column("snapshot", LONG_TEXT, nullable=False),
        sa.Column("created_by", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approver_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    with op.batch_alter_table("report_case", schema=None) as batch_op:
        batch_op.create_index("ix_case_approver", ["approver_id", "is_open"], unique=False)
        batch_op.create_index("ix_case_assignee", ["assignee_id", "is_open", "created_at"], unique=False)
        batch_op.create_index("ix_case_open_due", ["is_open", "due_at"], unique=False)
        batch_op.create_index("ix_case_patient", ["patient_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_case_practice_open", ["practice_id", "is_open", "priority_rank", "created_at"], unique=False
        )
        batch_op.create_index("ix_case_practice_state", ["practice_id", "state", "created_at"], unique=False)

    op.create_table(
        "annotation_set",
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("content", SEALED, nullable=False),
        sa.Column("content_hash", text_type(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by", text_type(64), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "case_command",
        sa.Column("id", text_type(96), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("action", text_type(40), nullable=False),
        sa.Column("fingerprint", text_type(64), nullable=False),
        sa.Column("form", SEALED, nullable=False),
        sa.Column("outcome", text_type(16), nullable=False),
        sa.Column("refusal_code", text_type(60), nullable=True),
        sa.Column("refusal_detail", text_type(500), nullable=True),
        sa.Column("refusal_status", sa.Integer(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("case_command", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_command_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_command_received_at"), ["received_at"], unique=False)

    op.create_table(
        "case_transition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("command_id", text_type(96), nullable=False),
        sa.Column("action", text_type(40), nullable=False),
        sa.Column("from_state", text_type(32), nullable=False),
        sa.Column("to_state", text_type(32), nullable=False),
        sa.Column("actor_id", text_type(64), nullable=False),
        sa.Column("actor_role", text_type(24), nullable=False),
        sa.Column("actor_relation", text_type(24), nullable=False),
        sa.Column("facts", text_type(2000), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "seq", name="uq_transition_seq"),
        sa.UniqueConstraint("command_id", name="uq_transition_command"),
    )
    op.create_table(
        "file_batch",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("key", text_type(64), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("state", text_type(16), nullable=False),
        sa.Column("finding", SEALED, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("file_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_file_batch_case_id"), ["case_id"], unique=False)

    op.create_table(
        "file_group",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=True),
        sa.Column("patient_id", text_type(64), nullable=True),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_group_belongs_to_one"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("file_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_file_group_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_file_group_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "identity_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("image_set", sa.Integer(), nullable=False),
        sa.Column("outcome", text_type(16), nullable=False),
        sa.Column("details", SEALED, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("identity_finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_finding_case_id"), ["case_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("author_id", text_type(64), nullable=False),
        sa.Column("author_role", text_type(24), nullable=False),
        sa.Column("channel", text_type(16), nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("asks", sa.Boolean(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("nonce", text_type(96), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("nonce"),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_case", ["case_id", "created_at"], unique=False)

    op.create_table(
        "message_read",
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "user_id"),
    )
    op.create_table(
        "notification",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("effect_key", text_type(160), nullable=False),
        sa.Column("notice", text_type(40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("effect_key", "user_id", name="uq_notification"),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index("ix_notification_user", ["user_id", "read_at", "created_at"], unique=False)

    op.create_table(
        "preview",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("subject_id", text_type(64), nullable=False),
        sa.Column("kind", text_type(16), nullable=False),
        sa.Column("image", SEALED, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject_id", "kind", name="uq_preview"),
    )
    with op.batch_alter_table("preview", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_preview_case_id"), ["case_id"], unique=False)

    op.create_table(
        "release_grant",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("patient_id", text_type(64), nullable=False),
        sa.Column("token_hash", text_type(64), nullable=False),
        sa.Column("state", text_type(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("first_opened_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("release_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_grant_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_release_grant_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "report_draft",
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("content", SEALED, nullable=False),
        sa.Column("content_hash", text_type(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by", text_type(64), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "report_pdf",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", SEALED, nullable=False),
        sa.Column("sha256", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "version", name="uq_report_pdf"),
    )
    op.create_table(
        "report_version",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", text_type(24), nullable=False),
        sa.Column("document", SEALED, nullable=False),
        sa.Column("report_hash", text_type(64), nullable=False),
        sa.Column("marks", SEALED, nullable=False),
        sa.Column("author_id", text_type(64), nullable=False),
        sa.Column("approver_id", text_type(64), nullable=True),
        sa.Column("command_id", text_type(96), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approver_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "version", name="uq_report_version"),
    )
    op.create_table(
        "stored_file",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("blob_id", text_type(64), nullable=False),
        sa.Column("blob_offset", BIG_INTEGER, nullable=False),
        sa.Column("parent_id", text_type(64), nullable=True),
        sa.Column("batch_id", text_type(64), nullable=True),
        sa.Column("size", BIG_INTEGER, nullable=False),
        sa.Column("sha256", text_type(64), nullable=False),
        sa.Column("kind", text_type(16), nullable=False),
        sa.Column("facts", SEALED, nullable=True),
        sa.Column("state", text_type(16), nullable=False),
        sa.Column("problem_code", text_type(60), nullable=True),
        sa.Column("problem", text_type(500), nullable=True),
        sa.Column("first_set", sa.Integer(), nullable=True),
        sa.Column("uploaded_by", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_file_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_blob_id"), ["blob_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_stored_file_content", ["case_id", "sha256"], unique=False)

    op.create_table(
        "study",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("study_uid", text_type(64), nullable=False),
        sa.Column("attributes", SEALED, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "study_uid", name="uq_study"),
    )
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_study_uid"), ["study_uid"], unique=False)

    op.create_table(
        "upload",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=True),
        sa.Column("patient_id", text_type(64), nullable=True),
        sa.Column("practice_id", text_type(64), nullable=False),
        sa.Column("user_id", text_type(64), nullable=False),
        sa.Column("file_id", text_type(64), nullable=False),
        sa.Column("duplicate_of", text_type(64), nullable=True),
        sa.Column("length", BIG_INTEGER, nullable=True),
        sa.Column("offset", BIG_INTEGER, nullable=False),
        sa.Column("concat", text_type(16), nullable=True),
        sa.Column("parts", LONG_TEXT, nullable=True),
        sa.Column("meta", SEALED, nullable=False),
        sa.Column("nonce", text_type(64), nullable=True),
        sa.Column("state", text_type(16), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_upload_belongs_to_one"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"],
            ["organization.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("nonce"),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upload_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "arranged_item",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=True),
        sa.Column("patient_id", text_type(64), nullable=True),
        sa.Column("group_id", text_type(64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("labels", SEALED, nullable=True),
        sa.CheckConstraint("(case_id IS NULL) <> (patient_id IS NULL)", name="ck_item_belongs_to_one"),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["file_group.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("arranged_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_arranged_item_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_arranged_item_group_id"), ["group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_arranged_item_patient_id"), ["patient_id"], unique=False)

    op.create_table(
        "grant_code",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("grant_id", text_type(64), nullable=False),
        sa.Column("code_hash", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["release_grant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("grant_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_code_grant_id"), ["grant_id"], unique=False)

    op.create_table(
        "outgoing_mail",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("message_id", text_type(64), nullable=False),
        sa.Column("kind", text_type(24), nullable=False),
        sa.Column("user_id", text_type(64), nullable=True),
        sa.Column("grant_id", text_type(64), nullable=True),
        sa.Column("case_id", text_type(64), nullable=True),
        sa.Column("effect_key", text_type(160), nullable=True),
        sa.Column("notice", text_type(40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("give_up_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", text_type(24), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["release_grant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
    )
    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.create_index("ix_outgoing_mail_due", ["done_at", "effect_key", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outgoing_mail_effect_key"), ["effect_key"], unique=False)
        batch_op.create_index("ix_outgoing_mail_user", ["user_id", "outcome", "done_at"], unique=False)

    op.create_table(
        "portal_session",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("grant_id", text_type(64), nullable=False),
        sa.Column("token_hash", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["release_grant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("portal_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_portal_session_grant_id"), ["grant_id"], unique=False)

    op.create_table(
        "series",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("study_id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("series_uid", text_type(64), nullable=False),
        sa.Column("modality", text_type(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("attributes", SEALED, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["study.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("study_id", "series_uid", name="uq_series"),
    )
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_series_study_id"), ["study_id"], unique=False)

    op.create_table(
        "instance",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("series_id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("file_id", text_type(64), nullable=False),
        sa.Column("sop_uid", text_type(64), nullable=False),
        sa.Column("sop_class_uid", text_type(64), nullable=False),
        sa.Column("transfer_syntax_uid", text_type(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("frame_index", LONG_TEXT, nullable=False),
        sa.Column("bulk_index", LONG_TEXT, nullable=False),
        sa.Column("metadata_json", SEALED, nullable=False),
        sa.Column("identity", text_type(16), nullable=False),
        sa.Column("burned_in", text_type(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["stored_file.id"],
        ),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["series.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("series_id", "sop_uid", name="uq_instance"),
    )
    with op.batch_alter_table("instance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_instance_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_file_id"), ["file_id"], unique=False)
        batch_op.create_index("ix_instance_series_order", ["series_id", "number"], unique=False)

    op.create_table(
        "placed_image",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("stack_id", text_type(64), nullable=False),
        sa.Column("series_id", text_type(64), nullable=True),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["series.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("placed_image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_placed_image_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placed_image_series_id"), ["series_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placed_image_stack_id"), ["stack_id"], unique=False)

    op.create_table(
        "key_image",
        sa.Column("id", text_type(64), nullable=False),
        sa.Column("case_id", text_type(64), nullable=False),
        sa.Column("instance_id", text_type(64), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("caption", SEALED, nullable=False),
        sa.Column("image", SEALED, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_by", text_type(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["report_case.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("key_image", schema=None) as batch_op:
        batch_op.create_index("ix_key_image_case", ["case_id", "position"], unique=False)
    # Counters that every transaction may take numbers from exist from the start, so that nobody races to make them.
    heads = sa.table("head", sa.column("name", sa.String), sa.column("value", sa.Integer))
    op.bulk_insert(heads, [{"name": name, "value": 0} for name in ("feed", "audit-chain", "audit:platform")])
