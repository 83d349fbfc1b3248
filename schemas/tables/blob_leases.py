"""Who writes an unfinished blob, where the storage itself cannot lock."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from schemas.tables.columns import code_field, moment_field, text_type


class BlobLease(SQLModel, table=True):
    """From a blob's first byte until it is finished or deleted. Whoever has the token is its one writer."""

    __tablename__ = "blob_lease"

    blob_id: str = Field(sa_type=text_type(100), primary_key=True)
    token: str = code_field(32)
    until: datetime = moment_field()
    """From then on another one may take it, under a token of its own."""
    tail: str | None = code_field(32, nullable=True)
    """The token under which the newest tail is stored. None: nothing of the blob was confirmed."""
