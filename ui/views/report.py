"""A report as it is read: signed versions, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVersion:
    """``kind`` says how this version relates to the one before (DOMAIN.md, lifecycle). ``sections`` are (title, text) in
    reading order; ``impression`` is set apart because it is what people read first.
    """

    number: int
    kind: Literal["original", "appended", "corrected", "amended", "entered-in-error"]
    signed_at: datetime
    author: str
    registration: str
    impression: str
    sections: tuple[tuple[str, str], ...]
    reason: str = ""
    approver: str = ""
    pdf_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """``plain`` is the patient's summary where the author wrote one."""

    versions: tuple[ReportVersion, ...]
    plain: str = ""

    @property
    def latest(self) -> ReportVersion:
        return self.versions[0]
