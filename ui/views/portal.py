"""The patient's page behind a release link."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ui.views.files import StudyView
from ui.views.forms import FormState
from ui.views.report import ReportView

Stage = Literal["birth_date", "code", "open", "expired", "locked", "revoked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalView:
    """``stage`` is what the page shows. Nothing but ``practice`` and ``practice_phone`` is filled before ``open``: a link
    that is forwarded or scanned must not tell whose it is; for ``revoked``, which is also the page of a link that never
    was, not even these. ``url`` is the address that the forms post to.
    """

    stage: Stage
    url: str
    practice: str
    practice_phone: str = ""
    form: FormState = field(default_factory=FormState)
    patient: str = ""
    report: ReportView | None = None
    images: tuple[StudyView, ...] = ()
    superseded: str = ""
    expires: datetime | None = None
    dentist: str = ""
