"""All settings of a process, read once from ``ODONTOFLOW_*`` environment variables.

``docs/settings.md`` lists every one of them; a test keeps the two equal.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may choose. Every field has a default that is right for the embedded mode."""

    model_config = SettingsConfigDict(env_prefix="ODONTOFLOW_", extra="ignore", frozen=True)

    mode: Literal["embedded", "production"] = Field(
        "embedded",
        description="`embedded` runs everything on one machine with demo accounts and a mailbox page; `production` refuses default secrets and demo accounts.",
    )
    home: Path = Field(
        Path("var"), description="Folder of the embedded state: database, blobs, keys, Temporal's file, logs."
    )
    host: str = Field("127.0.0.1", description="Address that the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the web server.")
    public_url: str = Field(
        "", description="Address under which people reach the system; used in mails. Empty: `http://127.0.0.1:<port>`."
    )
    database_url: str = Field(
        "",
        description="SQLAlchemy address of the database. Empty: `sqlite` under `home`. MySQL/MariaDB: `mysql+pymysql://…`.",
    )
    temporal_address: str = Field(
        "", description="Temporal frontend `host:port`. Empty: the embedded server on `temporal_port`."
    )
    temporal_port: int = Field(7233, ge=1, le=65535, description="Port of the embedded Temporal server (gRPC).")
    temporal_ui_port: int = Field(8233, ge=1, le=65535, description="Port of the embedded Temporal UI, on loopback.")
    temporal_namespace: str = Field("default", description="Temporal namespace.")
    temporal_retention_days: int = Field(
        30, ge=1, description="How long Temporal keeps closed histories. The database keeps the record."
    )
    master_key_file: Path | None = Field(
        None,
        description="File of the master keys, made by `odontoflow new-key` and readable by its owner alone. Empty: `master.key` under `home`, which the embedded mode makes at its first start.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="`smtp://user:password@host:port` or `smtps://…`. Empty: mail goes to the mailbox page (embedded mode only).",
    )
    mail_from: str = Field("OdontoFlow <no-reply@odontoflow.invalid>", description="Sender of every mail.")
    session_hours: int = Field(12, ge=1, le=72, description="Longest life of a sign-in session.")
    session_idle_minutes: int = Field(60, ge=5, description="A session unused for this long ends.")
    argon2_memory_kib: int = Field(19456, ge=8, description="argon2id memory (KiB). OWASP's minimum is the default.")
    argon2_time_cost: int = Field(2, ge=1, description="argon2id passes.")
    upload_max_bytes: int = Field(1 << 30, ge=1, description="Largest single file of an upload, in bytes.")
    blobs: Literal["local", "s3"] = Field(
        "local",
        description="Where files are kept: `local`, in `blobs` under `home`, or `s3`, in the bucket of the `s3` settings.",
    )
    s3_endpoint: str = Field(
        "", description="Address of the S3 storage, `https://…`. Empty: Amazon's, of the region `s3_region`."
    )
    s3_bucket: str = Field("", description="Bucket of the files; it must exist.")
    s3_region: str = Field("us-east-1", description="Region of the bucket; storages without regions take any.")
    s3_prefix: str = Field("", description="What the names of all objects begin with, as `odontoflow/`.")
    s3_access_key_id: str = Field(
        "", description="Access key of the bucket. Empty: what the AWS tools find (environment, profile, role)."
    )
    s3_secret_access_key: SecretStr | None = Field(None, description="Its secret key.")
    s3_addressing: Literal["path", "virtual", "auto"] = Field(
        "auto", description="How the bucket is addressed: `path` where its name is no host name of the storage."
    )
    archive_max_bytes: int = Field(
        4 << 30, ge=1, description="What the content of one ZIP archive may have in all, in bytes."
    )
    clamav: str = Field(
        "",
        description="Address of ClamAV's daemon, `host:port` or the path of its socket; empty: files are not scanned. Its `StreamMaxLength` has to be at least `upload_max_bytes`: what it does not take is not served.",
    )
    document_max_bytes: int = Field(
        50_000_000, ge=1, description="Largest treatment document of a patient's record, in bytes."
    )
    storage_reserve_bytes: int = Field(
        1 << 30,
        ge=0,
        description="Free space of the local storage that uploads leave alone, in bytes: for the database and the reports. What would not fit beside it is refused with 507 before its first byte.",
    )
    database_threads: int = Field(
        8, ge=1, description="Threads that serve blocking database reads. More than 8 makes short reads slower."
    )
    log_level: str = Field("INFO", description="Level of the log on standard error.")
    audit_anchor_file: Path | None = Field(
        None, description="File outside the database to which the audit chain's head is written. Empty: under `home`."
    )

    @model_validator(mode="after")
    def _s3_is_whole(self) -> Self:
        if self.blobs == "s3" and not self.s3_bucket:
            raise ValueError("ODONTOFLOW_BLOBS=s3 needs ODONTOFLOW_S3_BUCKET")
        return self

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'odontoflow.db').resolve()}"

    @property
    def temporal_target(self) -> str:
        return self.temporal_address or f"127.0.0.1:{self.temporal_port}"

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def blob_folder(self) -> Path:
        return self.home / "blobs"

    @property
    def key_file(self) -> Path:
        return self.master_key_file or self.home / "master.key"

    @property
    def anchor_file(self) -> Path:
        return self.audit_anchor_file or self.home / "audit.anchors"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return Settings()
