"""What is said about a new organization, and the terms under which a practice's cases are read."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from schemas.access import OrganizationKind
from schemas.business_calendar import BusinessCalendar
from schemas.forms import Email, Form, Id
from schemas.people_forms import FullName
from schemas.registration_forms import OptionalJurisdiction
from schemas.sla import DEFAULT_POLICY, HoldDays, SlaPolicy

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]


class Account(Form):
    """The address with which somebody signs in."""

    email: Email


class FirstMember(Account):
    """Who is invited into a new organization."""

    name: FullName


class NewOrganization(Form):
    """A practice, a reading group or the platform. Its address, phone and colour are those of its letterhead."""

    kind: OrganizationKind
    name: Name
    time_zone: str = "UTC"
    jurisdiction: OptionalJurisdiction = Field(
        "", description="ISO 3166-1 or 3166-2 code; of a practice: where its readers need a registration."
    )
    address: Annotated[str, StringConstraints(max_length=500)] = ""
    phone: Annotated[str, StringConstraints(max_length=60)] = ""
    accent_colour: Colour = "#0f5ea8"

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        return BusinessCalendar(time_zone=value, opening=DEFAULT_POLICY.calendar.opening).time_zone


class Terms(Form):
    """What a practice and its reading group agreed on, and how many cases its plan covers a month (None: any number)."""

    group_id: Id
    hold_days: HoldDays | None = None
    requires_approval: bool = False
    cases_per_month: Annotated[int, Field(ge=1)] | None = None

    def policy(self, practice_id: str, time_zone: str) -> SlaPolicy:
        """The first version of the practice's policy: the default targets, in the practice's own business time."""
        changes = {
            "id": practice_id,
            "calendar": DEFAULT_POLICY.calendar.model_copy(update={"time_zone": time_zone}),
            "hold_days": self.hold_days,
            "requires_approval": self.requires_approval,
        }
        return DEFAULT_POLICY.model_copy(update=changes)
